"""The rate limit: how many requests a token has in a rolling window."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ynab_sandbox.errors import ApiError

REQUESTS_AN_HOUR = 200


@dataclass(frozen=True)
class RateLimit:
    """A number of requests for each token in a window of time."""

    requests: int = REQUESTS_AN_HOUR
    seconds: int = 3600
    retry_after: bool = False  # whether a 429 has this header, which YNAB is not known to send


class Limiter:
    """Counts requests by token."""

    def __init__(self, limit: int | RateLimit | None) -> None:
        """Take the limit: requests an hour, or in detail; None for no limit."""
        self._limit = RateLimit(limit) if isinstance(limit, int) else limit
        self._used: dict[str, deque[float]] = {}

    def count(self, token: str, now: float) -> None:
        """Count a request at a time in seconds."""
        if self._limit is None:
            return
        used = self._used.setdefault(token, deque())
        while used and used[0] <= now - self._limit.seconds:
            used.popleft()
        if len(used) >= self._limit.requests:
            free_at = (used[0] if used else now) + self._limit.seconds
            wait = {"Retry-After": str(max(1, int(free_at - now) + 1))}
            raise ApiError("429", headers=wait if self._limit.retry_after else {})
        used.append(now)
