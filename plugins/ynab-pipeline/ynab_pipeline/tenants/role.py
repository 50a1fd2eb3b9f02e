"""A tenant's role and schemas: made, closed and dropped by the user of the active environment.

In the loader's environment, as Meltano's command `tenant` of the plugin `target-postgres`. It reads
one JSON object, and answers with another. A role owns the schemas of its tenant and has no right
on those of others.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from ynab_pipeline import project
from ynab_pipeline.account import SWITCH as SANDBOX
from ynab_pipeline.connection import connect_to, failure, parameters
from ynab_pipeline.database import SWITCH, active_settings
from ynab_pipeline.destination import describe
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.tenants import public

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Session = psycopg.Connection[tuple[Any, ...]]

_PREFIX = "TARGET_POSTGRES_"
#: Settings of the loader that are the tenant's own.
_OWN = {"user", "password", "default_target_schema", "project_url"}
#: Keys of libpq, in the query of a URL, by which you log in. Those of a client certificate stay: a
#: server may demand one of everybody.
_LOGIN = (
    *("user", "password", "passfile", "scram_client_key", "scram_server_key"),
    *("oauth_client_id", "oauth_client_secret"),
)
_MARK = "Tenant of tap-ynab: "
#: Since this version, who makes a role may not act as it unless that is granted.
_ADMIN_ONLY = 160000

_MAY_CONNECT = """
SELECT has_database_privilege(%(role)s, current_database(), 'CONNECT')
   AND has_database_privilege(%(role)s, current_database(), 'TEMPORARY')
"""
_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"


class Request(NamedTuple):
    """A tenant, as `command` asks for it."""

    name: str
    role: str
    schemas: tuple[str, str]
    password: str = ""
    #: Variables that name the tenant's database, of those that `settings_for` returns.
    database: Mapping[str, str] = {}


def make(session: Session, wanted: Request) -> list[str]:
    """Create the role and its schemas, and return what else the role can do, in words.

    If an `add` of the same password has made them, but did not end, they stay.

    Args:
        session: A connection of someone who may.
        wanted: The tenant.

    Raises:
        PipelineError: If they can't be created.
    """
    _check_rights(session)
    session.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_MARK])
    found = _comment(session, wanted.role)
    if found is None:
        _create(session, wanted)
    elif found != _mark(wanted):
        raise PipelineError(_taken(found, wanted))
    return public.notes(session, wanted.role, wanted.schemas)


def _check_rights(session: Session) -> None:
    user, database = session.info.user, session.info.dbname
    row = session.execute(
        "SELECT rolsuper OR rolcreaterole, has_database_privilege(current_database(), 'CREATE') "
        "FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    may_create_role, may_create_schema = row or (False, False)
    if not may_create_role:
        raise PipelineError(
            f"{user} may not create a role for the tenant: ALTER ROLE {user} CREATEROLE, or set "
            f"{_PREFIX}USER in .env to a role that may"
        )
    if not may_create_schema:
        raise PipelineError(f"{user} lacks a right: GRANT CREATE ON DATABASE {database} TO {user}")


def _comment(session: Session, role: str) -> str | None:
    """Return the comment of a role, or None if there is no such role."""
    row = session.execute(
        "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = %s",
        [role],
    ).fetchone()
    return None if row is None else str(row[0])


def _mark(wanted: Request) -> str:
    """Return the comment of a tenant's role; the digest tells which `add` has made it."""
    return f"{_MARK}{wanted.name} {sha256(wanted.password.encode()).hexdigest()[:16]}"


def _taken(found: str, wanted: Request) -> str:
    if found.startswith(_MARK):
        return (
            f"the role {wanted.role} is there, with the data of a tenant {wanted.name}: choose "
            f"another name, or drop them: .venv/bin/ynab-pipeline tenants remove {wanted.name} "
            "--drop-data"
        )
    return f"the role {wanted.role} exists already: choose another name for the tenant"


def _create(session: Session, wanted: Request) -> None:
    for schema in wanted.schemas:
        there = session.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema])
        if there.rowcount:
            raise PipelineError(
                f"the schema {schema} exists already: choose another name for the tenant"
            )
    role = sql.Identifier(wanted.role)
    # As PostgreSQL stores it: what a client sends may be in the server's log.
    password = session.pgconn.encrypt_password(
        wanted.password.encode(), wanted.role.encode(), b"scram-sha-256"
    ).decode()
    session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
    session.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(role, sql.Literal(_mark(wanted))))
    if project.named_folder(SWITCH):
        public.close(session)
    database = sql.Identifier(session.info.dbname)
    session.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, role))
    row = session.execute(_MAY_CONNECT, {"role": wanted.role}).fetchone()
    if not row or not row[0]:
        raise PipelineError(
            f"{session.info.user} may not admit others to the database: GRANT CONNECT, TEMPORARY "
            f"ON DATABASE {session.info.dbname} TO {session.info.user} WITH GRANT OPTION"
        )
    with _membership(session, wanted.role):
        for schema in wanted.schemas:
            session.execute(
                sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(schema), role)
            )


@contextmanager
def _membership(session: Session, role: str) -> Iterator[None]:
    """Have the user act for a role meanwhile; a superuser can anyway."""
    row = session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row and row[0]:
        yield
        return
    options = "WITH INHERIT TRUE, SET TRUE" if session.info.server_version >= _ADMIN_ONLY else ""
    grant = f"GRANT {{}} TO CURRENT_USER {options}"
    session.execute(sql.SQL(grant).format(sql.Identifier(role)))
    yield
    if _comment(session, role) is not None:
        session.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(sql.Identifier(role)))


def close(session: Session, wanted: Request) -> bool:
    """End the role's sessions and let it log in no more, and return whether it is there.

    Raises:
        PipelineError: If the role is not the tenant's.
    """
    found = _comment(session, wanted.role)
    if found is None:
        return False
    if not found.startswith(f"{_MARK}{wanted.name} "):
        raise PipelineError(
            f"the role {wanted.role} was not made for the tenant {wanted.name}: it stays, and so "
            "does the tenant"
        )
    session.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(wanted.role)))
    session.commit()
    with _membership(session, wanted.role):
        session.execute(_SESSIONS, [wanted.role])
    return True


def drop(session: Session, wanted: Request) -> bool:
    """Drop the role with all that it owns, and return whether it was there.

    Raises:
        PipelineError: If the role is not the tenant's.
    """
    if not close(session, wanted):
        return False
    role = sql.Identifier(wanted.role)
    with _membership(session, wanted.role):
        session.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        session.execute(sql.SQL("DROP ROLE {}").format(role))
    return True


def settings_for(found: Mapping[str, Any], wanted: Request) -> dict[str, str]:
    """Return the loader's variables that lead a tenant's role to the database.

    Args:
        found: The loader's settings of the active environment.
        wanted: The tenant.
    """
    if project.named_folder(SWITCH):
        return {}  # the environment names its server
    settings = {name: str(value) for name, value in found.items() if name not in _OWN}
    if url := found.get("sqlalchemy_url"):
        from sqlalchemy.engine import make_url  # noqa: PLC0415 -- slow, and rarely needed

        own = make_url(str(url)).difference_update_query(_LOGIN)
        own = own.set(username=wanted.role, password=wanted.password)
        settings["sqlalchemy_url"] = own.render_as_string(hide_password=False)
    return {f"{_PREFIX}{name.upper()}": value for name, value in settings.items()}


def _check_database(wanted: Mapping[str, str], found: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        if found.get(name) != value:
            raise PipelineError(
                f"{name} of the tenant is {value}, and yours is {found.get(name, 'not set')}: they "
                "have to be in the same database"
            )


def main() -> None:
    """Do what the request on standard input says, and print the answer."""
    request = json.load(sys.stdin)
    action = request.pop("action")
    wanted = Request(**request)
    answer: dict[str, Any] = {"environment": project.tenant()[0]}
    try:
        found = active_settings()
        parameters(found)  # says what is missing
        answer["database"] = describe({**found, "default_target_schema": None})
        answer["is_sandbox"] = bool(os.environ.get(SANDBOX))
        answer["settings"] = settings_for(found, wanted)
        if project.named_folder(SWITCH) is None:
            _check_database(wanted.database, answer["settings"])
        try:
            with connect_to(found) as session:
                answer["done"] = _ACTIONS[action](session, wanted)
        except psycopg.Error as error:
            raise failure(error, found) from None
    except (PipelineError, OSError) as error:
        answer["error"] = explain(error)
    json.dump(answer, sys.stdout)


_ACTIONS = {"make": make, "close": close, "drop": drop}

if __name__ == "__main__":
    main()
