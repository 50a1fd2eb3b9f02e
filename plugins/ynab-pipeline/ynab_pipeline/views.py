"""The views of transform/views.sql, made without dbt.

What PostgreSQL has is compared with what it makes of the file. So no version need be noted: views
of an older version are replaced, and views that went with a table that was dropped come back.
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
_NAME = re.compile(r'(?m)^create or replace view "budget"\."(\w+)"')
#: Lines of the file that are done here instead.
_FRAME = re.compile(r"(?m)^(?:begin|commit|create schema .*);\n")

_SHOWN = """
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
#: What is in the place of the views, and is no view or reads other tables. Views of ours, whether
#: dbt or the file has made them, also have a comment on each column.
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


def prepare(see_to: Callable[[Session, Path, str, str], object]) -> None:
    """See to the views, then name their database and schema in variables for a program.

    Args:
        see_to: `make` or `refuse_foreign`.

    Raises:
        PipelineError: If there is no way to the database, or from there.
    """
    views = os.environ[VIEWS] = schema_of_views()
    found = active_settings()
    try:
        with connect_to(found) as session:
            see_to(session, (project.root() or Path()) / _FILE, schema(), views)
    except psycopg.Error as error:
        raise failure(error, found) from None
    set_variables(found)


def make(session: Session, file: Path, tables: str, views: str) -> bool:
    """Make the views unless they are there, and return whether there was anything to do.

    Args:
        session: A connection, which commits at its end.
        file: transform/views.sql.
        tables: The schema of the tables.
        views: The schema of the views.

    Raises:
        PipelineError: If there is nothing to make them of, or something else has their names.
    """
    text = _FRAME.sub("", file.read_text(encoding="utf-8"))
    names = _NAME.findall(text)
    # Of two at once, the second finds what the first has made.
    session.execute("SELECT pg_advisory_xact_lock(hashtext('views of tap-ynab'))")
    there = _shown(session, names, views)
    if there == _wanted(session, text, names, tables):
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
        _drop(session, there, views)
        session.execute(statements)
    return True


def refuse_foreign(session: Session, file: Path, tables: str, views: str) -> None:
    """Refuse to let dbt make the views, which would drop tables that have their names.

    Args:
        session: A connection.
        file: transform/views.sql.
        tables: The schema of the tables.
        views: The schema of the views.

    Raises:
        PipelineError: If there is a table in the place of a view, or a view of other tables.
    """
    names = _NAME.findall(file.read_text(encoding="utf-8"))
    _refuse_foreign(session, names, tables, views, described=False)


def _in_schemas(text: str, tables: str, views: str) -> bytes:
    names = {'"ynab".': tables, '"budget".': views}
    return re.sub(
        "|".join(map(re.escape, names)),
        lambda found: f"{sql.Identifier(names[found[0]]).as_string()}.",
        text,
    ).encode()


def _shown(session: Session, names: Sequence[str], schema: str) -> dict[str, tuple[Any, ...]]:
    """Return those of the views that are in a schema, as PostgreSQL shows them."""
    # So that the queries name other views without the schema, whichever it is. PostgreSQL would
    # name it if a CTE had the name of a view.
    path = sql.Identifier(schema).as_string()
    session.execute("SELECT set_config('search_path', %s, true)", [path])
    rows = session.execute(_SHOWN, {"names": list(names), "schema": schema}).fetchall()
    return {row[0]: row[1:] for row in rows}


def _wanted(
    session: Session, text: str, names: Sequence[str], tables: str
) -> dict[str, tuple[Any, ...]]:
    """Return the views of the file, made as temporary views that go at once."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(_in_schemas(text, tables, _TEMPORARY))
            return _shown(session, names, _TEMPORARY)
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
