"""What `ynab-pipeline-target` checks of its database before it becomes the loader."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.conftest import Installation
    from tests.support.pipeline import Database

PASSWORD = "hunter2-and-more"  # noqa: S105 opens nothing
TABLE = "create table ynab.payees (id text, _sdc_table_version bigint)"


@dataclass
class Prod:
    """The environment `prod`, with a database and a role that may create schemas in it."""

    installation: Installation
    database: Database
    role: str

    def execute(self, *statements: str) -> None:
        """As the superuser; `{role}` and `{name}` stand for role and database."""
        name = str(conninfo_to_dict(self.database.url)["dbname"])
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.format(role=self.role, name=name).encode())

    def environment(self) -> dict[str, str]:
        found = conninfo_to_dict(self.database.url)
        wanted = {
            "SSH_TUNNEL_ENABLE": "false",
            "HOST": str(found["host"]),
            "PORT": str(found["port"]),
            "USER": self.role,
            "PASSWORD": PASSWORD,
            "DATABASE": str(found["dbname"]),
            "DEFAULT_TARGET_SCHEMA": "ynab",
        }
        return {f"TARGET_POSTGRES_{name}": value for name, value in wanted.items()}

    def begins(self, **environment: str) -> None:
        """Start the loader, which must come to read."""
        self.installation.started("target", **self.environment(), **environment)

    def refused(self, **environment: str) -> str:
        """Start the loader, which must not begin, and return the line that says why."""
        finished = self.installation.run("target", **(self.environment() | environment))
        assert (finished.returncode, finished.stdout) == (1, "")
        assert PASSWORD not in finished.stderr
        _, line = finished.stderr.splitlines()
        return line.removeprefix("ynab-pipeline-target: ")

    def comment(self) -> object:
        [row] = self.database.query(
            "select obj_description(oid) as comment from pg_namespace where nspname = 'ynab'"
        )
        return row["comment"]


@pytest.fixture
def prod(installation: Installation, database: Database) -> Iterator[Prod]:
    prod = Prod(installation, database, f"role_{uuid.uuid4().hex}")
    prod.execute(
        f"create role {{role}} login password '{PASSWORD}'",
        "grant create on database {name} to {role}",
    )
    yield prod
    prod.execute("drop owned by {role} cascade", "drop role {role}")


def test_a_schema_is_made_and_marked(prod: Prod) -> None:
    prod.begins(MELTANO_RUN_STATE_ID_SUFFIX="ada")
    mark = 'Rows of one YNAB account, kept by tap-ynab: {"sandbox": false, "suffix": "ada"}'
    assert prod.comment() == mark
    prod.begins(MELTANO_RUN_STATE_ID_SUFFIX="ada", MELTANO_ENVIRONMENT="local")
    assert prod.comment() == mark


def test_settings_that_are_missing(prod: Prod) -> None:
    line = prod.refused(TARGET_POSTGRES_HOST="")
    assert line.startswith("the database is not configured: set TARGET_POSTGRES_HOST in .env, as ")


def test_a_password_that_is_wrong(prod: Prod) -> None:
    line = prod.refused(TARGET_POSTGRES_PASSWORD=f"{PASSWORD}.")
    assert line.endswith(
        f'password authentication failed for user "{prod.role}": check TARGET_POSTGRES_USER and '
        "TARGET_POSTGRES_PASSWORD"
    )


@pytest.mark.parametrize(
    ("statements", "grant"),
    [
        (["revoke create on database {name} from {role}"], "CREATE ON DATABASE {name}"),
        (["revoke temporary on database {name} from public"], "TEMPORARY ON DATABASE {name}"),
        (["create schema ynab"], "USAGE, CREATE ON SCHEMA ynab"),
        (
            ["create schema ynab", "grant usage on schema ynab to {role}"],
            "USAGE, CREATE ON SCHEMA ynab",
        ),
        (
            [
                "create schema ynab authorization {role}",
                TABLE,
                "grant select, insert on ynab.payees to {role}",
            ],
            "SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ynab",
        ),
    ],
)
def test_a_right_that_is_missing(prod: Prod, statements: list[str], grant: str) -> None:
    prod.execute(*statements)
    name = conninfo_to_dict(prod.database.url)["dbname"]
    wanted = f"GRANT {grant.format(name=name)} TO {prod.role}"
    assert prod.refused().endswith(f": {wanted}")
    assert "Rows of" not in str(
        prod.database.query("select obj_description(oid) from pg_namespace")
    )
    prod.execute(wanted)
    prod.begins()


def test_a_database_that_is_read_only(prod: Prod) -> None:
    prod.execute("alter role {role} set default_transaction_read_only = on")
    assert "it is read-only, as a standby is: use the primary server" in prod.refused()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name(prod: Prod, encoding: str) -> None:
    name = f"odd_{uuid.uuid4().hex}"
    prod.execute(
        f"create database {name} encoding '{encoding}' locale_provider libc locale 'C' "
        "template template0",
        f"grant create, temporary, connect on database {name} to {{role}}",
    )
    line = prod.refused(TARGET_POSTGRES_DATABASE=name)
    prod.execute(f"drop database {name}")
    assert f"its encoding is {encoding}, and names and memos need UTF8: " in line


@pytest.mark.parametrize(
    ("first", "second", "whose"),
    [
        (
            {"MELTANO_RUN_STATE_ID_SUFFIX": "ada"},
            {"MELTANO_RUN_STATE_ID_SUFFIX": "bob"},
            "the account with MELTANO_RUN_STATE_ID_SUFFIX=ada, and a run for the account with ",
        ),
        (
            {},
            {"MELTANO_RUN_STATE_ID_SUFFIX": "bob"},
            "the account without MELTANO_RUN_STATE_ID_SUFFIX, and a run for the account with ",
        ),
        (
            {},
            {"YNAB_SANDBOX": ".data/ynab-sandbox"},
            "the account without MELTANO_RUN_STATE_ID_SUFFIX, and a run for the YNAB sandbox would",
        ),
    ],
)
def test_a_schema_of_another_account(
    prod: Prod, first: dict[str, str], second: dict[str, str], whose: str
) -> None:
    prod.begins(**first)
    line = prod.refused(**second)
    assert f"schema ynab has the rows of {whose}" in line
    assert "set TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA to a schema of its own" in line
    _, _, statement = line.partition(".venv/bin/ynab-pipeline --environment=demo psql -c ")
    prod.execute(statement.strip("'"))
    prod.begins(**second)
    assert "the rows of" in prod.refused(**first)


def test_what_a_person_has_said_of_the_schema_stays(prod: Prod) -> None:
    prod.execute(
        "create schema ynab authorization {role}", "comment on schema ynab is 'Mine: {{}}'"
    )
    prod.begins()
    assert str(prod.comment()).startswith("Mine: {}\nRows of one YNAB account, ")
    assert "the rows of" in prod.refused(MELTANO_RUN_STATE_ID_SUFFIX="ada")


def test_a_schema_that_is_somebody_elses_is_not_marked(prod: Prod) -> None:
    prod.execute("create schema ynab", "grant all on schema ynab to {role}")
    prod.begins()
    assert prod.comment() is None


def test_an_odd_name_of_a_schema(prod: Prod) -> None:
    settings = {"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": 'Ada\'s "ynab" 50%'}
    environment = prod.environment() | settings
    prod.installation.started("target", **environment)
    prod.installation.started("target", **environment)
