"""Retries: how long and how often a request is sent again that failed for a passing reason.

Between `budget_api`, which chooses the number of tries, and `client`, which sends.
"""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass
from time import monotonic

import backoff

from tap_ynab.errors import (
    LimitError,
    NoConnectionError,
    TooManyRequestsError,
    TransientError,
    UnreachableError,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from backoff.types import Details

    T = t.TypeVar("T")

logger = logging.getLogger("tap_ynab.retry")

#: Seconds of the longest wait between two tries.
LONGEST_WAIT = 60.0
#: Seconds between two tries if the hourly limit is reached and YNAB does not tell until when: the
#: first wait, and the longest after doubling.
FIRST_PROBE, LONGEST_PROBE = 60.0, 600.0
#: Seconds after which a limit that is still reached is no hourly one; no wait for it is longer.
LONGEST_LIMIT = 3900.0


@dataclass(frozen=True)
class RetryPolicy:
    """Limits of time and tries for one request.

    Attributes:
        seconds: Time after which no new try begins.
        tries: Number of tries; no limit if None.
    """

    seconds: float
    tries: int | None = None

    def call(self, send: Callable[[], T], wait_for_limit: Callable[[float, str], None]) -> T:
        """Return what `send` returns, once it succeeds.

        Args:
            send: Sends one request.
            wait_for_limit: Waits for some seconds, and logs the reason.

        Raises:
            TransientError: It did not succeed within the policy.
            LimitError: YNAB refused for more than an hour.
            UnreachableError: There is no connection.
        """
        is_limited = False
        retrying = backoff.on_exception(
            _waits,
            TransientError,
            patience=self.seconds,
            max_tries=self.tries,
            # Once the limit is reached, one request tells if it still is.
            giveup=lambda error: is_limited and isinstance(error, TooManyRequestsError),
            jitter=None,
            on_backoff=_log_wait,
            logger=None,
        )(send)
        end, probes = monotonic() + LONGEST_LIMIT, limit_probes()
        while True:
            try:
                return retrying()
            except TooManyRequestsError as error:  # noqa: PERF203 a request takes longer
                if monotonic() > end:
                    raise LimitError(f"{error}, for more than an hour. Run again later.") from error
                is_limited = True
                probe = next(probes)
                seconds = min(error.retry_after or probe, LONGEST_LIMIT)
                wait_for_limit(seconds, "YNAB answers 429")
            except NoConnectionError as error:
                raise UnreachableError(f"{error}. Check the network and api_url.") from error


def limit_probes() -> Iterator[float]:
    """Yield the seconds to wait before each new try while the hourly limit is reached."""
    seconds = FIRST_PROBE
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_PROBE)


def _waits(patience: float) -> Generator[float, TransientError, None]:
    """Yield the seconds to wait before each new try: doubled, with jitter, or more if YNAB asks.

    Ends if the next wait would last beyond `patience` seconds from the beginning.
    """
    end, planned = monotonic() + patience, 1.0
    error = yield 0.0
    while True:
        seconds = planned / 2 + backoff.full_jitter(planned / 2)
        if error.retry_after is not None:
            # Not sooner than planned: zero would use up the requests of the hour.
            seconds = max(error.retry_after, seconds)
        if monotonic() + seconds > end:
            return
        error = yield seconds
        planned = min(2 * planned, LONGEST_WAIT)


def _log_wait(details: Details) -> None:
    logger.warning(
        "%s. Trying again in %.1f s (try %d).",
        details.get("exception"),
        details.get("wait"),
        details["tries"] + 1,
    )
