"""Rights of PUBLIC, which each role has: taken away on the project's server, told of elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    Session = psycopg.Connection[tuple[Any, ...]]

# By default, each role may connect to all databases and create temporary tables and large objects.
_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn"
_LARGE_OBJECTS = """
REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC
"""
_READABLE = """
SELECT format('%%I.%%I', nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
  AND nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema'
  AND nspname <> ALL (%(schemas)s)
  AND has_schema_privilege(%(role)s, pg_namespace.oid, 'USAGE')
  AND has_table_privilege(%(role)s, pg_class.oid, 'SELECT')
ORDER BY 1
"""
_OTHER_DATABASES = """
SELECT datname FROM pg_database
WHERE datallowconn AND datname <> current_database() AND has_database_privilege(%s, oid, 'CONNECT')
ORDER BY 1
"""
#: Names in a note.
_SHOWN = 3


def close(session: Session) -> None:
    """Take from PUBLIC what each role can do by default, for the project's server."""
    for (name,) in session.execute(_DATABASES).fetchall():
        session.execute(
            sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(
                sql.Identifier(name)
            )
        )
    session.execute(_LARGE_OBJECTS)


def notes(session: Session, role: str, own: Sequence[str]) -> list[str]:
    """Return what a role can do because everybody can, in words.

    Args:
        session: A connection of someone else.
        role: The role.
        own: Its schemas.
    """
    tables = _names(session, _READABLE, {"role": role, "schemas": list(own)})
    databases = _names(session, _OTHER_DATABASES, [role])
    found = []
    if tables:
        found.append(f"can read {tables}, since everybody can: take that from PUBLIC")
    if databases:
        found.append(
            f"can connect to the databases {databases}, since everybody can: take that from PUBLIC"
        )
    return found


def _names(session: Session, query: str, values: Any) -> str:
    found = [str(name) for (name,) in session.execute(query, values).fetchall()]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
