"""`backup` and `restore`: tables and bookmarks of one moment, whatever happens on the way."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from project_postgres.programs import program
from ynab_pipeline import archive

from tests.support import old_postgres
from tests.support.meltano_project import MELTANO, Project, project_of, wait_for
from tests.support.small import small_sandbox
from tests.support.tenants import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Database

TOKEN = "Qb8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7B"  # noqa: S105 opens nothing
STATE = "local:tap-ynab-to-target-postgres"
FOLDER = ".data/postgres"
VIEWS = """
create schema if not exists budget;
create or replace view budget.names as select id, name from ynab.payees;
comment on view budget.names is 'Names of payees';
"""


class Loaded(NamedTuple):
    """A project with an account that is loaded, and a backup of it."""

    project: Project
    account: Sandbox
    file: str

    @property
    def database(self) -> Database:
        return self.project.database(FOLDER)

    def bookmarks(self) -> dict[str, Any]:
        """Meltano's states, by their ids."""
        with sqlite3.connect(self.project.folder / ".meltano/meltano.db") as meltano:
            found = dict(meltano.execute("select state_id, completed_state from state"))
        meltano.close()
        return {state_id: json.loads(state) for state_id, state in found.items()}

    def contents(self) -> dict[str, list[dict[str, object]]]:
        """All rows of all tables."""
        tables = self.database.query(
            "select table_name from information_schema.tables where table_schema = 'ynab'"
        )
        return {
            name: sorted(self.database.query(f"select * from ynab.{name}"), key=str)  # noqa: S608
            for name in (row["table_name"] for row in tables)
        }


def good(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command has printed, which must succeed."""
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of a command that has failed."""
    assert done.returncode == 1, done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith("ynab-pipeline: ")
    return line


def change_account(account: Sandbox) -> None:
    """Add, edit and delete something."""
    budget = account.budgets[0]
    edited, deleted = budget.entities("payees")[0]["id"], budget.entities("transactions")[-1]["id"]
    budget.edit("payees", edited, name="Edited after the backup")
    budget.delete("transactions", deleted)
    budget.add("payees", name="New after the backup")


@pytest.fixture
def loaded(installed: Callable[[str], str], tmp_path: Path) -> Iterator[Loaded]:
    """With views, and changes that came after the backup."""
    installed(MELTANO)
    account = small_sandbox()
    account.set_token(TOKEN)
    with project_of(account, tmp_path, TOKEN) as project:
        good(project.run("run", "sync"))
        project.database(FOLDER).execute(VIEWS)
        yield Loaded(project, account, str(tmp_path / "ynab.backup"))


def unpacked(file: Path) -> str:
    """All that a backup says, as the usual programs show it."""
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["database.dump", "backup.json"]
        script = subprocess.run(
            [program("pg_restore"), "--file=-"],
            input=archive.read("database.dump"),
            capture_output=True,
            check=True,
        )
        return archive.read("backup.json").decode() + script.stdout.decode()


def backup(loaded: Loaded) -> str:
    return good(loaded.project.execute(COMMAND, "backup", loaded.file))


def restore(loaded: Loaded, *arguments: str) -> subprocess.CompletedProcess[str]:
    return loaded.project.execute(COMMAND, "restore", *arguments, loaded.file)


def verified(project: Project, **environment: str) -> str:
    """Sync once, and compare all rows with the account; return the log of the sync."""
    synced = project.run("run", "sync", **environment)
    good(synced)
    good(project.execute(COMMAND, "verify", **environment))
    return synced.stderr


def test_an_old_backup_and_the_sync_after_it_equal_the_account(loaded: Loaded) -> None:
    loaded.project.server(FOLDER).reader("ada", ["ynab"])
    said = backup(loaded)
    assert said.startswith(f"{loaded.file}: ")
    assert said.rstrip().endswith(", schemas ynab and budget, with their bookmarks")
    before, bookmarks = loaded.contents(), loaded.bookmarks()
    assert Path(loaded.file).stat().st_mode & 0o777 == 0o600
    assert TOKEN not in unpacked(Path(loaded.file))

    change_account(loaded.account)
    good(loaded.project.run("run", "sync"))
    loaded.database.execute(
        "create table budget.later (a int); create function ynab.f() "
        "returns int language sql return 1"
    )
    assert loaded.bookmarks() != bookmarks

    line = refused(restore(loaded))
    assert line.endswith("add --replace")
    assert loaded.bookmarks() != bookmarks

    said = good(restore(loaded, "--replace"))
    assert said.startswith("Restored as of 20")
    assert loaded.contents() == before
    assert loaded.bookmarks() == bookmarks
    views = "select obj_description('budget.names'::regclass), to_regclass('budget.later') is null"
    assert [*loaded.database.query(views)[0].values()] == ["Names of payees", True]
    with psycopg.connect(loaded.project.server(FOLDER).reader("ada")) as reader:
        assert reader.execute("select 1 from ynab.payees").fetchone()

    log = verified(loaded.project)
    assert "payees of Our Household: 2 rows, server_knowledge 1000 -> " in log
    names = {row["name"] for row in loaded.database.query("select name from budget.names")}
    assert {"Edited after the backup", "New after the backup"} <= names


@contextmanager
def started(loaded: Loaded, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command, begun."""
    with subprocess.Popen(
        [COMMAND, *arguments],
        env=loaded.project.variables(),
        cwd=loaded.project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        yield process


def wait_until(database: Database, condition: str, *, is_there: bool = True) -> None:
    """Wait until the server has a session of this kind, or none."""
    query = f"select from pg_stat_activity where {condition}"
    while bool(database.query(query)) != is_there:
        pass


def test_a_restore_that_is_killed(loaded: Loaded) -> None:
    backup(loaded)
    saved = loaded.contents(), loaded.bookmarks()
    change_account(loaded.account)
    good(loaded.project.run("run", "sync"))
    before = loaded.contents()
    with psycopg.connect(loaded.database.url) as reading:
        reading.execute("lock table ynab.transactions in access share mode")
        with started(loaded, "restore", "--replace", loaded.file) as running:
            wait_until(loaded.database, "wait_event_type = 'Lock' and application_name = 'psql'")
            running.kill()
    wait_until(loaded.database, "application_name = 'psql'", is_there=False)
    assert loaded.contents() == before
    assert loaded.bookmarks() == {}, "the next sync would not load everything"

    good(restore(loaded, "--replace"))
    assert (loaded.contents(), loaded.bookmarks()) == saved


@contextmanager
def turn(loaded: Loaded) -> Iterator[None]:
    """Keep the turn of the tap, as another run would."""
    [path] = loaded.project.folder.glob(".meltano/turns/*-tap.lock")
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_a_run_under_way_ends_before_its_bookmarks_are_saved_or_replaced(loaded: Loaded) -> None:
    """A run that has read its bookmarks would else write newer ones over those of the backup."""
    for arguments in (["backup", loaded.file], ["restore", "--replace", loaded.file]):
        change_account(loaded.account)
        with ExitStack() as stack:
            with turn(loaded):
                run = stack.enter_context(loaded.project.start("run", "sync"))
                wait_for(run, "account: another run reads it")
                command = stack.enter_context(started(loaded, *arguments))
                assert command.stdout
                waiting = "A sync is running, waiting for it to end ...\n"
                assert command.stdout.readline() == waiting
            said, log = command.communicate()[0], run.communicate()[1]
            assert (run.returncode, command.returncode) == (0, 0), said + log
        if arguments[0] == "backup":
            before = zipfile.ZipFile(loaded.file).read("backup.json")
    assert {STATE: loaded.bookmarks()[STATE]["singer_state"]} == {
        f"local:{name}": state["singer_state"]
        for name, state in json.loads(before)["states"].items()
    }


def unreadable(loaded: Loaded) -> str:
    """A backup with a dump that pg_restore refuses."""
    path = Path(f"{loaded.file}-unreadable")
    content = json.loads(zipfile.ZipFile(loaded.file).read("backup.json"))
    with archive.writing(path, content) as dump:
        dump.write(b"PGDMP" * 100)
    return str(path)


def test_to_another_machine_with_another_major_version_and_back(
    loaded: Loaded, tmp_path: Path, installed: Callable[[str], str]
) -> None:
    installed(MELTANO)
    backup(loaded)
    before = loaded.contents()
    with old_postgres.serving(tmp_path) as number:
        prod = {
            "MELTANO_ENVIRONMENT": "prod",
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": str(number),
            "TARGET_POSTGRES_USER": "ada",
            "TARGET_POSTGRES_PASSWORD": old_postgres.PASSWORD,
            "TARGET_POSTGRES_DATABASE": "money",
        }
        line = refused(loaded.project.execute(COMMAND, "restore", unreadable(loaded), **prod))
        assert "nothing was restored, and all is as before: unsupported version" in line
        moved = loaded.project.execute(COMMAND, "restore", loaded.file, **prod)
        assert "--environment=prod run sync" in good(moved)
        change_account(loaded.account)
        assert "payees of Our Household: 2 rows, server_knowledge 1000 -> " in verified(
            loaded.project, **prod
        )
        older = f"{loaded.file}-{old_postgres.VERSION}"
        good(loaded.project.execute(COMMAND, "backup", older, **prod))
    good(loaded.project.execute(COMMAND, "restore", "--replace", older))
    assert loaded.contents() != before
    change_account(loaded.account)
    verified(loaded.project)


def test_what_would_be_lost_or_does_not_fit_is_refused(loaded: Loaded) -> None:
    loaded.database.execute(
        "create function public.f(text) returns text language sql return $1;"
        "create view budget.more as select public.f(name) from ynab.payees"
    )
    backup(loaded)
    before, bookmarks = loaded.contents(), loaded.bookmarks()
    assert "exists already: choose another name" in refused(
        loaded.project.execute(COMMAND, "backup", loaded.file)
    )
    loaded.database.execute("create view public.mine as select * from ynab.payees")
    assert "mine would be dropped along with the tables" in refused(restore(loaded, "--replace"))
    loaded.database.execute("drop view public.mine; drop function public.f cascade")
    line = refused(restore(loaded, "--replace"))
    assert "nothing was restored, and all is as before: function public.f(text) does not" in line
    assert (loaded.contents(), loaded.bookmarks()) == (before, bookmarks)
    for variables, words in (
        ({"MELTANO_RUN_STATE_ID_SUFFIX": "bob"}, "loads an account with the suffix bob: choose"),
        (
            {"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "bob", "YNAB_BUDGET_SCHEMA": "bob_budget"},
            "set TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=ynab for the restore",
        ),
    ):
        done = loaded.project.execute(COMMAND, "restore", loaded.file, **variables)
        assert words in refused(done)
    done = loaded.project.execute(
        COMMAND, "backup", f"{loaded.file}2", TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="bob"
    )
    assert "there is nothing to back up" in refused(done)
    assert not Path(f"{loaded.file}2").exists()


def edit(content: bytes, number: int) -> bytes:
    """Another byte in the middle of a backup that has the same length."""
    return content[:number] + bytes([content[number] ^ 1]) + content[number + 1 :]


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """A backup's file."""
    path = tmp_path / "whole"
    with archive.writing(path, {"tables": "ynab"}) as dump:
        dump.write(b"PGDMP" * 100)
    return path.read_bytes()


@pytest.mark.parametrize("damage", ["cut", "half", "dump", "bookmarks", "none", "other"])
def test_a_file_that_is_damaged_or_no_backup(tmp_path: Path, whole: bytes, damage: str) -> None:
    file = tmp_path / "file"
    contents = {
        "cut": whole[:-1],
        "half": whole[: len(whole) // 2],
        "dump": edit(whole, 200),
        "bookmarks": edit(whole, whole.index(b"ynab")),
        "none": b"",
        "other": b"create table a (b int);\n",
    }
    file.write_bytes(contents[damage])
    line = f"{file} is damaged, or no backup that ynab-pipeline has made: nothing was changed"
    assert refused(run_restore(file)) == f"ynab-pipeline: {line}"


def test_a_zip_file_of_something_else_and_a_newer_backup(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with zipfile.ZipFile(file, "w") as other:
        other.writestr("photo.jpg", "x")
    assert "is damaged, or no backup" in refused(run_restore(file))
    with zipfile.ZipFile(file, "w") as newer:
        newer.writestr("database.dump", "x")
        newer.writestr("backup.json", json.dumps({"format": 2}))
    assert "was made by a newer version: update this project" in refused(run_restore(file))
    assert "No such file" in refused(run_restore(tmp_path / "none"))


def run_restore(file: Path) -> subprocess.CompletedProcess[str]:
    """The command, which does not come as far as Meltano."""
    return subprocess.run(
        [Path(sys.executable).with_name("ynab-pipeline"), "restore", "--replace", file],
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "ynab.backup"
    path.with_name("ynab.backup.part").write_text("of one that was killed")
    with suppress(BrokenPipeError), archive.writing(path, {}) as dump:
        dump.write(b"half")
        raise BrokenPipeError
    assert list(tmp_path.iterdir()) == []
