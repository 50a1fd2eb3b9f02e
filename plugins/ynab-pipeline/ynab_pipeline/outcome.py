"""Outcome of `ynab-pipeline run`, read from the lines that it has written."""

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
    """Return the budgets, rows and requests in the last summary, empty if there is none."""
    found = [match.groupdict() for line in lines if (match := _SUMMARY.search(line))]
    return {name: int(number.replace(",", "")) for name, number in (found or [{}])[-1].items()}


def failure(lines: Sequence[str]) -> str:
    """Return why the run of Meltano failed, empty if no line says so.

    `ynab-pipeline run` writes that line before it sends a message; warnings may follow it.
    """
    # Lines of Meltano may match, too; they come earlier.
    found = [match[1] for line in lines if (match := _FAILURE.match(line))]
    return found[-1] if found else ""
