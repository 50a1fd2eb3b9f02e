"""YNAB's hourly limit: requests sent in the last hour, and the time of the next one.

`client` asks here before each request. The count is kept in the state, so that a run knows how
many requests the run before it has sent.
"""

from __future__ import annotations

import logging
import time
import typing as t

from tap_ynab.errors import LimitError

if t.TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("tap_ynab.rate_limit")

MINUTE, HOUR = 60, 3600


class HourlyLimit:
    """Requests of the last hour, counted by the minute.

    YNAB allows 200 in any 60 minutes, and does not say how many are left.
    """

    def __init__(
        self, allowed: int, *, waits: bool, sent: dict[str, int], before_wait: Callable[[], None]
    ) -> None:
        """Begin with the requests of earlier runs.

        Args:
            allowed: Requests in an hour.
            waits: Whether to wait if the limit is reached; else the run ends.
            sent: Requests by the minute, in seconds since 1970; changed in place.
            before_wait: Called before each wait.
        """
        self.allowed = allowed
        self.waits = waits
        self._sent = sent
        self._before_wait = before_wait

    def take(self) -> None:
        """Count a request, and wait first if the limit is reached.

        Raises:
            LimitError: The limit is reached, and this run does not wait.
        """
        if (seconds := self._until_free()) > 0:
            self.wait(seconds, f"{self.allowed} requests in the last hour")
        minute = str(int(time.time()) // MINUTE * MINUTE)
        self._sent[minute] = self._sent.get(minute, 0) + 1

    def wait(self, seconds: float, why: str) -> None:
        """Wait, and log it every minute.

        Args:
            seconds: For how long.
            why: The reason, for the log.

        Raises:
            LimitError: This run does not wait.
        """
        free = time.time() + seconds
        clock = time.strftime("%H:%M:%S", time.localtime(free))
        if not self.waits:
            raise LimitError(
                f"YNAB's hourly limit: {why}. What was read so far is kept; run again after "
                f"{clock}, or set wait_for_limit."
            )
        self._before_wait()
        while (left := free - time.time()) > 0:
            logger.warning(
                "YNAB's hourly limit: %s. Waiting until %s, %d minutes left.",
                why,
                clock,
                -(-left // MINUTE),
            )
            time.sleep(min(left, MINUTE))

    def _until_free(self) -> float:
        """Return the seconds until another request is allowed."""
        now = time.time()
        for minute in [m for m in self._sent if float(m) + MINUTE + HOUR <= now]:
            del self._sent[minute]
        surplus = sum(self._sent.values()) - self.allowed + 1
        for minute in sorted(self._sent, key=float):
            if surplus <= 0:
                break
            surplus -= self._sent[minute]
            free = float(minute) + MINUTE + HOUR
            if surplus <= 0:
                # A clock that went back leaves minutes that are still to come.
                return min(free - now, MINUTE + HOUR)
        return 0.0
