"""A clock for tests of waits, and responses that are closed after each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tap.unit import responses
from tests.tap.unit.clock import moved_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap.unit.clock import Clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Time that passes by waiting alone."""
    with moved_clock() as clock:
        yield clock


@pytest.fixture(autouse=True)
def close_responses() -> Iterator[None]:
    """Close the responses that a test has made."""
    yield
    while responses.OPEN:
        responses.OPEN.pop().close()
