"""A small account and its first run, for tests of the tap alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import Sandbox, serve

from tests.support.pipeline import Tap
from tests.support.runs import good
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from tests.support.pipeline import Finished


@pytest.fixture
def sandbox() -> Sandbox:
    """Two budgets, some months of the first; no limit of requests."""
    return small_sandbox()


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A first run, which is the same for each test's account: nothing has happened yet."""
    account = small_sandbox()
    with serve(account) as url:
        config = {"access_token": account.token, "api_url": url}
        return good(Tap(tmp_path_factory.mktemp("first"), config).run())
