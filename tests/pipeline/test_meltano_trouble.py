"""Meltano killed in the middle, two runs at once, and what others on the machine can see."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from psutil import process_iter  # type: ignore[import-untyped]
from ynab_sandbox import Sandbox

from tests.support.meltano_project import (
    MELTANO,
    Project,
    project_of,
    stalled,
    wait_for,
    wait_for_stall,
)
from tests.support.rows import STREAMS, assert_equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "Qx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8Zq-Jb4n"  # noqa: S105 opens nothing
DATABASE = ".data/postgres"


@pytest.fixture
def account() -> Sandbox:
    sandbox = Sandbox(rate_limit=None, transactions=1_500)
    sandbox.set_token(TOKEN)
    return sandbox


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path, account: Sandbox) -> Iterator[Project]:
    """A project with an account of its own, the environment local, and nothing loaded."""
    installed(MELTANO)
    with project_of(account, tmp_path, TOKEN) as project:
        yield project


def rows_of(project: Project, schema: str) -> int:
    """The number of transactions in a schema."""
    sql = f"select count(*) as rows from {schema}.transactions"  # noqa: S608 a name of ours
    return int(project.database(DATABASE).query(sql)[0]["rows"])


@pytest.mark.parametrize(
    ("signal_number", "kill"),
    [(signal.SIGTERM, os.killpg), (signal.SIGKILL, os.killpg), (signal.SIGKILL, os.kill)],
    ids=["SIGTERM", "SIGKILL", "SIGKILL of Meltano alone"],
)
def test_meltano_killed_in_the_middle(
    project: Project, account: Sandbox, signal_number: int, kill: Callable[[int, int], None]
) -> None:
    for words in ("payees of ", "Inserting with SQL"):
        with project.start("--log-level=debug", "run", "sync") as run:
            wait_for(run, words)
            kill(run.pid, signal_number)
            run.communicate(timeout=60)
        assert run.returncode != 0
        account.budgets[0].add("transactions", amount=-1_000)
    # After SIGKILL nobody has told Meltano that the run is over.
    finished = project.run("run", "sync")
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert_equal(project.database(DATABASE), account)


def test_a_tap_that_has_lost_its_meltano_keeps_no_turn(project: Project, account: Sandbox) -> None:
    account.fail("stall", path="/money_movements")
    # As while it waits for the hourly limit.
    with project.start("run", "sync", TAP_YNAB_REQUEST_TIMEOUT="3600") as run:
        wait_for_stall(run, account)
        run.kill()
        run.communicate(timeout=60)
    account.clear_faults()  # it may have ended before its request stalled
    finished = project.run("run", "sync")
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert_equal(project.database(DATABASE), account)


def test_two_runs_at_once_take_turns(project: Project, account: Sandbox) -> None:
    assert project.run("run", "sync").returncode == 0
    account.fail("stall", path="/money_movements", times=20)
    with ExitStack() as stack:
        full = stack.enter_context(project.start("run", "reconcile", TAP_YNAB_REQUEST_TIMEOUT="5"))
        wait_for_stall(full, account)
        delta = stack.enter_context(project.start("run", "sync"))
        wait_for(delta, "another run reads it")
        account.clear_faults()
        logs = [run.communicate(timeout=120)[1] for run in (full, delta)]
    assert (full.returncode, delta.returncode) == (0, 0), logs
    assert_equal(project.database(DATABASE), account)


def test_a_second_run_of_the_same_job_waits_for_the_first(
    project: Project, account: Sandbox
) -> None:
    with ExitStack() as stack:
        with stalled(project, account, "run", "sync"):
            second = stack.enter_context(project.start("run", "sync"))
            wait_for(second, "another run reads it")
        # The first is killed: the second goes on at once.
        log = second.communicate(timeout=120)[1]
    assert second.returncode == 0, log
    assert_equal(project.database(DATABASE), account)


def test_tenants_do_not_wait_for_each_other(project: Project, account: Sandbox) -> None:
    env = (project.folder / ".env").read_text()
    for name in ("ada", "bob"):
        (project.folder / f"{name}.env").write_text(
            f"{env}MELTANO_RUN_STATE_ID_SUFFIX={name}\n"
            f"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA={name}\n"
        )
    with stalled(project, account, "--env-file=ada.env", "run", "sync"):
        bob = project.run("--env-file=bob.env", "run", "sync")
    assert bob.returncode == 0, bob.stderr
    assert "another run" not in bob.stderr
    assert rows_of(project, "bob") == sum(
        len(budget.entities("transactions")) for budget in account.budgets
    )
    states = project.run("--log-level=warning", "state", "list").stdout.split()
    assert "local:tap-ynab-to-target-postgres:bob" in states


def test_the_token_is_in_no_file_row_or_command_line_that_others_can_see(
    project: Project, account: Sandbox
) -> None:
    # Meltano logs each row at this level.
    account.remove_budget(account.budgets[0].id)
    account.fail("slow", path="/money_movements", pieces=3, pause=0.3)
    with project.start("--log-level=debug", "run", "sync") as run:
        # The log of all levels, while the tap is at work.
        assert run.stderr
        before = []
        for line in run.stderr:
            before.append(line)
            if "Beginning sync of 'money_movements'" in line:
                break
        commands = [" ".join(each.info["cmdline"] or ()) for each in process_iter(["cmdline"])]
        assert (project.folder / ".meltano").stat().st_mode & 0o777 == 0o700
        rest = run.stderr.read()
    assert run.returncode == 0
    assert not [command for command in commands if TOKEN in command]
    assert TOKEN not in "".join(before) + rest
    database = project.database(DATABASE)
    for stream in STREAMS:
        sql = f"select 1 from ynab.{stream} as row where row::text like %s"  # noqa: S608
        assert not database.query(sql, f"%{TOKEN}%")
    # What is left is in files of the owner's: .env, and folders that nobody else can enter.
    private = (".env", ".meltano", ".data")
    for path in project.folder.rglob("*"):
        if path.is_file() and path.relative_to(project.folder).parts[0] not in private:
            assert TOKEN.encode() not in path.read_bytes(), path
