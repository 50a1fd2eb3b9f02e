"""Short forms of the page's data: indexes instead of names, changes instead of values.

`budget` and `redact` use them.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from ynab_report.database import EPOCH

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ynab_report.database import Row

    Json = dict[str, Any]


class IndexedList:
    """A list that knows the index of each of its values by a key."""

    def __init__(self) -> None:
        """Begin without values."""
        self.values: list[Any] = []
        self._indexes: dict[Hashable, int] = {}

    def index_of(self, key: Hashable, value: object) -> int:
        """Return the index of a key's value, which is appended if the key is new."""
        index = self._indexes.setdefault(key, len(self.values))
        if index == len(self.values):
            self.values.append(value)
        return index


def by_month(months: Json, rows: Iterable[tuple[int, tuple[int, ...]]]) -> list[list[int]]:
    """Return a flat list of numbers for each month: its rows, one after the other.

    Args:
        months: The months of the budget, as `Budget.arrange` returns them.
        rows: The month of each row, and its numbers.
    """
    lists: list[list[int]] = [[] for _ in months["income"]]
    for month, values in rows:
        lists[month - months["first"]].extend(values)
    return lists


def daily(days: list[Row], name: str) -> list[int]:
    """Return the value of each day from the first to the last; without a row it is 0."""
    if not days:
        return []
    first = days[0]["date"]
    values = [0] * (days[-1]["date"] - first + 1)
    for row in days:
        values[row["date"] - first] = row[name]
    return values


def changes_of(values: list[int]) -> list[int]:
    """Return the differences of values to the ones before; the first is the value itself."""
    return [now - before for before, now in zip([0, *values], values, strict=False)]


@cache
def month_of(day: int) -> int:
    """Return the month of a day, both as numbers."""
    found = date.fromordinal(day + EPOCH)
    return 12 * found.year + found.month - 1
