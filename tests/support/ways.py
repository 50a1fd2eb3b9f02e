"""Both ways of reading a budget: from its export, and list by list."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[True, False], ids=["export", "endpoints"])
def use_export(request: pytest.FixtureRequest) -> bool:
    """Have each test of a module that imports this run both ways."""
    return bool(request.param)
