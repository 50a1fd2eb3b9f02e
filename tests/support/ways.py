"""Both ways of reading a budget: from its export, and list by list."""

from __future__ import annotations

import pytest

#: Runs each test of a module that has this as its `pytestmark` both ways.
both_ways = pytest.mark.parametrize("use_export", [True, False], ids=["export", "endpoints"])
