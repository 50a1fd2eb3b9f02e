"""`ynab-pipeline schedule` beside a stand-in for Meltano, with Meltano's own packages."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from psutil import pid_exists  # type: ignore[import-untyped]

from tests.support.beside_meltano import MAIN, STAYS, Beside, wait_for
from tests.support.meltano_project import MELTANO, PYTHON
from tests.support.tenants import ODD_DATABASES, content, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEDULE = ("schedule", "--jitter=0s")
#: Of the stand-in: writes down when it begins and ends; the job `sync` fails.
NOTES = """
with open("notes.txt", "a") as notes:
    print("begins", sys.argv[-1], file=notes, flush=True)
    time.sleep(0.2)
    print("ends", sys.argv[-1], file=notes)
sys.exit(sys.argv[-1] == "sync")
"""
#: Begins a program with a scheduler of its own.
OWN = """
from datetime import timedelta
from apscheduler.triggers.date import DateTrigger
from ynab_pipeline.scheduler import Cron, Scheduler
from ynab_pipeline.signals import Signals

scheduler = Scheduler(None, "0s")
now = scheduler.now()
"""
JOB = "demo:tap-ynab-to-target-postgres"
#: Adds a run of `sync` to Meltano's history.
HISTORY = """
from datetime import datetime, timezone
from meltano.core.db import project_engine
from meltano.core.job import Job, Payload, State
from meltano.core.models import SystemModel
from meltano.core.project import Project

engine, new_session = project_engine(Project.find())
SystemModel.metadata.create_all(engine)
with new_session() as session:
    session.add(Job(job_name="{job}", state=State.SUCCESS,
        started_at=datetime.now(timezone.utc) - {age}, ended_at=datetime.now(timezone.utc)))
    session.commit()
"""


@pytest.fixture
def beside(installed: Callable[[str], str], tmp_path: Path) -> Beside:
    installed(MELTANO)
    # It is between 13 and 14 o'clock there, so that nothing becomes due while a test runs.
    west = datetime.now(timezone.utc).hour - 13
    return Beside(tmp_path, python=PYTHON, variables={"TZ": f"Etc/GMT{west:+d}"})


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """End it by SIGTERM."""
    process.terminate()
    _, stderr = process.communicate(timeout=30)
    return process.returncode, stderr


def test_the_first_sync_runs_at_once(beside: Beside) -> None:
    with beside.begin(*SCHEDULE, does=NOTES) as process:
        assert wait_for(process, "is due").endswith("sync-every-4-hours is due now, 0 */4 * * *\n")
        assert "reconcile-daily is due at " in wait_for(process, "is due")
        wait_for(process, "schedule: sync-every-4-hours starts")
        wait_for(process, "schedule: sync-every-4-hours ended with 1 after 0:")
        code, stderr = ended(process)
    assert code == 0
    assert stderr.splitlines()[-1].endswith(" schedule: ended")
    assert [start["arguments"] for start in beside.started] == [["run", "sync"]]


def test_a_run_is_ended_with_the_scheduler(beside: Beside) -> None:
    with beside.begin(*SCHEDULE, does=STAYS) as process:
        wait_for(process, "runs")
        code, stderr = ended(process)
    assert code == 0
    assert "got SIGTERM\n" in stderr
    assert "sync-every-4-hours ended with 143 after " in stderr


def test_a_run_that_does_not_end_is_killed(beside: Beside) -> None:
    os.mkfifo(beside.folder / "running")
    beside.add_deaf("deaf")
    # In the place of `python -m ynab_pipeline.cli run`, which has a limit of its own.
    main = (
        "import sys; sys.executable = 'bin/deaf'\n"
        f"from ynab_pipeline import scheduler; scheduler._STOP_LIMIT = 0.5\n{MAIN}"
    )
    with beside.begin(*SCHEDULE, main=main) as process:
        deaf = int((beside.folder / "running").read_text())
        code, stderr = ended(process)
    assert code == 0
    assert "sync-every-4-hours ended with -9 after " in stderr
    assert not pid_exists(deaf)


def test_two_schedulers(beside: Beside) -> None:
    with beside.begin(*SCHEDULE) as process:
        wait_for(process, "succeeded")
        refused = beside.run(*SCHEDULE)
        assert refused.returncode == 1
        (line,) = refused.stderr.splitlines()
        assert line.startswith("ynab-pipeline: the schedules of demo are run by another ")
        # Other tenants have schedulers of their own.
        with beside.begin("--environment=prod", *SCHEDULE) as other:
            wait_for(other, "succeeded")
            assert ended(other)[0] == 0
        # Its lock is no hindrance then, though the file stays.
        process.kill()
    assert list((beside.folder / ".meltano/turns").glob("*-schedule.lock"))
    with beside.begin(*SCHEDULE) as process:
        wait_for(process, "succeeded")


#: Ends such a program.
END = """
with Signals() as signals:
    scheduler.run(signals)
"""


def own(beside: Beside, program: str) -> None:
    """Run a program with a scheduler of its own until a line says that `reconcile` has ended."""
    with beside.begin(*SCHEDULE, does=NOTES, main=OWN + program + END) as process:
        wait_for(process, "reconcile succeeded")
        assert ended(process)[0] == 0


def notes(beside: Beside) -> list[str]:
    return (beside.folder / "notes.txt").read_text().splitlines()


def test_one_at_a_time_also_after_a_failure(beside: Beside) -> None:
    own(
        beside,
        "scheduler.add('sync', DateTrigger(now), now - timedelta(seconds=1))\n"
        "scheduler.add('reconcile', DateTrigger(now), now)\n",
    )
    assert notes(beside) == ["begins sync", "ends sync", "begins reconcile", "ends reconcile"]


def test_what_was_missed_many_times_runs_once(beside: Beside) -> None:
    own(
        beside,
        "scheduler.add('sync', Cron('* * * * *'), now - timedelta(days=9))\n"
        "scheduler.add('reconcile', DateTrigger(now), now)\n",
    )
    assert notes(beside)[:3] == ["begins sync", "ends sync", "begins reconcile"]


#: Has `sync` due again as soon as it has begun, and `reconcile` after it.
DUE_AGAIN = """
class Again(DateTrigger):
    def get_next_fire_time(self, previous, now):
        return now + timedelta(microseconds=1) if previous == start else None

start = now - timedelta(seconds=1)
scheduler.add("sync", Again(start), start)
scheduler.add("reconcile", DateTrigger(now), now)
"""


def test_a_run_that_lasts_beyond_its_next_time(beside: Beside) -> None:
    os.mkfifo(beside.folder / "go")
    does = "if sys.argv[-1] == 'sync': open('go').read()"
    with beside.begin(does=does, main=OWN + DUE_AGAIN + END) as process:
        assert wait_for(process, "is due").endswith(
            "sync is due, but its last run is still under way: left out\n"
        )
        (beside.folder / "go").write_text("")
        wait_for(process, "reconcile succeeded")
        assert ended(process)[0] == 0
    assert [start["arguments"] for start in beside.started] == [
        ["run", "sync"],
        ["run", "reconcile"],
    ]


def test_a_clock_that_was_years_ahead(beside: Beside) -> None:
    own(
        beside,
        "scheduler.add('reconcile', DateTrigger(now), now.replace(year=now.year + 12))",
    )
    assert notes(beside) == ["begins reconcile", "ends reconcile"]


def add_run(beside: Beside, age: str, job: str, **environment: str) -> None:
    subprocess.run(
        beside.command(main="from datetime import timedelta" + HISTORY.format(age=age, job=job)),
        env=beside.environment("") | environment,
        cwd=beside.folder,
        check=True,
    )


@pytest.mark.parametrize(
    ("age", "words"),
    [("timedelta(hours=5)", "is due now"), ("timedelta(0)", "is due at ")],
)
def test_a_run_that_was_missed_while_no_scheduler_ran(beside: Beside, age: str, words: str) -> None:
    add_run(beside, age, JOB)
    with beside.begin("schedule", "--jitter=24h") as process:
        assert words in wait_for(process, "sync-every-4-hours is due")
        if "now" in words:  # and it waits like any other, but the very first one
            wait_for(process, "sync starts in ")
        assert ended(process)[0] == 0
    assert not beside.started


@pytest.mark.parametrize(
    ("age", "words"),
    [("timedelta(days=2)", "is due now"), ("timedelta(0)", "is due at ")],
)
def test_a_job_that_has_never_run(beside: Beside, age: str, words: str) -> None:
    """Whether it was missed, the runs of another job tell."""
    add_run(beside, age, JOB)
    with beside.begin("schedule", "--jitter=24h") as process:
        assert words in wait_for(process, "reconcile-daily is due")
        assert ended(process)[0] == 0


#: Of an `own` program: a stand-in for `python -m ynab_pipeline.cli` that can be started once.
ONCE = """
import sys
import ynab_pipeline.scheduler
ynab_pipeline.scheduler._STOP_LIMIT = 1000
sys.executable = "bin/once"
scheduler.add("sync", DateTrigger(now), now - timedelta(seconds=1))
scheduler.add("reconcile", DateTrigger(now), now)
"""


def test_it_ends_at_once_after_a_run_that_could_not_be_started(beside: Beside) -> None:
    once = beside.folder / "bin/once"
    once.write_text('#!/bin/sh\nrm "$0"\n')
    once.chmod(0o700)
    with beside.begin(main=OWN + ONCE + END) as process:
        wait_for(process, "sync succeeded")
        wait_for(process, "reconcile could not be run: ")
        assert ended(process)[0] == 0


def test_tenants_whose_run_history_cannot_be_read(beside: Beside) -> None:
    for name, uri in ODD_DATABASES.items():
        write(beside.folder, name, content(name, MELTANO_DATABASE_URI=uri))
    with beside.begin(*SCHEDULE, "--tenants") as process:
        assert "sync-every-4-hours is due now" in wait_for(process, "is due")
        wait_for(process, "sync-every-4-hours succeeded")
        assert ended(process)[0] == 0


def test_all_tenants(beside: Beside) -> None:
    for_all = (*SCHEDULE, "--tenants")
    assert "there are no tenants yet" in beside.run(*for_all).stderr
    for name in ("ada", "bob"):
        write(beside.folder, name, content(name))
    refused = beside.run("--environment=prod", *for_all)
    assert refused.returncode == 2
    assert "a tenant's file names its environment" in refused.stderr
    with beside.begin(*for_all) as process:
        assert "sync-every-4-hours is due now" in wait_for(process, "is due")
        wait_for(process, "sync-every-4-hours succeeded")
        assert "the schedules of all tenants are run by" in beside.run(*for_all).stderr
        assert ended(process)[0] == 0
    assert [start["arguments"] for start in beside.started] == [
        [f"--env-file=tenants/{name}.env", "run", "sync"] for name in ("ada", "bob")
    ]
    # A tenant that never ran holds nothing up; runs are in a database of the tenant's own.
    job = JOB.replace("demo", "local")

    def add_run_of(name: str, ago: str) -> None:
        folder = beside.folder / ".meltano/tenants" / name
        add_run(beside, ago, f"{job}:{name}", MELTANO_SYS_DIR_ROOT=str(folder))

    add_run_of("ada", "timedelta(0)")
    with beside.begin(*for_all) as process:
        assert "sync-every-4-hours is due at " in wait_for(process, "is due")
        assert ended(process)[0] == 0
    # The scheduler was ended when it had come to ada.
    add_run_of("bob", "timedelta(days=1)")
    with beside.begin(*for_all) as process:
        assert "sync-every-4-hours is due now" in wait_for(process, "is due")
        assert ended(process)[0] == 0


@pytest.mark.parametrize(
    ("schedules", "code", "words"),
    [
        ("[]", 2, "meltano.yml has no schedule with an interval"),
        ("[{name: often, interval: 61 * * * *, job: sync}]", 2, "the schedule often has the"),
        ("[{name: half, interval: 0 3 * * *}]", 1, "Meltano cannot read the project: "),
    ],
)
def test_wrong_schedules(beside: Beside, schedules: str, code: int, words: str) -> None:
    path = beside.folder / "meltano.yml"
    path.write_text(path.read_text().partition("schedules:")[0] + f"schedules: {schedules}\n")
    refused = beside.run(*SCHEDULE)
    assert refused.returncode == code
    (line,) = refused.stderr.splitlines()
    assert words in line


def test_wrong_jitter(beside: Beside) -> None:
    refused = beside.run("schedule", "--jitter=soon")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "--jitter is 'soon'" in line


def test_ctrl_c(beside: Beside) -> None:
    with beside.begin(*SCHEDULE) as process:
        wait_for(process, "succeeded")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
