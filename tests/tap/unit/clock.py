"""A clock for tests of waits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The beginning of a minute, in seconds since 1970.
START = 1_794_999_960


@dataclass
class Clock:
    """Time that passes by waiting alone."""

    now: float = START
    waits: list[float] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@contextmanager
def moved_clock() -> Iterator[Clock]:
    """Give the modules that wait a clock that the test moves."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", clock.time)
        patch.setattr("time.sleep", clock.sleep)
        patch.setattr("tap_ynab.retry.monotonic", clock.time)
        yield clock
