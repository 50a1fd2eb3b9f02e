"""Dagster is killed while a run is under way, as by a power cut, and started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dagster import DAGSTER, kill, let_hours_pass, prepare, running
from tests.support.meltano_project import MELTANO, project_of
from tests.support.receiver import receive
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_run_of_a_killed_dagster_fails_and_the_account_runs_again(
    installed: Callable[[str], str], tmp_path: Path
) -> None:
    for program in (MELTANO, DAGSTER):
        installed(program)
    account = small_sandbox()
    with receive() as receiver, project_of(account, tmp_path) as project:
        with (tmp_path / ".env").open("a") as file:
            file.write(f"YNAB_PIPELINE_NOTIFY='{receiver.notify('messages')}'\n")
        prepare(project)
        account.fail("stall", path="/plans", times=3)
        with running(project) as dagster:
            stopped = dagster.launch("sync", ".env")
            dagster.await_line(stopped, "database: ynab")
        with running(project) as dagster:
            assert dagster.status(stopped) == "FAILURE"
            assert dagster.alert(stopped) == "no message, since Dagster was stopped"
            lost = dagster.launch("sync", ".env")
            dagster.await_line(lost, "database: ynab")
            waiting = dagster.launch("sync", ".env")
            kill(project)
        account.clear_faults()
        let_hours_pass(project, lost)
        with running(project) as dagster:
            assert dagster.ended(lost) == "FAILURE"
            assert dagster.ended(waiting) == "SUCCESS"
            assert dagster.alert(lost) == "a message was sent"
        (message,) = receiver.messages
        assert message.startswith("tap-ynab, .env: sync failed\nDagster ended the run.")
