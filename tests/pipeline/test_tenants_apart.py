"""Ten tenants in one project: nothing of one is in a file, log or message of another."""

from __future__ import annotations

import json
import os
import stat
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from ynab_pipeline.tenants import role
from ynab_pipeline.tenants.role import Request

from tests.support.meltano_project import MELTANO
from tests.support.receiver import receive
from tests.support.tenants import (
    content,
    env_file,
    local_project,
    pipeline,
    served,
    set_values,
    tiny_account,
    values,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from psycopg import Connection

    from tests.support.meltano_project import Project
    from tests.support.receiver import Receiver

    Session = Connection[tuple[object, ...]]

NAMES = ("ada", "bob", "cy", "dan", "eve", "fay", "gus", "hal", "ivy", "jo")
#: Of these, a run fails: the token is refused, YNAB has an error of its own, the role can't log in.
REFUSED, BROKEN, ROLELESS = "bob", "eve", "hal"
FAILING = {REFUSED, BROKEN, ROLELESS}
#: Requests of a first run, and all that each may send in an hour.
REQUESTS = "6"
BUDGET_IDS: dict[str, str] = {}
SERVER = ".data/postgres"
#: Of PostgreSQL, which keeps everybody's rows.
DATA = f"{SERVER}/data"


def token(name: str) -> str:
    return f"token-of-{name}-kt8ZqJb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7B"


def budget(name: str) -> str:
    return f"Budget-Kept-By-{name}"


def error(name: str) -> str:
    return f"trouble-that-only-{name}-has"


def add(project: Project, name: str) -> None:
    """A tenant as `tenants add` makes it."""
    request = Request(name, f"ynab_{name}", (f"ynab_{name}", f"budget_{name}"), f"password-{name}")
    with psycopg.connect(project.server(SERVER).url) as session:
        role.make(session, request)
    own = {
        "YNAB_PERSONAL_ACCESS_TOKEN": token(name),
        "TARGET_POSTGRES_PASSWORD": f"password-{name}",
        "TAP_YNAB_MAX_RETRY_TIME": "1",
        "TAP_YNAB_REQUESTS_PER_HOUR": REQUESTS,
        "TAP_YNAB_WAIT_FOR_LIMIT": "false",
    }
    write(project.folder, name, content(name, **own))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receive() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def project(
    installed: Callable[[str], str],
    postgresql: object,  # noqa: ARG001 -- marks the tests
    tmp_path_factory: pytest.TempPathFactory,
    receiver: Receiver,
) -> Iterator[Project]:
    """Ten tenants, and a `.env` with another account, each with a URL of its own for messages."""
    installed(MELTANO)
    folder = tmp_path_factory.mktemp("project")
    with (
        local_project(folder) as project,
        ExitStack() as stack,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PROJECT_POSTGRES", str(folder / SERVER))
        for name in NAMES:
            add(project, name)
            set_values(project, name, YNAB_PIPELINE_NOTIFY=receiver.notify(name))
            account = tiny_account(budget(name), token(name))
            stack.enter_context(served(account, project, name))
            BUDGET_IDS[name] = account.budgets[0].id
            if name == REFUSED:
                account.set_token(token(name), "401")
            if name == BROKEN:
                account.fail(500, detail=error(name), times=1_000)
        project.write_env(
            YNAB_PERSONAL_ACCESS_TOKEN=token("nobody"),
            MELTANO_ENVIRONMENT="local",
            YNAB_PIPELINE_NOTIFY=receiver.notify("nobody"),
        )
        with psycopg.connect(project.server(SERVER).url) as session:
            session.execute(f"alter role ynab_{ROLELESS} nologin".encode())
        yield project


def secrets_of(project: Project, name: str) -> dict[str, bytes]:
    """What belongs to a tenant alone."""
    own = values(project, name)
    texts = {
        "token": token(name),
        "password": own["TARGET_POSTGRES_PASSWORD"],
        "budget": budget(name),
        "id of the budget": BUDGET_IDS[name],
        "error": error(name),
        "address": own["TAP_YNAB_API_URL"],
        "URL for messages": own["YNAB_PIPELINE_NOTIFY"],
    }
    return {what: text.encode() for what, text in texts.items()}


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files, by their path in the project, without PostgreSQL's data and what is installed."""
    for parent, folders, names in os.walk(folder):
        kept = [name for name in folders if not (folder / parent / name).is_symlink()]
        folders[:] = [each for each in kept if os.path.relpath(f"{parent}/{each}", folder) != DATA]
        for name in names:
            path = folder / parent / name
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(folder)), path


def is_own(path: str, name: str) -> bool:
    return path == f"tenants/{name}.env" or path.startswith(
        (f".meltano/tenants/{name}/", f"logs/{name}/")
    )


def login(project: Project, name: str) -> Session:
    own = values(project, name)
    return psycopg.connect(
        project.server(SERVER).url,
        user=own["TARGET_POSTGRES_USER"],
        password=own["TARGET_POSTGRES_PASSWORD"],
        autocommit=True,
    )


@pytest.mark.slow
def test_ten_tenants(project: Project, receiver: Receiver) -> None:
    done = pipeline(project, "run", "sync", "--tenants", "--parallel", "2")
    assert done.returncode == 1
    table = {words[0]: words[1:] for words in map(str.split, done.stdout.splitlines())}
    states = {name: table[name][0] for name in NAMES}
    assert states == {name: "failed" if name in FAILING else "succeeded" for name in NAMES}
    assert "sync for 10 tenants: 3 failed, 7 succeeded, " in done.stdout

    found = dict(files(project.folder))
    for name in NAMES:
        belongs = secrets_of(project, name)
        assert any(is_own(path, name) and "meltano.db" in path for path in found)
        for path, file in found.items():
            if is_own(path, name):
                assert not file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
                continue
            text = file.read_bytes()
            assert not [what for what, secret in belongs.items() if secret in text], path
        for line in (done.stdout + done.stderr).splitlines():
            hidden = ("token", "password")
            assert not [what for what in hidden if belongs[what].decode() in line]
            if line.split()[0] != name:
                assert not [what for what, secret in belongs.items() if secret.decode() in line]
    # It would find them.
    own_log = (project.folder / f"logs/{BROKEN}/meltano.log").read_bytes()
    assert error(BROKEN).encode() in own_log
    assert budget("ada").encode() in (project.folder / "logs/ada/meltano.log").read_bytes()

    see_messages(project, receiver)
    see_status(project)
    # Requests of others do not count; its own do.
    spent = pipeline(project, "--env-file=tenants/ada.env", "run", "sync")
    assert spent.returncode == 1
    assert f"YNAB's hourly limit: {REQUESTS} requests in the last hour" in spent.stderr

    with closing(login(project, "dan")) as other:
        other.execute("select name from ynab_dan.budgets")
        for name in ("ada", "cy"):
            with closing(login(project, name)) as session:
                see_that_it_is_confined(session, name, "dan")


def see_messages(project: Project, receiver: Receiver) -> None:
    """Each tenant that fails is told so, once."""
    messages = {path.strip("/"): json.dumps(body) for _, path, body in receiver.requests}
    assert len(receiver.requests) == len(messages)
    assert messages.keys() == FAILING
    for told, message in messages.items():
        assert "token-of-" not in message
        assert "password-" not in message
        for name in set(NAMES) - {told}:
            belongs = secrets_of(project, name)
            assert not [what for what, secret in belongs.items() if secret.decode() in message]
    # It would find them.
    assert error(BROKEN) in messages[BROKEN]


def see_status(project: Project) -> None:
    """Also of a tenant whose file breaks; the worst of all states is the exit code."""
    status = pipeline(project, "status", "--tenants")
    lines = {line.split()[0]: line for line in status.stdout.splitlines()}
    assert status.returncode == 2
    for name in NAMES:
        if name not in FAILING:
            assert lines[name].endswith(" fresh")
        elif name != ROLELESS:
            assert " failed: " in lines[name]
    assert " unknown: " in lines[ROLELESS]

    env_file(project, ROLELESS).rename(project.folder / "away")
    status = pipeline(project, "status", "--tenants", "--json")
    assert status.returncode == 1
    document = json.loads(status.stdout)
    assert document["state"] == "failed"
    tenants = document["tenants"]
    assert tenants.keys() == set(NAMES) - {ROLELESS}
    assert {name for name in tenants if tenants[name]["state"] == "failed"} == {REFUSED, BROKEN}
    assert [each["name"] for each in tenants["ada"]["budgets"]] == [budget("ada")]

    env_file(project, "ada").chmod(0o644)
    status = pipeline(project, "status", "--tenants")
    assert status.returncode == 2
    lines = {line.split()[0]: line for line in status.stdout.splitlines()}
    assert lines["ada"].split(maxsplit=1)[1] == (
        "unknown: tenants/ada.env holds a token and others can read it: chmod 600 tenants/ada.env"
    )
    assert lines["cy"].endswith(" fresh")
    env_file(project, "ada").chmod(0o600)
    (project.folder / "away").rename(env_file(project, ROLELESS))


def see_that_it_is_confined(session: Session, name: str, other: str) -> None:
    """A role reads what is its own and nothing of another tenant."""
    table = Identifier(f"ynab_{name}", "budgets")
    own = session.execute(SQL("select name from {}").format(table)).fetchall()
    assert own == [(budget(name),)]
    tables = session.execute(
        "select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where nspname = %s and relkind = 'r'",
        [f"ynab_{other}"],
    ).fetchall()
    assert len(tables) == 13
    forbidden = [
        *(f"select from ynab_{other}.{table}" for (table,) in tables),
        f"create table ynab_{other}.mine ()",
        f"create table budget_{other}.mine ()",
        f"comment on schema ynab_{other} is 'mine'",
        f"set role ynab_{other}",
        f"alter role ynab_{other} password 'mine'",
        "set role postgres",
        "create role mine",
        "create schema mine",
        "create database mine",
        "create table public.mine ()",
        "select lo_create(0)",
        "select pg_read_file('postgresql.conf')",
        "copy (select 1) to program 'true'",
        "select from pg_authid",
    ]
    for statement in forbidden:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement.encode())
    foreign = session.execute(
        "select from pg_stats where schemaname like any (array['ynab\\_%%', 'budget\\_%%']) "
        "and schemaname not in (%s, %s)",
        [f"ynab_{name}", f"budget_{name}"],
    )
    assert foreign.rowcount == 0
    queries = session.execute(
        "select query from pg_stat_activity where usename = %s", [f"ynab_{other}"]
    ).fetchall()
    assert queries == [("<insufficient privilege>",)]
    databases = session.execute(
        "select datname from pg_database where has_database_privilege(oid, 'CONNECT') "
        "and datallowconn"
    ).fetchall()
    assert databases == [("ynab",)]
