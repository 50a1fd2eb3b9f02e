"""A request that fails for a passing reason is sent again, neither too soon nor for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from tap_ynab.errors import (
    AccountError,
    LimitError,
    NoConnectionError,
    TooManyRequestsError,
    TransientError,
    UnreachableError,
    YNABError,
)
from tap_ynab.retry import RetryPolicy, limit_probes

from tests.tap.unit.clock import START

if TYPE_CHECKING:
    from tests.tap.unit.clock import Clock

#: More tries than any policy of the tests allows.
FOR_EVER = 1000


@dataclass
class Server:
    """Fails with some errors in turn, then succeeds; notes when it was tried, and long waits."""

    clock: Clock
    errors: list[Exception]
    tries: list[float] = field(default_factory=list)
    limit_waits: list[float] = field(default_factory=list)

    def send(self) -> str:
        self.tries.append(self.clock.now - START)
        if self.errors:
            raise self.errors.pop(0)
        return "response"

    def wait_for_limit(self, seconds: float, why: str) -> None:
        assert why == "YNAB answers 429"
        self.limit_waits.append(seconds)
        self.clock.now += seconds

    def call(self, policy: RetryPolicy) -> str:
        return policy.call(self.send, self.wait_for_limit)


def test_waits_double_to_a_minute_with_jitter_until_the_time_is_over(clock: Clock) -> None:
    server = Server(clock, [TransientError("503")] * FOR_EVER)
    with pytest.raises(TransientError, match="503"):
        server.call(RetryPolicy(1000))
    longest = [1, 2, 4, 8, 16, 32] + [60] * (len(clock.waits) - 6)
    shares = [wait / most for wait, most in zip(clock.waits, longest, strict=True)]
    assert all(0.5 <= share <= 1 for share in shares)
    assert len(set(shares)) > 1
    assert 1000 - 60 < server.tries[-1] <= 1000
    assert not server.limit_waits


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_tries_are_counted(clock: Clock, tries: int) -> None:
    server = Server(clock, [TransientError("503")] * FOR_EVER)
    with pytest.raises(TransientError):
        server.call(RetryPolicy(1000, tries))
    assert len(server.tries) == tries


@pytest.mark.parametrize(
    ("seconds", "retry_after", "tries"),
    [(0, None, [0]), (10, 11, [0]), (10, 10, [0, 10]), (10, 4, [0, 4, 8]), (0.4, None, [0])],
)
def test_no_try_begins_after_the_time_is_over(
    clock: Clock, seconds: float, retry_after: float | None, tries: list[float]
) -> None:
    server = Server(clock, [TransientError("503", retry_after)] * FOR_EVER)
    with pytest.raises(TransientError):
        server.call(RetryPolicy(seconds))
    assert server.tries == tries


def test_a_wait_that_ynab_asks_for_is_kept_to(clock: Clock) -> None:
    server = Server(
        clock, [TransientError("503", 7), TransientError("503"), TransientError("", 99)]
    )
    assert server.call(RetryPolicy(300)) == "response"
    assert clock.waits[0] == 7
    assert 1 <= clock.waits[1] <= 2
    assert clock.waits[2:] == [99]


def test_no_wait_of_zero_seconds_has_requests_sent_without_end(clock: Clock) -> None:
    server = Server(clock, [TransientError("503", 0.0)] * FOR_EVER)
    with pytest.raises(TransientError):
        server.call(RetryPolicy(300))
    assert len(server.tries) < 50


@pytest.mark.parametrize("error", [YNABError("400"), AccountError("401"), ValueError("bug")])
def test_what_would_fail_again_is_not_tried_again(clock: Clock, error: Exception) -> None:
    server = Server(clock, [error])
    with pytest.raises(type(error)) as raised:
        server.call(RetryPolicy(300))
    assert raised.value is error
    assert server.tries == [0]


def test_no_connection_is_the_end_of_the_run_once_the_time_is_over(clock: Clock) -> None:
    server = Server(clock, [NoConnectionError("/accounts: no connection")] * FOR_EVER)
    with pytest.raises(UnreachableError, match="Check the network and api_url"):
        server.call(RetryPolicy(300, 3))
    assert len(server.tries) == 3
    assert Server(clock, [NoConnectionError("")]).call(RetryPolicy(300)) == "response"


# The hourly limit


def test_a_single_refusal_without_retry_after_costs_seconds(clock: Clock) -> None:
    server = Server(clock, [TooManyRequestsError("429")])
    assert server.call(RetryPolicy(300)) == "response"
    assert server.tries[-1] <= 1
    assert not server.limit_waits


def test_refusals_without_retry_after_are_probed_after_a_minute_then_less_often(
    clock: Clock,
) -> None:
    server = Server(clock, [TooManyRequestsError("429")] * 6)
    assert server.call(RetryPolicy(0)) == "response"
    assert server.limit_waits == [60, 120, 240, 480, 600, 600]
    assert list(islice(limit_probes(), 6)) == server.limit_waits


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [(900.0, 900), (0.0, 60), (None, 60), (999_999_999.0, 3900), (float("inf"), 3900)],
)
def test_the_limit_is_waited_for_as_long_as_ynab_asks_but_not_much_longer_than_an_hour(
    clock: Clock, retry_after: float | None, wait: float
) -> None:
    server = Server(clock, [TooManyRequestsError("429", retry_after)])
    assert server.call(RetryPolicy(300, 1)) == "response"
    assert server.limit_waits == [wait]


def test_a_wait_for_ever_ends_the_run(clock: Clock) -> None:
    server = Server(clock, [TooManyRequestsError("429", float("inf"))] * FOR_EVER)
    with pytest.raises(LimitError):
        server.call(RetryPolicy(300))
    assert len(server.tries) <= 3
    unavailable = Server(clock, [TransientError("503", float("inf"))] * FOR_EVER)
    with pytest.raises(TransientError):
        unavailable.call(RetryPolicy(300))
    assert len(unavailable.tries) == 1


def test_refusals_for_more_than_an_hour_end_the_run(clock: Clock) -> None:
    server = Server(clock, [TooManyRequestsError("/accounts: 429")] * FOR_EVER)
    with pytest.raises(LimitError, match=r"/accounts: 429, for more than an hour\. Run again"):
        server.call(RetryPolicy(0))
    assert 3900 < server.tries[-1] <= 3900 + 600
    assert server.tries[-2] <= 3900


def test_a_run_that_is_not_to_wait_for_the_limit_ends_at_once(clock: Clock) -> None:
    def refuse(_seconds: float, _why: str) -> None:
        raise LimitError("run again after 12:00")

    server = Server(clock, [TooManyRequestsError("429")])
    with pytest.raises(LimitError, match="run again after"):
        RetryPolicy(0).call(server.send, refuse)
    assert server.tries == [0]
