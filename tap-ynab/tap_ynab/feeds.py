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


class Use(Enum):
    """Use of the plan export."""

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
        path: Address of their list, below that of the budget. Streams may share one.
        rows: Path of the rows in the response, below `data`.
        export: Use of the plan export.
        export_lists: Lists of the export that have the rows, or tell that they changed.
        is_delta: Whether YNAB can send only what changed.
        needs_export: Whether no other list has the rows.
        is_dated: Whether the list leaves out rows older than a year, unless it is asked for them.
        is_monthly: Whether all rows change with the month (UTC) while a delta has none of them.
        created: Column with the time at which a row was made, in lists without deltas.
        unnest: Makes rows of an object in the export's list, if it has several.
    """

    path: str
    rows: str
    export: Use
    export_lists: tuple[str, ...] = ()
    is_delta: bool = True
    needs_export: bool = False
    is_dated: bool = False
    is_monthly: bool = False
    created: str = ""
    unnest: t.Callable[[Record], Iterable[Record]] | None = None


def delta_list(name: str) -> Feed:
    """Read what changed, from a list of its own or from the export."""
    return Feed(f"/{name}", name, Use.ROWS, (name,))


def part_of_list(name: str, path: str, rows: str, *, is_monthly: bool = False) -> Feed:
    """Read what changed, from a list shared with another stream or from the export."""
    return Feed(path, rows, Use.ROWS, (name,), is_monthly=is_monthly)


def split_list(name: str, subtransactions: str, *, is_dated: bool = False) -> Feed:
    """Read what changed from a list of its own, if the export says that anything did."""
    return Feed(f"/{name}", name, Use.CHANGES, (name, subtransactions), is_dated=is_dated)


def full_list(name: str, *, created: str = "") -> Feed:
    """Read all rows from a list of its own: YNAB can't send only what changed.

    With the name of a column that tells when a row was `created`, the list is not in the export.
    """
    export = Use.COUNTER if created else Use.ROWS
    return Feed(f"/{name}", name, export, (name,), is_delta=False, created=created)


def export_only(name: str, unnest: t.Callable[[Record], Iterable[Record]]) -> Feed:
    """Read what changed from the export, or from one request a month if YNAB can't answer that."""
    return Feed("", name, Use.ROWS, (name,), needs_export=True, unnest=unnest)


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
