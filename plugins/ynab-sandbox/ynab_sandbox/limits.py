"""How many requests a token has in a window of time that moves on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ynab_sandbox.errors import ApiError

REQUESTS_AN_HOUR = 200
HOUR = 3600


@dataclass(frozen=True)
class RateLimit:
    """How many requests a token has.

    Attributes:
        requests: how many.
        seconds: in which time.
        retry_after: whether a 429 says when to come again; YNAB is not known to.
    """

    requests: int = REQUESTS_AN_HOUR
    seconds: int = HOUR
    retry_after: bool = False


class Limiter:
    """Counts requests per token, by whatever clock it is told."""

    def __init__(self, limit: int | RateLimit | None) -> None:
        """Takes the limit.

        Args:
            limit: requests an hour, or the limit in detail; None for no limit.
        """
        self._limit = RateLimit(limit) if isinstance(limit, int) else limit
        self._used: dict[str, deque[float]] = {}

    def count(self, token: str, now: float) -> None:
        """Counts a request that is to be answered.

        Args:
            token: whose request it is.
            now: the time, in seconds.

        Raises:
            ApiError: there were too many already; this one is not counted.
        """
        if self._limit is None:
            return
        used = self._used.setdefault(token, deque())
        while used and used[0] <= now - self._limit.seconds:
            used.popleft()
        if len(used) >= self._limit.requests:
            error = ApiError("429")
            if self._limit.retry_after:
                first = used[0] if used else now
                error.retry_after = max(1, int(first + self._limit.seconds - now) + 1)
            raise error
        used.append(now)
