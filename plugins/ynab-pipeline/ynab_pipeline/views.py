"""Make the views of transform/views.sql without dbt, unless the database has them already.

To find out, PostgreSQL makes them once more as temporary views, and the definitions of both are
compared. So nobody has to keep the number of a version: views of an older one are replaced, and
views that were dropped with one of their tables come back.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ynab_pipeline import project
from ynab_pipeline.connection import SCHEMA, VIEWS, connect_to, failure, schema, set_variables
from ynab_pipeline.database import active_settings
from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Session = psycopg.Connection[tuple[Any, ...]]

_OF_ITS_OWN = f"set {VIEWS} to a schema of its own for the views"
_SCHEMA = "budget"
_FILE = "transform/views.sql"
_TEMPORARY = "pg_temp"
#: Time to wait for a lock, unless the role or the database has a limit of its own. Views that are
#: being read cannot be replaced, and whoever wants to read them meanwhile waits, too.
_PATIENCE = "30s"
_NAME = re.compile(r'(?m)^create or replace view "budget"\."(\w+)"')
#: Lines of the file that are left out: transaction and schema are made here.
_FRAME = re.compile(r"(?m)^(?:begin|commit|create schema .*);\n")

_DEFINITIONS = """
SELECT relname, pg_get_viewdef(oid), ARRAY(
    SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), col_description(oid, attnum))
    FROM pg_attribute
    WHERE attrelid = oid AND attnum > 0
    ORDER BY attnum), obj_description(oid, 'pg_class')
FROM pg_class
WHERE relkind = 'v' AND relname = ANY(%(names)s)
  AND relnamespace = CASE %(schema)s
      WHEN 'pg_temp' THEN pg_my_temp_schema() ELSE to_regnamespace(quote_ident(%(schema)s)) END
"""
#: Relations that have the name of a view but are none of ours: tables, views of another schema's
#: tables, and, if `described`, views without a comment on each column. dbt and the file make those.
_FOREIGN = """
SELECT relname, other_schema
FROM pg_class AS found
CROSS JOIN LATERAL (
    SELECT max(nspname)
    FROM pg_rewrite
    JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
    JOIN pg_class AS used ON refclassid = 'pg_class'::regclass AND refobjid = used.oid
    JOIN pg_namespace ON pg_namespace.oid = used.relnamespace
    WHERE ev_class = found.oid AND nspname NOT IN (%(tables)s, %(schema)s)
) AS used (other_schema)
WHERE relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND relname = ANY(%(names)s)
  AND (relkind <> 'v' OR other_schema IS NOT NULL OR %(described)s AND EXISTS (
      SELECT FROM generate_series(0, relnatts) AS n WHERE col_description(found.oid, n) IS NULL))
ORDER BY other_schema, relname
"""


def schema_of_views() -> str:
    """Return the schema of the views in the active environment.

    Raises:
        PipelineError: If it could be that of another tenant.
    """
    if schema() != SCHEMA and not os.environ.get(VIEWS):
        raise PipelineError(
            f"the tables are in the schema {schema()}, so the views need one of their own: set "
            f"{VIEWS}, to {_SCHEMA} if this is the only account in the database"
        )
    found = os.environ.get(VIEWS) or _SCHEMA
    if found == schema():
        raise PipelineError(f"the schema {found} has the tables: {_OF_ITS_OWN}")
    return found


def prepare(step: Callable[[Session, Path, str, str], object]) -> None:
    """Make or check the views, then set libpq's variables and the schema for the program to start.

    Args:
        step: `make` or `refuse_foreign`.

    Raises:
        PipelineError: If the database cannot be reached; and the errors of `step`.
    """
    views = os.environ[VIEWS] = schema_of_views()
    found = active_settings()
    try:
        with connect_to(found) as session:
            step(session, (project.root() or Path()) / _FILE, schema(), views)
    except psycopg.Error as error:
        raise failure(error, found) from None
    set_variables(found)


def make(session: Session, file: Path, tables: str, views: str) -> bool:
    """Make the views unless they are there as in the file, and tell if there was anything to do.

    Args:
        session: A connection, which commits at its end.
        file: transform/views.sql.
        tables: The schema of the tables.
        views: The schema of the views.

    Raises:
        PipelineError: If tables or columns are missing, something else has the name of a view, or
            another session keeps a lock for too long.
    """
    session.execute(
        "SELECT set_config('lock_timeout', %s, true) WHERE current_setting('lock_timeout') = '0'",
        [_PATIENCE],
    )
    try:
        return _make(session, file, tables, views)
    except psycopg.errors.LockNotAvailable:
        raise PipelineError(
            f"cannot check or replace the views in the schema {views}, for another session keeps "
            "them or their tables locked: end what reads them, and try again"
        ) from None


def _make(session: Session, file: Path, tables: str, views: str) -> bool:
    text = _FRAME.sub("", file.read_text(encoding="utf-8"))
    names = _NAME.findall(text)
    # Of two processes at once, the second waits and finds what the first has made.
    session.execute("SELECT pg_advisory_xact_lock(hashtext('views of tap-ynab'))")
    found = _definitions(session, names, views)
    if found == _definitions_of_file(session, text, names, tables):
        return False
    _refuse_foreign(session, names, tables, views, described=True)
    schemas = session.execute("SELECT FROM pg_namespace WHERE nspname = %s", [views])
    if not schemas.rowcount:
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(views)))
    session.execute("SET LOCAL search_path TO pg_catalog")  # so that errors name schemas
    statements = _in_schemas(text, tables, views)
    try:
        with session.transaction():
            session.execute(statements)
    except psycopg.errors.InvalidTableDefinition:  # a column is gone or has another type
        _drop(session, found, views)
        session.execute(statements)
    return True


def refuse_foreign(session: Session, file: Path, tables: str, views: str) -> None:
    """Raise an error if dbt would drop what is not ours: relations with the names of the views.

    Args:
        session: A connection.
        file: transform/views.sql.
        tables: The schema of the tables.
        views: The schema of the views.

    Raises:
        PipelineError: If a table has the name of a view, or a view of another schema's tables.
    """
    names = _NAME.findall(file.read_text(encoding="utf-8"))
    _refuse_foreign(session, names, tables, views, described=False)


def _in_schemas(text: str, tables: str, views: str) -> bytes:
    """Return the file's statements with other schemas."""
    names = {'"ynab".': tables, '"budget".': views}
    return re.sub(
        "|".join(map(re.escape, names)),
        lambda found: f"{sql.Identifier(names[found[0]]).as_string()}.",
        text,
    ).encode()


def _definitions(session: Session, names: Sequence[str], schema: str) -> dict[str, tuple[Any, ...]]:
    """Return the definitions of those views that a schema has: query, columns and comments."""
    # With this path, PostgreSQL leaves the schema out of the queries, so that those of two schemas
    # can be compared. It would not if a CTE had the name of a view.
    path = sql.Identifier(schema).as_string()
    session.execute("SELECT set_config('search_path', %s, true)", [path])
    rows = session.execute(_DEFINITIONS, {"names": list(names), "schema": schema}).fetchall()
    return {row[0]: row[1:] for row in rows}


def _definitions_of_file(
    session: Session, text: str, names: Sequence[str], tables: str
) -> dict[str, tuple[Any, ...]]:
    """Return the definitions that the views of the file get, from temporary views."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(_in_schemas(text, tables, _TEMPORARY))
            return _definitions(session, names, _TEMPORARY)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        query = "SELECT FROM pg_tables WHERE schemaname = %s AND tablename = 'budgets'"
        if session.execute(query, [tables]).rowcount:
            reason = f"{error.diag.message_primary}, and the views need all streams and columns"
        else:
            reason = f"there are no budgets in the schema {tables} yet"
        raise PipelineError(f"{reason}: run .venv/bin/meltano{project.option()} run sync") from None


def _refuse_foreign(
    session: Session, names: Sequence[str], tables: str, views: str, *, described: bool
) -> None:
    wanted = {"names": list(names), "tables": tables, "schema": views, "described": described}
    found = session.execute(_FOREIGN, wanted).fetchone()
    if found is None:
        return
    name, other = found
    whose = f"reads the schema {other}, not {tables}" if other else "is not one of these views"
    raise PipelineError(f"{views}.{name} {whose}: {_OF_ITS_OWN}")


def _drop(session: Session, names: Iterable[str], views: str) -> None:
    listed = sql.SQL(", ").join(sql.Identifier(views, name) for name in names)
    try:
        session.execute(sql.SQL("DROP VIEW {}").format(listed))
    except psycopg.errors.DependentObjectsStillExist as error:
        use = (error.diag.message_detail or "something uses them").splitlines()[0]
        raise PipelineError(
            f"views in the schema {views} have to be replaced, but {use}: "
            "drop it first, and make it again afterwards"
        ) from None
