"""Tables that are gone behind the bookmarks, and a loader whose check fails, under Meltano."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.meltano_project import MELTANO, Project, project_of, wait_for
from tests.support.rows import STREAMS, assert_equal
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Database

TOKEN = "Wq3xT7pLm2KcVbN8sFhD5uGaEi0oYzXr4RkQx1Zq-Jb"  # noqa: S105 opens nothing
SERVER = ".data/postgres"
#: A loader of another kind, in a project's meltano.yml.
OTHER_LOADER = """
  - name: target-file
    namespace: target_file
    executable: ./target-file
"""


@pytest.fixture
def account() -> Sandbox:
    account = small_sandbox()
    account.set_token(TOKEN)
    return account


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path, account: Sandbox) -> Iterator[Project]:
    """A project with an account of its own, the environment local, and nothing loaded."""
    installed(MELTANO)
    with project_of(account, tmp_path, TOKEN) as project:
        yield project


def synced(project: Project) -> str:
    """The log of a run that succeeds."""
    finished = project.run("run", "sync")
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stderr


def execute(project: Project, *statements: str, database: str = "ynab") -> None:
    server = project.server(SERVER)
    server.database = database
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_tables_that_are_gone_are_loaded_in_full(project: Project, account: Sandbox) -> None:
    assert "in full" not in synced(project)
    tables = ", ".join(f"ynab.{stream}" for stream in STREAMS)
    for line, database, statements in (
        (
            "schema ynab has no table payees, transactions any more: their rows are",
            "ynab",
            ["drop table ynab.payees, ynab.transactions"],
        ),
        (
            "schema ynab has none of the tables of the last run: everything is",
            "ynab",
            ["drop schema ynab cascade"],
        ),
        ("all tables in schema ynab are empty: everything is", "ynab", [f"truncate {tables}"]),
        (
            "schema ynab has none of the tables of the last run: everything is",
            "postgres",
            ["drop database ynab with (force)"],
        ),
    ):
        account.budgets[0].add("transactions", amount=-1_000)
        execute(project, *statements, database=database)
        assert f"database: {line} read in full" in synced(project)
        assert_equal(project.database(SERVER), account)
    account.requests.clear()
    assert "in full" not in synced(project)
    assert len(account.requests) <= 1 + len(account.budgets)
    assert_equal(project.database(SERVER), account)


def test_a_run_in_full_that_is_killed_is_taken_up_again(project: Project, account: Sandbox) -> None:
    synced(project)
    execute(project, "drop table ynab.transactions")
    with project.start("--log-level=debug", "run", "sync") as run:
        wait_for(run, "no table transactions any more")
        # Nothing is loaded yet.
        wait_for(run, "Incremental state has been updated")
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)
    # As the loader might have made it by then. With the bookmark of old it would stay empty.
    execute(
        project,
        "create table if not exists ynab.transactions"
        " (id text primary key, _sdc_table_version bigint)",
    )
    synced(project)
    assert_equal(project.database(SERVER), account)


def test_nothing_is_requested_if_the_database_is_not_right(
    project: Project, account: Sandbox, database: Database
) -> None:
    url = database.url.replace("postgresql:", "postgresql+psycopg:")
    for settings, line in (
        ({}, "the database is not configured: set TARGET_POSTGRES_HOST, "),
        ({"TARGET_POSTGRES_SQLALCHEMY_URL": url}, None),
        (
            {"TARGET_POSTGRES_SQLALCHEMY_URL": url.replace("//postgres:", "//ada:")},
            'password authentication failed for user "ada": check TARGET_POSTGRES_USER and ',
        ),
    ):
        account.requests.clear()
        finished = project.run("--environment=prod", "run", "sync", **settings)
        if line is None:
            assert finished.returncode == 0, finished.stderr
            continue
        assert finished.returncode == 1
        assert not account.requests
        [told] = [told for told in finished.stderr.splitlines() if "ynab-pipeline-target" in told]
        assert line in told
        assert len(finished.stderr.splitlines()) <= 4


def test_a_loader_that_checks_nothing_is_not_waited_for(project: Project) -> None:
    config = project.folder / "meltano.yml"
    config.write_text(config.read_text().replace("  loaders:\n", f"  loaders:{OTHER_LOADER}"))
    loader = project.folder / "target-file"
    loader.write_text("#!/bin/sh\nexec cat >loaded.jsonl\n")
    loader.chmod(0o700)
    finished = project.run("run", "tap-ynab", "target-file")
    assert finished.returncode == 0, finished.stderr
    assert '"stream":"transactions"' in (project.folder / "loaded.jsonl").read_text()


def test_a_tap_that_is_invoked_alone_waits_for_no_loader(project: Project) -> None:
    finished = project.run("invoke", "tap-ynab")
    assert finished.returncode == 0, finished.stderr
    assert '"stream":"transactions"' in finished.stdout
