"""A small account, for tests to which what happens matters and not how much there is."""

from __future__ import annotations

from datetime import date

from ynab_sandbox import Sandbox

#: What the counters of its budgets begin with.
COUNTER = 1000


def small_sandbox(transactions: int = 100) -> Sandbox:
    """Two budgets, some months of the first; no limit of requests."""
    return Sandbox(
        today=date(2026, 11, 21), transactions=transactions, rate_limit=None, knowledge=COUNTER
    )
