"""Check of the database before a run, and the tables that are found in it.

In the loader's environment. Everything that would end the load is said here, before the tap reads
anything: it waits for what is found, see
`bookmarks`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ynab_pipeline import project
from ynab_pipeline.connection import connect_to, failure
from ynab_pipeline.destination import describe
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.project import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Session = psycopg.Connection[tuple[Any, ...]]

_MARK = "Rows of one YNAB account, kept by tap-ynab: "
_MARKED = re.compile(rf"^{re.escape(_MARK)}(?P<account>\{{.*\}})$", re.MULTILINE)

#: The loader adds columns with these to each of its tables.
_TABLES = """
SELECT relname,
       relkind IN ('r', 'p') AND EXISTS (
           SELECT FROM pg_attribute
           WHERE attrelid = pg_class.oid AND attname = '_sdc_table_version' AND NOT attisdropped),
       has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
           AND has_table_privilege(oid, 'UPDATE')
FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident(%(schema)s))
  AND relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY relname
"""


def check(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Check that the loader can write, and return what `bookmarks` wants to know.

    The schema is created, and marked as this account's.

    Args:
        found: The loader's settings.

    Returns:
        The schema, the tables of the loader in it, each with whether it has rows, and other tables.
        None if the settings name no schema.

    Raises:
        PipelineError: If the loader cannot write, or the schema is another account's.
    """
    schema = found.get("default_target_schema")
    where = f"database {describe({**found, 'default_target_schema': None})}"
    try:
        with connect_to(found) as session:
            _check_database(session, where)
            if not schema:
                return None
            schema = str(schema)
            _take(session, schema, where)
            return {"schema": schema, **_tables(session, schema, where)}
    except psycopg.Error as error:
        raise failure(error, found) from None


def _check_database(session: Session, where: str) -> None:
    encoding = session.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise PipelineError(
            f"{where}: its encoding is {encoding}, and names and memos need UTF8: CREATE "
            "DATABASE name ENCODING 'UTF8' TEMPLATE template0, then set TARGET_POSTGRES_DATABASE"
        )
    read_only = session.execute("SHOW transaction_read_only").fetchone()
    if read_only and read_only[0] == "on":
        raise PipelineError(
            f"{where}: it is read-only, as a standby is: use the primary server, and a role "
            "whose default_transaction_read_only is off"
        )
    # The loader merges each batch from a temporary table.
    condition = "has_database_privilege(current_database(), 'TEMPORARY')"
    _require(session, where, condition, [], f"TEMPORARY ON DATABASE {session.info.dbname}")


def _require(
    session: Session, where: str, condition: str, parameters: Sequence[str], grant: str
) -> None:
    row = session.execute(f"SELECT {condition}".encode(), parameters).fetchone()
    if row and not row[0]:
        user = session.info.user
        raise PipelineError(f"{where}: {user} lacks a right: GRANT {grant} TO {user}")


def _take(session: Session, schema: str, where: str) -> None:
    """Create the schema unless it exists, and see that it is this account's."""
    # Of two accounts that begin at once, one waits for the other to mark it.
    session.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_MARK])
    query = "SELECT obj_description(oid) FROM pg_namespace WHERE nspname = %s"
    there = session.execute(query, [schema]).fetchone()
    if there is None:
        condition = "has_database_privilege(current_database(), 'CREATE')"
        _require(session, where, condition, [], f"CREATE ON DATABASE {session.info.dbname}")
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    else:
        condition = "has_schema_privilege(%s, 'USAGE') AND has_schema_privilege(%s, 'CREATE')"
        _require(session, where, condition, [schema, schema], f"USAGE, CREATE ON SCHEMA {schema}")
    comment = (there and there[0]) or ""
    account = project.account()
    marked = _MARKED.search(comment)
    if marked is None:
        _mark(session, schema, f"{comment}\n{_MARK}{json.dumps(account)}".lstrip())
    elif json.loads(marked["account"]) != account:
        raise PipelineError(
            f"{where}: schema {schema} has the rows of {_words(json.loads(marked['account']))}, "
            f"and a run for {_words(account)} would mark them all as deleted: set "
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA to a schema of its own. To take this one over: "
            f'.venv/bin/ynab-pipeline{project.option()} psql -c \'COMMENT ON SCHEMA "{schema}" IS '
            "NULL'"
        )


def _mark(session: Session, schema: str, comment: str) -> None:
    statement = sql.SQL("COMMENT ON SCHEMA {} IS {}").format(
        sql.Identifier(schema), sql.Literal(comment)
    )
    try:
        with session.transaction():
            session.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        pass  # the schema belongs to another role: there is no mark, then


def _words(account: Mapping[str, Any]) -> str:
    name = "the YNAB sandbox" if account.get("sandbox") else "the account"
    if suffix := account.get("suffix"):
        return f"{name} with {SUFFIX}={suffix}"
    return name if account.get("sandbox") else f"{name} without {SUFFIX}"


def _tables(session: Session, schema: str, where: str) -> dict[str, Any]:
    tables = session.execute(_TABLES, {"schema": schema}).fetchall()
    loaded = [name for name, is_loaded, _ in tables if is_loaded]
    for name, is_loaded, may_write in tables:
        if is_loaded and not may_write:
            raise PipelineError(
                f"{where}: {session.info.user} may not write to {schema}.{name}: GRANT SELECT, "
                f"INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {session.info.user}"
            )
    has_rows = [
        sql.SQL("SELECT {}, EXISTS (SELECT FROM {})").format(name, sql.Identifier(schema, name))
        for name in loaded
    ]
    rows = session.execute(sql.SQL(" UNION ALL ").join(has_rows)).fetchall() if loaded else []
    return {
        "loaded": dict(rows),
        "others": [name for name, is_loaded, _ in tables if not is_loaded],
    }
