"""`ynab-pipeline run JOB --tenants` beside a stand-in for Meltano."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from psutil import pid_exists  # type: ignore[import-untyped]

from tests.support.beside_meltano import MAIN, Beside
from tests.support.full import FULL, needs_full
from tests.support.meltano_project import MELTANO, PYTHON
from tests.support.receiver import receive
from tests.support.tenants import TOKEN, content, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Of Meltano, for the tenant of its command line.
NAME = "name = sys.argv[1].partition('tenants/')[2][:-4]\n"
SYNCS = f"""{NAME}
if name == "bob":
    sys.exit(1)
print(f"Synced 1 budget: 1,234 rows, 3 requests, 0.5 s")
"""
#: Tells that it runs, and waits to be told to go on.
STAYS = f"""{NAME}
with open("running", "w") as running:
    print(name, file=running)
open(f"go-{{name}}").read()
"""


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    beside = Beside(tmp_path)
    for name in ("ada", "bob", "cy", "dan"):
        write(tmp_path, name, content(name))
    return beside


def rows(stdout: str) -> dict[str, list[str]]:
    """The words of each line of the table, by tenant."""
    return {words[0]: words[1:] for words in map(str.split, stdout.splitlines()) if words}


def test_one_that_fails_stops_no_other(beside: Beside) -> None:
    write(beside.folder, "cy", content("cy"), 0o644)
    done = beside.run("run", "sync-every-4-hours", "--tenants", does=SYNCS)
    assert done.returncode == 1
    table = rows(done.stdout)
    assert list(table) == ["tenant", "ada", "bob", "cy", "dan", "sync-every-4-hours"]
    assert table["ada"][:2] == table["dan"][:2] == ["succeeded", "1,234"]
    assert table["bob"][0] == "failed"
    assert done.stdout.splitlines()[2].endswith("Meltano ended with 1; logs/meltano.log says why")
    assert table["cy"][0] == "failed"
    assert "chmod 600 tenants/cy.env" in done.stdout
    assert " for 4 tenants: 2 failed, 2 succeeded, " in done.stdout.splitlines()[-1]
    assert [each["arguments"] for each in beside.started] == [
        [f"--env-file=tenants/{name}.env", "run", "sync"] for name in ("ada", "bob", "dan")
    ]
    (beside.folder / "tenants/bob.env").unlink()
    (beside.folder / "tenants/cy.env").unlink()
    assert beside.run("run", "sync", "--tenants", does=SYNCS).returncode == 0


def test_one_ping_for_all(beside: Beside) -> None:
    with receive() as receiver:
        (beside.folder / ".env").write_text(f"YNAB_PIPELINE_PING={receiver.url('all')}\n")
        beside.run("run", "sync", "--tenants", does=SYNCS)
        (beside.folder / "tenants/bob.env").unlink()
        beside.run("run", "sync", "--tenants", does=SYNCS)
        assert receiver.pings == ["/all/fail", "/all"]


def test_a_file_that_breaks_is_told_of_once(beside: Beside) -> None:
    """That tenant's own URL may be what is broken."""
    with receive() as receiver:
        (beside.folder / ".env").write_text(f"YNAB_PIPELINE_NOTIFY={receiver.notify('owner')}\n")
        beside.run("run", "sync", "--tenants", does=SYNCS)
        assert receiver.messages == []
        for name in ("cy", "dan"):
            write(beside.folder, name, content(name), 0o644)
            for _ in range(2):
                beside.run("run", "sync", "--tenants", does=SYNCS)
        cy, dan = receiver.messages
        assert cy.startswith("tap-ynab, demo: sync of cy failed\n")
        assert "chmod 600 tenants/cy.env" in cy
        assert cy.endswith("\n`.venv/bin/ynab-pipeline tenants list` tells more.")
        assert dan.startswith("tap-ynab, demo: sync of dan failed\n")
        write(beside.folder, "cy", content("cy"))
        beside.run("run", "sync", "--tenants", does=SYNCS.replace("bob", "cy"))
        assert len(receiver.messages) == 2, "it works again, but it has failed"
        beside.run("run", "sync", "--tenants", does=SYNCS)
        again = "tap-ynab, demo: works again\nsync of cy succeeded.\nStill: sync of dan failed: "
        assert receiver.messages[2].startswith(again)


def test_a_tenant_that_is_removed_is_no_news(beside: Beside) -> None:
    with receive() as receiver:
        (beside.folder / ".env").write_text(f"YNAB_PIPELINE_NOTIFY={receiver.notify('owner')}\n")
        for name in ("cy", "dan"):
            write(beside.folder, name, content(name), 0o644)
            beside.run("run", "sync", "--tenants", does=SYNCS)
        (beside.folder / "tenants/dan.env").unlink()
        beside.run("run", "sync", "--tenants", does=SYNCS)
        assert len(receiver.messages) == 2
        write(beside.folder, "cy", content("cy"))
        beside.run("run", "sync", "--tenants", does=SYNCS)
        _, _, again = receiver.messages
        assert again.splitlines()[1:-1] == ["sync of cy succeeded."]


def test_a_run_that_cannot_tell_of_itself(beside: Beside) -> None:
    """It has ended before it could, as if the tenant's folder cannot be made."""
    program = beside.folder / "bin/ynab-pipeline"
    script = program.read_text()
    ends = "import sys\nif 'ada' in sys.argv[1]: sys.exit('ynab-pipeline: Not a directory: ada')"
    program.write_text(script.replace("\n", f"\n{ends}\n", 1))
    with receive() as receiver:
        (beside.folder / ".env").write_text(f"YNAB_PIPELINE_NOTIFY={receiver.notify('owner')}\n")
        for _ in range(2):
            assert beside.run("run", "sync", "--tenants", does=SYNCS).returncode == 1
        (told,) = receiver.messages
        assert told.startswith("tap-ynab, demo: sync of ada failed\nNot a directory: ada\n")
        program.write_text(script)
        beside.run("run", "sync", "--tenants", does=SYNCS)
        assert receiver.messages[1].splitlines()[1] == "sync of ada succeeded."


def test_one_that_cannot_be_started_stops_no_other(beside: Beside) -> None:
    program = beside.folder / "bin/ynab-pipeline"
    gone = f"{NAME}if name == 'ada': os.unlink({str(program)!r})"
    done = beside.run("run", "sync", "--tenants", does=gone)
    assert done.returncode == 1
    table = rows(done.stdout)
    assert table["ada"][0] == "succeeded"
    for name in ("bob", "cy", "dan"):
        assert " ".join(table[name]) == f"failed No such file or directory: {program}"
        assert f"{name} failed: No such file or directory: {program}" in done.stderr


def test_a_message_that_nobody_takes_is_said(
    installed: Callable[[str], str], tmp_path: Path
) -> None:
    """In the output of all, since nobody reads that of one tenant's run."""
    installed(MELTANO)
    beside = Beside(tmp_path, python=PYTHON)
    for name in ("ada", "bob"):
        url = f"YNAB_PIPELINE_NOTIFY=json://127.0.0.1:1/{TOKEN}\n"
        write(beside.folder, name, content(name) + url)
    done = beside.run("run", "sync", "--tenants", does=SYNCS)
    (line,) = [line for line in done.stderr.splitlines() if "notification" in line]
    assert line == (
        "bob: URL 1 of YNAB_PIPELINE_NOTIFY (json://) got no notification: "
        "the service did not take it"
    )


@needs_full
@pytest.mark.parametrize("full", ["stdout", "stderr"])
def test_a_full_disk_for_what_it_says(beside: Beside, full: str) -> None:
    """All tenants are run, and the exit code is theirs."""
    with receive() as receiver, FULL.open("w") as nowhere:
        (beside.folder / ".env").write_text(f"YNAB_PIPELINE_PING={receiver.url('all')}\n")
        done = subprocess.run(
            beside.command("run", "sync", "--tenants"),
            env=beside.environment(SYNCS),
            cwd=beside.folder,
            stdout=nowhere if full == "stdout" else subprocess.DEVNULL,
            stderr=nowhere if full == "stderr" else subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        assert len(beside.started) == 4
        assert receiver.pings == ["/all/fail"]


def test_at_the_same_time_until_a_signal(beside: Beside) -> None:
    os.mkfifo(beside.folder / "running")
    for name in ("ada", "bob", "cy", "dan"):
        os.mkfifo(beside.folder / f"go-{name}")

    with (
        beside.begin("run", "sync", "--tenants", "--parallel", "2", does=STAYS) as process,
        # For both directions, so that it stays open.
        (beside.folder / "running").open("r+b", buffering=0) as running,
    ):
        assert {running.readline(), running.readline()} == {b"ada\n", b"bob\n"}
        (beside.folder / "go-ada").write_text("")
        assert running.readline() == b"cy\n"
        assert len(beside.started) == 3
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    table = rows(stdout)
    assert table["ada"][0] == "succeeded"
    assert table["bob"][0] == table["cy"][0] == "stopped"
    assert table["dan"] == ["not", "run"]
    assert "ada succeeded" in stderr.splitlines()
    assert len(beside.started) == 3


def test_what_is_in_the_environment_is_not_for_tenants(beside: Beside) -> None:
    does = f"{NAME}open(f'{{name}}.txt', 'w').write(' '.join(os.environ))"
    settings = {
        "YNAB_PERSONAL_ACCESS_TOKEN": TOKEN,
        "TAP_YNAB_ACCESS_TOKEN": TOKEN,
        "TAP_YNAB_BUDGET_IDS": "1",
        "TARGET_POSTGRES_USER": "postgres",
        "TARGET_POSTGRES_PASSWORD": "secret",
        "PROJECT_POSTGRES": "somewhere",
        "YNAB_SANDBOX": "somewhere",
        "YNAB_PIPELINE_NOTIFY": "json://localhost",
        "YNAB_PIPELINE_PING": "https://example.org",
        "MELTANO_ENVIRONMENT": "prod",
        "MELTANO_DATABASE_URI": "sqlite://",
        "PGPASSWORD": "secret",
    }
    others = {"TAP_YNAB__SELECT_FILTER": '["payees"]', "YNAB_PIPELINE_FAST_LOADER": "true"}
    done = beside.run("run", "sync", "--tenants", "--parallel=4", does=does, **settings, **others)
    assert done.returncode == 0, done.stdout
    for name in ("ada", "bob", "cy", "dan"):
        found = set((beside.folder / f"{name}.txt").read_text().split())
        assert found & (settings.keys() | others.keys()) == others.keys()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tenants", "--parallel", "0"], "--parallel is 0: 1 or more is expected"),
        (["--parallel", "2"], "--parallel is for --tenants"),
        (["--tenants", "--environment=prod"], "a tenant's file names its environment"),
        (["--tenants", "--env-file=tenants/ada.env"], "a tenant's file names its environment"),
    ],
)
def test_wrong_usage(beside: Beside, arguments: list[str], words: str) -> None:
    done = beside.run("run", "sync", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert beside.started == []


def test_a_run_that_does_not_end_is_killed(beside: Beside) -> None:
    os.mkfifo(beside.folder / "running")
    beside.add_deaf("ynab-pipeline")
    main = f"from ynab_pipeline.tenants import runs; runs._STOP_LIMIT = 0.5\n{MAIN}"
    with beside.begin("run", "sync", "--tenants", main=main) as process:
        deaf = int((beside.folder / "running").read_text())
        process.terminate()
        stdout, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    table = rows(stdout)
    assert " ".join(table["ada"]).endswith(" killed by SIGKILL")
    assert table["bob"] == ["not", "run"]
    assert not pid_exists(deaf)


def test_a_run_that_something_else_kills_has_failed(beside: Beside) -> None:
    for name in ("bob", "cy", "dan"):
        (beside.folder / f"tenants/{name}.env").unlink()
    os.mkfifo(beside.folder / "running")
    beside.add_deaf("ynab-pipeline")
    with beside.begin("run", "sync", "--tenants") as process:
        os.kill(int((beside.folder / "running").read_text()), signal.SIGKILL)
        stdout, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    table = rows(stdout)
    assert table["ada"][0] == "failed"
    assert " ".join(table["ada"]).endswith(" killed by SIGKILL")
    assert stdout.splitlines()[-1].startswith("sync for 1 tenant: 1 failed, ")
