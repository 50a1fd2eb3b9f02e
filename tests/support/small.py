"""A small account, for tests to which what happens matters and not how much there is."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipeline import Finished, Tap
from ynab_sandbox import Sandbox, serve

if TYPE_CHECKING:
    from pathlib import Path

#: What the counters of its budgets begin with.
COUNTER = 1000


def small_sandbox(transactions: int = 100) -> Sandbox:
    """Two budgets, some months of the first; no limit of requests."""
    return Sandbox(
        today=date(2026, 11, 21), transactions=transactions, rate_limit=None, knowledge=COUNTER
    )


def first_run(folder: Path) -> Finished:
    """What a first run on such an account leaves."""
    account = small_sandbox()
    with serve(account) as url:
        return good(Tap(folder, {"access_token": account.token, "api_url": url}).run())


def good(finished: Finished) -> Finished:
    assert finished.code == 0, finished.log
    return finished
