"""`ynab-pipeline tenants` on a real server: what a tenant gets, and what is left of it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.meltano_project import MELTANO, Project, stalled
from tests.support.tenants import (
    COMMAND,
    TOKEN,
    env_file,
    local_project,
    pipeline,
    refused,
    served,
    tiny_account,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OTHER_TOKEN = "another-0KcP3sFhD9uGaEi2oTzXr7Bkt8Zq"  # noqa: S105 opens nothing
SERVER = ".data/postgres"
BOOKMARKS = "local:tap-ynab-to-target-postgres:ada"
FILES = (".meltano/tenants/{}", "logs/{}", "tenants/{}.env", "tenants/{}.draft")


@pytest.fixture(scope="module")
def project(
    installed: Callable[[str], str],
    postgresql: object,  # noqa: ARG001 -- marks the tests
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Project]:
    installed(MELTANO)
    with local_project(tmp_path_factory.mktemp("project")) as project:
        yield project


def add(project: Project, name: str, token: str = TOKEN) -> None:
    done = pipeline(project, "tenants", "add", name, stdin=f"{token}\n")
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    assert done.stderr == ""


def query(project: Project, statement: str, *given: str) -> list[tuple[object, ...]]:
    """The rows of a query, empty for another statement; by the superuser."""
    with psycopg.connect(project.server(SERVER).url) as connection:
        found = connection.execute(statement.encode(), given or None)
        return found.fetchall() if found.description else []


def connect(project: Project, own: dict[str, str]) -> psycopg.Connection[tuple[object, ...]]:
    """A connection by the role of a tenant, with the values of its file."""
    user, password = own["TARGET_POSTGRES_USER"], own["TARGET_POSTGRES_PASSWORD"]
    return psycopg.connect(project.server(SERVER).url, user=user, password=password)


def schemas(project: Project, name: str) -> set[object]:
    found = query(project, "select nspname from pg_namespace where nspname like %s", f"%\\_{name}")
    return {row[0] for row in found}


def left_of(project: Project, name: str) -> list[str]:
    """What there is of a tenant in files."""
    paths = (path.format(name) for path in FILES)
    return [path for path in paths if (project.folder / path).exists()]


@pytest.mark.slow
def test_the_life_of_a_tenant(project: Project) -> None:
    told = "json://ada:$HOME@127.0.0.1:1 json://127.0.0.1:2"
    project.write_env(MELTANO_ENVIRONMENT="local", YNAB_PIPELINE_NOTIFY=told)
    add(project, "ada")
    path = env_file(project, "ada")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    own = values(project, "ada")
    assert own.pop("TARGET_POSTGRES_PASSWORD")
    assert own == {
        "YNAB_PERSONAL_ACCESS_TOKEN": TOKEN,
        "MELTANO_ENVIRONMENT": "local",
        "MELTANO_RUN_STATE_ID_SUFFIX": "ada",
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "ynab_ada",
        "YNAB_BUDGET_SCHEMA": "budget_ada",
        "TARGET_POSTGRES_USER": "ynab_ada",
        "YNAB_PIPELINE_NOTIFY": told,
    }
    listed = pipeline(project, "tenants", "list")
    assert (listed.returncode, listed.stdout) == (
        0,
        "ada  local, schemas ynab_ada and budget_ada, role ynab_ada\n",
    )
    assert "there is a tenant ada already" in refused(pipeline(project, "tenants", "add", "ada"))

    # Neither the project's own settings nor those of the shell are for a tenant.
    project.write_env(
        MELTANO_ENVIRONMENT="local",
        YNAB_PERSONAL_ACCESS_TOKEN=OTHER_TOKEN,
        TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="elsewhere",
    )
    shell = {
        "YNAB_PERSONAL_ACCESS_TOKEN": OTHER_TOKEN,
        "TAP_YNAB_API_URL": "http://127.0.0.1:1/v1",
        "TARGET_POSTGRES_USER": "postgres",
        "MELTANO_ENVIRONMENT": "prod",
        "PGHOST": "192.0.2.1",
    }
    option = "--env-file=tenants/ada.env"
    with served(tiny_account("Ada's Money", TOKEN), project, "ada"):
        done = project.run(option, "run", "sync", **shell)
        assert done.returncode == 0, done.stderr[-3000:]
        see_to_backup(project, option)
    project.write_env(MELTANO_ENVIRONMENT="local")
    with connect(project, values(project, "ada")) as connection:
        names = connection.execute("select name from ynab_ada.budgets").fetchall()
    assert names == [("Ada's Money",)]
    owners = query(
        project, "select distinct tableowner from pg_tables where schemaname = 'ynab_ada'"
    )
    assert owners == [("ynab_ada",)]
    assert not (project.folder / ".meltano/run/tap-ynab").exists()
    assert "Synced 1 budget" in (project.folder / "logs/ada/meltano.log").read_text()

    who = pipeline(
        project, option, "psql", "-At", "-c", "select current_user, count(*) from budgets"
    )
    assert who.stdout == "ynab_ada|1\n"
    url = project.run(option, "invoke", "target-postgres:database", "url").stdout
    assert url.startswith("postgresql://ynab_ada:")
    reader = project.run(option, "invoke", "target-postgres:database", "reader", "adas")
    with psycopg.connect(reader.stdout.strip()) as connection:
        connection.execute("select from ynab_ada.payees")
    fresh = pipeline(project, option, "status")
    assert fresh.stdout.startswith("Environment local, schema ynab_ada: fresh\n")
    see_to_removal(project)


def see_to_removal(project: Project) -> None:
    # Its data is kept, and nobody gets at it by its role.
    login = values(project, "ada")
    done = pipeline(project, "tenants", "remove", "ada", "--keep-data")
    assert (done.returncode, done.stdout) == (0, "ada is removed, and its data is kept\n")
    assert query(project, "select name from ynab_ada.budgets") == [("Ada's Money",)]
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        connect(project, login)
    again = refused(pipeline(project, "tenants", "add", "ada", stdin=OTHER_TOKEN))
    assert "tenants remove ada --drop-data" in again
    assert left_of(project, "ada") == [".meltano/tenants/ada", "logs/ada"]

    done = pipeline(project, "tenants", "remove", "ada", "--drop-data")
    assert (done.returncode, done.stdout) == (0, "ada is removed, and its data is dropped\n")
    assert left_of(project, "ada") == []
    assert schemas(project, "ada") == set()
    assert query(project, "select from pg_roles where rolname = 'ynab_ada'") == []
    gone = refused(pipeline(project, "tenants", "remove", "ada", "--drop-data"))
    assert gone == "there is no tenant ada: no file tenants/ada.env"


def see_to_backup(project: Project, option: str) -> None:
    """By the role of the tenant, and of its own schemas alone."""
    file = str(project.folder / "ada.backup")
    saved = pipeline(project, option, "backup", file)
    assert saved.returncode == 0, saved.stderr
    (line,) = saved.stdout.splitlines()
    assert "schemas ynab_ada and budget_ada, with their bookmarks" in line
    bookmarks = project.run(option, "state", "get", BOOKMARKS).stdout
    pipeline(project, option, "psql", "-c", "delete from payees")
    wrong = pipeline(project, option, "verify")
    assert wrong.returncode == 1, wrong.stderr
    assert f".venv/bin/meltano {option} run sync\n" in wrong.stdout
    assert f".venv/bin/ynab-pipeline {option} verify --repair\n" in wrong.stdout
    assert pipeline(project, option, "restore", file).returncode == 1
    restored = pipeline(project, option, "restore", "--replace", file)
    assert restored.returncode == 0, restored.stderr
    command = f".venv/bin/meltano --environment=local {option} run sync"
    assert restored.stdout.endswith(f"To load what has changed since: {command}\n")
    assert project.run(option, "state", "get", BOOKMARKS).stdout == bookmarks
    assert "singer_state" in bookmarks
    right = pipeline(project, option, "verify")
    assert right.returncode == 0, right.stdout + right.stderr


def test_an_add_that_was_killed_is_repeated(project: Project) -> None:
    # Killed after the role was made and before the file was finished.
    add(project, "kim")
    password = values(project, "kim")["TARGET_POSTGRES_PASSWORD"]
    path = env_file(project, "kim")
    path.rename(path.with_suffix(".draft"))
    listed = pipeline(project, "tenants", "list")
    assert (listed.returncode, listed.stdout) == (1, "kim  is not finished: add it again\n")
    add(project, "kim", OTHER_TOKEN)
    assert values(project, "kim")["YNAB_PERSONAL_ACCESS_TOKEN"] == OTHER_TOKEN
    assert values(project, "kim")["TARGET_POSTGRES_PASSWORD"] == password
    connect(project, values(project, "kim")).close()

    # A run has not begun, so the role is no longer there, say: one line, and no row.
    query(project, "alter role ynab_kim rename to somebody")
    done = project.run("--env-file=tenants/kim.env", "run", "sync")
    assert done.returncode == 1
    assert "ynab-pipeline-target: database ynab at " in done.stderr
    assert (
        "the role ynab_kim is gone or has another password than tenants/kim.env says: "
        in done.stderr
    )
    query(project, "alter role somebody rename to ynab_kim")

    assert "--drop-data or --keep-data" in refused(pipeline(project, "tenants", "remove", "kim"))
    done = pipeline(project, "tenants", "remove", "kim", "--drop-data")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("create schema ynab_eve", "the schema ynab_eve exists already"),
        ("create schema budget_eve", "the schema budget_eve exists already"),
        ("create role ynab_eve", "the role ynab_eve exists already"),
    ],
)
def test_what_is_somebody_elses_stays(project: Project, statement: str, words: str) -> None:
    query(project, f"{statement}")
    try:
        assert words in refused(pipeline(project, "tenants", "add", "eve", stdin=TOKEN))
        assert left_of(project, "eve") == []
        removed = pipeline(project, "tenants", "remove", "eve", "--drop-data")
        assert "eve" in refused(removed)
    finally:
        query(project, f"{statement.replace('create', 'drop')}")


@pytest.mark.slow
def test_remove_waits_for_a_run(project: Project) -> None:
    add(project, "bob")
    account = tiny_account("Bob's Money", TOKEN)
    with served(account, project, "bob"):
        with stalled(project, account, "--env-file=tenants/bob.env", "run", "sync"):
            remove = subprocess.Popen(
                [COMMAND, "tenants", "remove", "bob", "--drop-data"],
                env=project.variables(),
                cwd=project.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            assert remove.stderr
            assert remove.stderr.readline() == "a command runs for bob, waiting for that to end\n"
            assert schemas(project, "bob") == {"ynab_bob", "budget_bob"}
        output, errors = remove.communicate(timeout=60)
    assert (remove.returncode, output, errors) == (
        0,
        "bob is removed, and its data is dropped\n",
        "",
    )
    assert left_of(project, "bob") == []
    assert schemas(project, "bob") == set()


def test_a_server_of_your_own(project: Project) -> None:
    """The user of .env needs CREATEROLE, and gets no right on the rows."""
    with psycopg.connect(project.server(SERVER).url, autocommit=True) as connection:
        connection.execute("create database own")
        connection.execute("create role boss login password 'secret'")
        connection.execute("grant all on database own to boss with grant option")
    with psycopg.connect(project.server(SERVER).url, dbname="own") as connection:
        connection.execute("create table open_to_all ()")
        connection.execute("grant select on open_to_all to public")
    port = str(project.server(SERVER).port)
    own = {
        "TARGET_POSTGRES_HOST": "127.0.0.1",
        "TARGET_POSTGRES_PORT": port,
        "TARGET_POSTGRES_DATABASE": "own",
    }
    shell = {
        "MELTANO_ENVIRONMENT": "prod",
        "TARGET_POSTGRES_USER": "boss",
        "TARGET_POSTGRES_PASSWORD": "secret",
        **own,
    }
    missing = refused(
        pipeline(project, "tenants", "add", "cy", stdin=TOKEN, MELTANO_ENVIRONMENT="prod")
    )
    assert "TARGET_POSTGRES_HOST" in missing
    line = refused(pipeline(project, "tenants", "add", "cy", stdin=TOKEN, **shell))
    assert line.startswith("boss may not create a role for the tenant: ALTER ROLE boss CREATEROLE")
    assert left_of(project, "cy") == []

    query(project, "alter role boss createrole")
    done = pipeline(project, "tenants", "add", "cy", stdin=TOKEN, **shell)
    assert done.returncode == 0, done.stderr
    assert "cy can read public.open_to_all, since everybody can" in done.stderr
    found = values(project, "cy")
    assert found["MELTANO_ENVIRONMENT"] == "prod"
    assert own.items() <= found.items()
    url = project.run(
        "--env-file=tenants/cy.env", "invoke", "target-postgres:database", "url"
    ).stdout
    with psycopg.connect(url.strip()) as connection:
        connection.execute("create table ynab_cy.amounts (amount bigint)")
    boss = psycopg.connect(project.server(SERVER).url, user="boss", password="secret", dbname="own")  # noqa: S106
    with boss, pytest.raises(psycopg.errors.InsufficientPrivilege):
        boss.execute("select from ynab_cy.amounts")

    other = {**shell, "TARGET_POSTGRES_DATABASE": "ynab"}
    line = refused(pipeline(project, "tenants", "remove", "cy", "--drop-data", **other))
    assert line.startswith("TARGET_POSTGRES_DATABASE of the tenant is own, and yours is ynab: ")
    done = pipeline(project, "tenants", "remove", "cy", "--drop-data", **shell)
    assert done.returncode == 0, done.stderr
    assert query(project, "select from pg_roles where rolname = 'ynab_cy'") == []


def test_a_login_in_the_query_of_a_url(project: Project) -> None:
    """There it would win over the tenant's own, and give your password away."""
    owner = conninfo_to_dict(project.server(SERVER).url)
    place = f"127.0.0.1:{owner['port']}/{owner['dbname']}"
    login = f"user={owner['user']}&password={owner['password']}&passfile=%2Fboss"
    shell = {
        "MELTANO_ENVIRONMENT": "prod",
        "TARGET_POSTGRES_SQLALCHEMY_URL": f"postgresql+psycopg://{place}?{login}&sslmode=prefer",
    }
    done = pipeline(project, "tenants", "add", "dot", stdin=TOKEN, **shell)
    assert done.returncode == 0, done.stderr
    own = values(project, "dot")
    login = f"ynab_dot:{own['TARGET_POSTGRES_PASSWORD']}"
    url = f"postgresql+psycopg://{login}@{place}?sslmode=prefer"
    assert own["TARGET_POSTGRES_SQLALCHEMY_URL"] == url
    who = pipeline(
        project, "--env-file=tenants/dot.env", "psql", "-At", "-c", "select current_user"
    )
    assert (who.returncode, who.stdout) == (0, "ynab_dot\n"), who.stderr
    done = pipeline(project, "tenants", "remove", "dot", "--drop-data", **shell)
    assert done.returncode == 0, done.stderr
