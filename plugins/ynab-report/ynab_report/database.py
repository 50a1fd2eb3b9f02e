"""Rows of all queries, as they are at one moment; `data` arranges them.

Amounts come in thousandths of the currency, as integers, which JavaScript adds up without error.
Days are numbers, too, counted from 1970-01-01.
"""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors, sql
from psycopg.adapt import Loader
from psycopg.rows import dict_row

from ynab_report.errors import ReportError
from ynab_report.queries import QUERIES

if TYPE_CHECKING:
    from psycopg.abc import Buffer

Row = dict[str, Any]
Rows = dict[str, list[Row]]

EPOCH = date(1970, 1, 1).toordinal()


def read() -> Rows:
    """Return the rows of each query, from the database that libpq's variables name."""
    schema = os.environ.get("YNAB_BUDGET_SCHEMA") or "budget"
    try:
        with _connect(schema) as connection:
            return {name: connection.execute(text).fetchall() for name, text in QUERIES.items()}
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        raise ReportError(
            f"the schema {schema} lacks views; make them first: "
            ".venv/bin/meltano invoke target-postgres:psql -f transform/views.sql"
        ) from None
    except errors.UndefinedColumn as error:
        raise ReportError(
            f"the views in the schema {schema} are of another version ({_line(error)}); "
            "transform/README.md says how to make them again"
        ) from None
    except errors.InsufficientPrivilege as error:
        raise ReportError(f"the user may not read the views: {_line(error)}") from None
    except psycopg.OperationalError as error:
        raise ReportError(f"cannot read the database: {_line(error)}") from None
    except psycopg.Error as error:
        raise ReportError(f"the database refused a query: {_line(error)}") from None


class _Amount(Loader):
    """Loads numeric as thousandths."""

    def load(self, data: Buffer) -> int:
        return int(Decimal(bytes(data).decode()) * 1000)


class _Day(Loader):
    """Loads dates as numbers."""

    def load(self, data: Buffer) -> int:
        return date.fromisoformat(bytes(data).decode()).toordinal() - EPOCH


def _connect(schema: str) -> psycopg.Connection[Row]:
    connection = psycopg.connect(row_factory=dict_row, connect_timeout=30)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.adapters.register_loader("numeric", _Amount)
    connection.adapters.register_loader("date", _Day)
    path = sql.SQL("set search_path to {}").format(sql.Identifier(schema))
    connection.execute(path)
    return connection


def _line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
