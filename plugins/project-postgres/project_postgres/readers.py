"""Roles for other programs, which can only read: made, shown again and revoked.

What a role can read is written in its comment when it is made, and is not changed afterwards:
showing it again cannot widen it.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from project_postgres import files
from project_postgres.database import execute
from project_postgres.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LONGEST_NAME = 63  # bytes; PostgreSQL cuts off what is longer
_MARK = "reader of project-postgres: "

_FIND = """
SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = :'role';
"""

# The password is set each time, so that role and file agree again whatever happened to either.
_CREATE = r"""
SET client_min_messages = warning;
BEGIN;
SELECT pg_advisory_xact_lock(1) \g /dev/null
SELECT format('CREATE ROLE %I', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN PASSWORD :'password';
ALTER ROLE :"role" SET default_transaction_read_only = on;
COMMENT ON ROLE :"role" IS :'comment';

-- By default, each role can connect to all databases and create temporary tables and large objects.
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', datname)
FROM pg_database WHERE datallowconn \gexec
REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"role";
"""
_READ_ALL = r"""
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'role'),
       format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'role')
FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO :"role";
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO :"role";
COMMIT;
"""
# Tables to come are those of the schema's owner.
_READ_SCHEMAS = r"""
SELECT format('CREATE SCHEMA IF NOT EXISTS %I', name),
       format('GRANT USAGE ON SCHEMA %I TO %I', name, :'role'),
       format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', name, :'role'),
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT ON TABLES TO %I',
              coalesce(pg_get_userbyid(nspowner), current_user), name, :'role')
FROM json_array_elements_text(:'schemas') AS name
LEFT JOIN pg_namespace ON nspname = name \gexec
COMMIT;
"""

_END_SESSIONS = """
ALTER ROLE :"role" NOLOGIN;
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = :'role';
"""
_DATABASES = """
SELECT json_build_array(datname) FROM pg_database
WHERE datallowconn AND oid IN (
    SELECT dbid FROM pg_shdepend JOIN pg_roles ON refobjid = pg_roles.oid
    WHERE refclassid = 'pg_authid'::regclass AND rolname = :'role');
"""
_DROP_RIGHTS = 'DROP OWNED BY :"role";'
_DROP = f'{_DROP_RIGHTS} DROP ROLE :"role";'


def create(
    name: str, schemas: Sequence[str], *, folder: Path, connection: Mapping[str, str]
) -> str:
    """Create a role that can read a database, unless it is there, and return its password.

    Args:
        name: The role.
        schemas: The schemas that it can read, which are created unless they exist. If there are
            none, it can read all of them, or those that it could read before.
        folder: The server's folder, which keeps the password.
        connection: PG* variables by which the superuser reaches the database.

    Raises:
        ServerError: If the role was made for something else, or otherwise.
    """
    _check(name)
    database = connection["PGDATABASE"]
    wanted = {"database": database, "schemas": sorted(set(schemas))}
    found = _find(name, connection)
    if found is not None and not schemas:
        wanted["schemas"] = found["schemas"]
    if found not in (None, wanted):
        raise ServerError(
            f"the reader {name} was made for another database or other schemas: choose another "
            "name, or revoke it first"
        )
    file = _file(name, folder)
    if not file.exists():
        files.write(file, f"{secrets.token_hex(16)}\n")
    password = file.read_text(encoding="utf-8").strip()
    rights = _READ_SCHEMAS if wanted["schemas"] else _READ_ALL
    execute(
        f"\\set password {password}\n{_CREATE}{rights}",
        {
            "role": name,
            "comment": f"{_MARK}{json.dumps(wanted)}",
            "database": database,
            "schemas": json.dumps(wanted["schemas"]),
        },
        connection=connection,
        failure=f"the reader {name} could not be made",
    )
    return password


def revoke(name: str, *, folder: Path, connection: Mapping[str, str]) -> bool:
    """Drop a reader and end its sessions, and return whether it was there.

    Args:
        name: The role.
        folder: The server's folder.
        connection: PG* variables by which the superuser reaches a database that stays.

    Raises:
        ServerError: If the role is not a reader, or otherwise.
    """
    _check(name)
    found = _find(name, connection)
    if found is not None:

        def do(statements: str, database: str) -> str:
            return execute(
                statements,
                {"role": name},
                connection={**connection, "PGDATABASE": database},
                failure=f"the reader {name} could not be revoked",
            )

        here = connection["PGDATABASE"]
        do(_END_SESSIONS, here)
        for line in do(_DATABASES, here).splitlines():
            do(_DROP_RIGHTS, *json.loads(line))
        do(_DROP, here)
    _file(name, folder).unlink(missing_ok=True)
    return found is not None


def _check(name: str) -> None:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        length = 0
    if not 0 < length <= _LONGEST_NAME:
        raise ServerError(f"the name of a reader has 1 to {_LONGEST_NAME} bytes of UTF-8")


def _find(name: str, connection: Mapping[str, str]) -> dict[str, Any] | None:
    """Schemas that a reader can read, or None if there is no such role."""
    lines = execute(
        _FIND,
        {"role": name},
        connection=connection,
        failure=f"the reader {name} could not be looked up",
    ).splitlines()
    if not lines:
        return None
    mark, _, scope = lines[0].partition("{")
    if mark != _MARK:
        raise ServerError(f"the role {name} is no reader that was made here: choose another name")
    return dict(json.loads("{" + scope))


def _file(name: str, folder: Path) -> Path:
    return folder / f"reader.{quote(name, safe='')}"
