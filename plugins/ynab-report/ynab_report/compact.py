"""Compact forms of the page's data: places in a list, months, changes from day to day.

`data` and `redact` use them.
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


class Places:
    """A list of things and the place of each in it."""

    def __init__(self) -> None:
        """Begin with none."""
        self.values: list[Any] = []
        self._places: dict[Hashable, int] = {}

    def of(self, key: Hashable, value: object) -> int:
        """Return the place of a thing, which is added unless it is there."""
        place = self._places.setdefault(key, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


def by_month(months: Json, rows: Iterable[tuple[int, tuple[int, ...]]]) -> list[list[int]]:
    """Return a list for each month, with the values of its rows one after the other."""
    lists: list[list[int]] = [[] for _ in months["income"]]
    for month, values in rows:
        lists[month - months["first"]].extend(values)
    return lists


def dense(days: list[Row], name: str) -> list[int]:
    """Values of each day from the first on; a day without rows is 0."""
    if not days:
        return []
    first = days[0]["date"]
    values = [0] * (days[-1]["date"] - first + 1)
    for row in days:
        values[row["date"] - first] = row[name]
    return values


def changes_of(values: list[int]) -> list[int]:
    """Return each value less the one before: short numbers, and many a 0."""
    return [now - before for before, now in zip([0, *values], values, strict=False)]


@cache
def month_of(day: int) -> int:
    """Return the month of a day."""
    of = date.fromordinal(day + EPOCH)
    return 12 * of.year + of.month - 1
