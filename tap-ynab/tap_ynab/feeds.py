"""Feeds: ways to read a stream from a budget, as data.

`streams` declares a feed for each stream, and `budget` reads it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from enum import Enum, auto

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Record

#: Sources of rows. YNAB counts for each address by itself, so a bookmark has a counter for each.
EXPORT, ENDPOINT = "export", "endpoint"


class ExportUse(Enum):
    """Use of the plan export for a stream."""

    #: It has the rows.
    ROWS = auto()
    #: It has no such rows, but tells if any changed; the rows are in their own list.
    CHANGES = auto()
    #: It only tells if anything in the budget changed.
    COUNTER = auto()


@dataclass(frozen=True)
class Feed:
    """Address of the rows of a stream, and the ways to ask for them.

    Attributes:
        path: Address of the list, below that of the budget. Streams may share one.
        rows: Place of the rows in the response, below `data`.
        export: Use of the plan export.
        export_lists: Names of the export's lists that have the rows, or tell that they changed.
        is_delta: Whether YNAB sends only what changed if it is given a counter.
        is_only_in_export: Whether no list but the export has the rows of all months.
        is_dated: Whether the list leaves out rows older than a year, unless it is asked for them.
        is_monthly: Whether all rows change with the month (UTC) while a delta has none of them.
        created: Column with the time at which a row was made, for lists that the export lacks.
        unnest: Makes rows of an object in the export's list, if it has several.
    """

    path: str
    rows: str
    export: ExportUse
    export_lists: tuple[str, ...] = ()
    is_delta: bool = True
    is_only_in_export: bool = False
    is_dated: bool = False
    is_monthly: bool = False
    created: str = ""
    unnest: t.Callable[[Record], Iterable[Record]] | None = None


# The ways to declare a feed. Of most lists the export has the same rows, so only one is requested.


def delta_list(name: str) -> Feed:
    """Return the feed of a list with deltas that is in the export under the same name."""
    return Feed(f"/{name}", name, ExportUse.ROWS, (name,))


def shared_list(name: str, path: str, rows: str, *, is_monthly: bool = False) -> Feed:
    """Return the feed of a stream that shares the list at `path` with another stream.

    Args:
        name: Name of its list in the export.
        path: Address of the shared list.
        rows: Place of its rows in the response.
        is_monthly: Whether all rows change with the month.
    """
    return Feed(path, rows, ExportUse.ROWS, (name,), is_monthly=is_monthly)


def transaction_list(name: str, subtransactions: str, *, is_dated: bool = False) -> Feed:
    """Return the feed of a list of transactions: the export has them without subtransactions.

    Args:
        name: Name of the list.
        subtransactions: Name of the export's list of subtransactions.
        is_dated: Whether the list needs a date to have all rows.
    """
    return Feed(f"/{name}", name, ExportUse.CHANGES, (name, subtransactions), is_dated=is_dated)


def full_list(name: str) -> Feed:
    """Return the feed of a list without deltas that is in the export under the same name."""
    return Feed(f"/{name}", name, ExportUse.ROWS, (name,), is_delta=False)


def unexported_list(name: str, created: str) -> Feed:
    """Return the feed of a list without deltas that is not in the export.

    Args:
        name: Name of the list.
        created: Column with the time at which a row was made.
    """
    return Feed(f"/{name}", name, ExportUse.COUNTER, is_delta=False, created=created)


def export_list(name: str, unnest: t.Callable[[Record], Iterable[Record]]) -> Feed:
    """Return the feed of rows that are nested in a list of the export, and nowhere else at once.

    Args:
        name: Name of the list.
        unnest: Yields the rows of one of its elements.
    """
    return Feed("", name, ExportUse.ROWS, (name,), is_only_in_export=True, unnest=unnest)


@dataclass
class Batch:
    """Rows of one response.

    Attributes:
        rows: Rows as YNAB sends them.
        source: `EXPORT` or `ENDPOINT`.
        server_knowledge: YNAB's counter at the time of the response.
        month: First day of YNAB's month (UTC) at that time.
        moves_bookmark: Whether the next run may continue from its counter.
    """

    rows: Iterable[Record]
    source: str
    server_knowledge: int | None
    month: str
    moves_bookmark: bool = True
