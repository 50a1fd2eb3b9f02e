"""Outcome of `ynab-pipeline run`, as the programs that start it read it from its lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY = re.compile(
    r"Synced (?P<budgets>[\d,]+) budgets?: (?P<rows>[\d,]+) rows?, (?P<requests>[\d,]+) requests?, "
)
_FAILURE = re.compile(r"\S+ failed: (.+)")


def counts(lines: Sequence[str]) -> dict[str, int]:
    """Return the budgets, rows and requests of the sync, empty if it did not come to its end."""
    found = [match.groupdict() for line in lines if (match := _SUMMARY.search(line))]
    return {name: int(number.replace(",", "")) for name, number in (found or [{}])[-1].items()}


def failure(lines: Sequence[str]) -> str:
    """Return why Meltano failed, empty if it did not, or was never started.

    `ynab-pipeline run` writes this line before it sends a message, and warnings may follow.
    """
    # The last one: Meltano's own lines come before it.
    found = [match[1] for line in lines if (match := _FAILURE.match(line))]
    return found[-1] if found else ""
