"""Number of runs under way at once, if each account begins at a random time of a window."""

from __future__ import annotations

from math import ceil, sqrt
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def starts(accounts: int, window: float, seed: int = 0) -> list[float]:
    """Return when each account begins, in seconds from the beginning of the window."""
    random = Random(seed)  # noqa: S311 -- spreads load, keeps no secret
    return [random.uniform(0, window) for _ in range(accounts)]


def peak(begins: Iterable[float], seconds: float) -> int:
    """Return how many runs are under way at most.

    Args:
        begins: when each begins.
        seconds: how long each takes.
    """
    changes = [change for begin in begins for change in ((begin, 1), (begin + seconds, -1))]
    most = now = 0
    for _, step in sorted(changes):  # at the same time, one ends before another begins
        now += step
        most = max(most, now)
    return most


def estimate(accounts: int, window: float, seconds: float) -> int:
    """Return the peak by arithmetic: the mean, and five standard deviations for chance."""
    mean = accounts * min(seconds / window, 1)
    return min(accounts, ceil(mean + 5 * sqrt(mean)))
