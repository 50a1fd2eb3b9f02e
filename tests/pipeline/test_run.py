"""`ynab-pipeline run` beside a stand-in for Meltano: what it starts, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from psutil import pid_exists, process_iter  # type: ignore[import-untyped]

from tests.support.beside_meltano import DEAF, MAIN, STAYS, Beside, wait_for
from tests.support.full import FULL, needs_full
from tests.support.meltano_project import MELTANO, PYTHON, project_of, wait_for_stall
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path)


@pytest.mark.parametrize(
    ("name", "started"),
    [
        ("sync", {"arguments": ["run", "sync"], "depth": None}),
        ("sync-every-4-hours", {"arguments": ["run", "sync"], "depth": None}),
        ("reconcile-daily", {"arguments": ["run", "reconcile"], "depth": "2"}),
        ("by-hand", {"arguments": ["schedule", "run", "by-hand"], "depth": None}),
    ],
)
def test_meltano_runs_the_job(beside: Beside, name: str, started: object) -> None:
    done = beside.run("run", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "a line of Meltano\n")
    assert beside.started == [started]


def test_environment_and_env_file_are_passed_on(beside: Beside) -> None:
    (beside.folder / "ada.env").touch()
    assert beside.run("--environment=prod", "--env-file=ada.env", "run", "sync").returncode == 0
    assert beside.started[0]["arguments"] == [
        "--environment=prod",
        "--env-file=ada.env",
        "run",
        "sync",
    ]


@pytest.mark.parametrize("code", [1, 3])
def test_a_run_that_fails(beside: Beside, code: int) -> None:
    done = beside.run("run", "sync", does=f"sys.exit({code})")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("sync failed")


def test_a_run_that_is_killed(beside: Beside) -> None:
    done = beside.run("run", "sync", does="os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == 1
    assert "SIGKILL" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["daily"], "'daily' in meltano.yml, but these: sync, reconcile, sync-every-4-hours, "),
        (["sync", "--jitter", "soon"], "--jitter is 'soon': a time of up to 24h is expected"),
        (["sync", "--jitter", "5"], "--jitter is '5'"),
        (["sync", "--jitter", "25h"], "--jitter is '25h'"),
        (["sync", "--jitter=-5m"], "--jitter is '-5m'"),
        (["--env-file=nobody.env", "sync"], "nobody.env"),
    ],
)
def test_wrong_usage(beside: Beside, arguments: list[str], words: str) -> None:
    done = beside.run("run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("ynab-pipeline: ")
    assert words in line
    assert beside.started == []


@pytest.mark.parametrize("content", [None, "", "jobs: [", "jobs: [5, {}]", b"\xff"])
def test_a_project_that_cannot_be_read(beside: Beside, content: str | bytes | None) -> None:
    path = beside.folder / "meltano.yml"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    done = beside.run("run", "sync")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ynab-pipeline: ")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_run(beside: Beside, number: signal.Signals, code: int) -> None:
    with beside.begin("run", "sync", does=STAYS) as process:
        wait_for(process, "runs")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    got = "SIGINT" if number == signal.SIGINT else "SIGTERM"
    first, meltano, last = stderr.splitlines()
    assert first == f"sync is ended by {number.name}; Meltano has 20 seconds for it"
    assert meltano == f"got {got}"
    assert last.startswith(f"sync has ended after {number.name}.")


def test_a_signal_ends_a_run_whose_log_nobody_reads_any_more(beside: Beside) -> None:
    with beside.begin("run", "sync", does=STAYS) as process:
        wait_for(process, "runs")
        assert process.stderr
        process.stderr.close()
        process.terminate()
        assert process.wait(timeout=60) == 143


def test_a_second_signal_kills_a_run_that_does_not_end(beside: Beside) -> None:
    deaf = STAYS.replace("sys.exit(1)", "signal.pause()")
    with beside.begin("run", "sync", does=deaf) as process:
        wait_for(process, "runs")
        process.send_signal(signal.SIGTERM)
        wait_for(process, "got SIGTERM")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=15)
    assert process.returncode == 143
    assert stderr.splitlines()[-1].startswith("sync was killed after SIGTERM.")


def test_a_run_that_does_not_end_is_killed(beside: Beside) -> None:
    os.mkfifo(beside.folder / "running")
    main = f"from ynab_pipeline import run; run.STOP_LIMIT = 0.5\n{MAIN}"
    with beside.begin("run", "sync", does=DEAF, main=main) as process:
        deaf = int((beside.folder / "running").read_text())
        process.terminate()
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 143
    assert stderr.splitlines()[-1].startswith("sync was killed after SIGTERM.")
    assert not pid_exists(deaf)


def test_jitter(beside: Beside) -> None:
    done = beside.run("run", "sync", "--jitter", "1s")
    assert done.returncode == 0
    first, _ = done.stderr.splitlines()
    assert first == "sync starts in 0 s, a random part of 1 s"


def test_a_signal_ends_the_wait(beside: Beside) -> None:
    with beside.begin("run", "sync", "--jitter", "24h") as process:
        wait_for(process, "sync starts in ")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=15)
    assert process.returncode == 143
    assert stderr == "sync was ended by SIGTERM before it started\n"
    assert beside.started == []


@needs_full
@pytest.mark.parametrize("code", [0, 1])
def test_a_full_disk_for_the_log(beside: Beside, code: int) -> None:
    with FULL.open("w") as log:
        done = subprocess.run(
            beside.command("run", "sync", "--jitter=1s"),
            env=beside.environment(f"sys.exit({code})"),
            cwd=beside.folder,
            stderr=log,
            check=False,
        )
    assert done.returncode == code
    assert len(beside.started) == 1


@pytest.mark.slow
def test_a_real_run_is_ended_and_the_next_one_goes_on(
    installed: Callable[[str], str], tmp_path: Path
) -> None:
    installed(MELTANO)
    account = small_sandbox()
    with project_of(account, tmp_path) as project:
        account.fail("stall", path="/money_movements")
        command = [str(PYTHON.with_name("ynab-pipeline")), "run", "sync"]
        with subprocess.Popen(
            command,
            env=project.variables(),
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            wait_for_stall(process, account)
            process.terminate()
            _, stderr = process.communicate(timeout=60)
        account.clear_faults()  # it may have ended before its request stalled
        assert process.returncode == 143
        assert stderr.splitlines()[-1].endswith("Nothing is lost: the next run goes on from there.")
        running = [" ".join(each.info["cmdline"] or ()) for each in process_iter(["cmdline"])]
        assert not [line for line in running if f"{project.folder}/.meltano/run" in line]

        done = project.execute(*command)
        assert done.returncode == 0, done.stderr[-3000:]
        count = "select count(*) from ynab.transactions"
        wanted = sum(1 for budget in account.budgets for _ in budget.rows("transactions"))
        assert project.database(".data/postgres").query(count) == [{"count": wanted}]
