"""A small account, for tests to which what happens matters and not how much there is."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from pipeline import Tap
from runs import good
from ynab_sandbox import Sandbox, serve

if TYPE_CHECKING:
    from pipeline import Finished

#: What the counters of its budgets begin with.
COUNTER = 1000


def small_sandbox(transactions: int = 100) -> Sandbox:
    """Two budgets, some months of the first; no limit of requests."""
    return Sandbox(
        today=date(2026, 11, 21), transactions=transactions, rate_limit=None, knowledge=COUNTER
    )


# Imported under the name that tests ask for, each of these would be shadowed by their arguments.


@pytest.fixture(name="sandbox")
def small_account() -> Sandbox:
    """Have each test of a module that imports this run on a small account."""
    return small_sandbox()


@pytest.fixture(scope="module", name="first")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A first run, which is the same for each test's account: nothing has happened yet."""
    account = small_sandbox()
    with serve(account) as url:
        config = {"access_token": account.token, "api_url": url}
        return good(Tap(tmp_path_factory.mktemp("first"), config).run())
