"""What `meltano run` prints: few lines, each for a person; the rest is in a file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.full import FULL, needs_full
from tests.support.meltano_project import MELTANO, Project, project_of
from tests.support.rows import BUDGET_STREAMS
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox

SUMMARY = r"Synced 2 budgets: [\d,]+ rows, \d+ requests, \d+\.\d s"


@pytest.fixture
def account() -> Sandbox:
    return small_sandbox()


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path, account: Sandbox) -> Iterator[Project]:
    """A project with an account of its own, nothing loaded."""
    installed(MELTANO)
    with project_of(account, tmp_path) as project:
        yield project


def printed(project: Project, *arguments: str, code: int = 0, **environment: str) -> list[str]:
    """Messages that a command prints, without time, level and program."""
    finished = project.run(*arguments, **environment)
    assert finished.returncode == code, finished.stderr
    return [re.sub(r"^\S+Z \[\w+ *\] \S+ +", "", line) for line in finished.stderr.splitlines()]


def test_a_first_load_an_idle_run_and_one_that_fails(project: Project, account: Sandbox) -> None:
    first = printed(project, "run", "tap-ynab", "target-postgres")
    assert len(first) <= 25
    # Nothing is requested before the database is checked.
    assert first[0].startswith("database: ynab at 127.0.0.1:")
    assert first[1].startswith("Account at http://127.0.0.1:")
    for stream in BUDGET_STREAMS:
        for budget in account.budgets:
            assert [line for line in first if line.startswith(f"{stream} of {budget.name}: ")]
    assert re.fullmatch(SUMMARY, first[-1])

    idle = printed(project, "run", "tap-ynab", "target-postgres")
    assert len(idle) == 3
    assert re.fullmatch(SUMMARY, idle[-1])

    log = project.folder / "logs/meltano.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700
    assert "Incremental state has been updated" in log.read_text()
    assert "Reader 'target-postgres' completed processing" in log.read_text()
    # Meltano's own copy is in the project too.
    assert not (project.folder / ".local").exists()

    debug = printed(project, "--log-level=debug", "run", "tap-ynab", "target-postgres")
    assert "Run completed" in "\n".join(debug)
    assert len(debug) > 100

    project.database(".data/postgres").execute(
        "alter table ynab.payees add check (name <> 'Edited')"
    )
    budget = account.budgets[0]
    budget.edit("payees", budget.entities("payees")[0]["id"], name="Edited")
    failed = printed(project, "run", "tap-ynab", "target-postgres", code=1)
    assert "Edited" not in "\n".join(failed)
    errors = [line for line in failed if "payees_name_check" in line]
    assert len(errors) == 1
    assert not [line for line in failed if "completed" in line or "Synced" in line]

    account.set_token(account.token, "401")
    refused = printed(project, "run", "tap-ynab", "target-postgres", code=1)
    assert "does not accept the token" in "\n".join(refused)
    assert len(refused) <= 12


@needs_full
def test_a_log_that_takes_no_more(project: Project) -> None:
    (project.folder / "logs").mkdir()
    log = project.folder / "logs/meltano.log"
    log.symlink_to(FULL)
    lines = printed(project, "run", "sync")
    assert re.fullmatch(SUMMARY, lines[-1])
    said = f"ynab-pipeline: {log} takes no more lines: No space left on device"
    assert lines.count(said) == 1
    assert not [line for line in lines if "Traceback" in line or "Logging error" in line]


def test_json_by_a_setting(project: Project) -> None:
    finished = project.run("run", "sync", MELTANO_CLI_LOG_FORMAT="json")
    lines = [json.loads(line) for line in finished.stderr.splitlines()]
    assert re.fullmatch(SUMMARY, lines[-1]["event"])
