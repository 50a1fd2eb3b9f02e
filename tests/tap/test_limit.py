"""YNAB's hourly limit is kept to, waited for, or left for the next run: never run into."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import date
from typing import TYPE_CHECKING

import pytest
from tap_ynab.tap import TapYNAB
from ynab_sandbox import RateLimit, Sandbox, serve

from tests.support.environment import BARE
from tests.support.pipeline import Tap
from tests.support.rows import assert_equal
from tests.support.runs import failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ynab_sandbox.sandbox import Answer

    from tests.support.pipeline import Pipeline, State


class Strict(Sandbox):
    """Allows four requests, but in any second rather than hour.

    By its clock they come a tenth of a second apart, and a second after it has refused one.
    """

    def answer(self, path: str, query: Mapping[str, str], token: str | None) -> Answer:
        given = super().answer(path, query, token)
        self.advance(1 if given.status == 429 else 0.1)
        return given


@pytest.fixture
def strict() -> Strict:
    limit = RateLimit(4, 1, retry_after=True)
    return Strict(today=date(2026, 11, 21), transactions=60, rate_limit=limit)


@pytest.fixture
def strict_tap(strict: Sandbox, tmp_path: Path) -> Iterator[Tap]:
    with serve(strict) as url:
        yield Tap(tmp_path, {"access_token": strict.token, "api_url": url})


def an_hour_later(state: State) -> State:
    """The state as if its requests had been sent an hour ago."""
    run = state["bookmarks"]["budgets"]
    run["requests"] = {str(int(at) - 3660): n for at, n in run["requests"].items()}
    return state


def test_retry_after_is_honoured(strict_tap: Tap, strict: Sandbox) -> None:
    finished = strict_tap.run()
    assert finished.code == 0, finished.log
    refused = [r for r in strict.requests if r.status == 429]
    waits = [line for line in finished.log.splitlines() if "429" in line and "Trying" in line]
    # Each refusal says when to come back, and coming back then is enough.
    assert len(refused) == len(waits) > 0
    assert all("Trying again in 1.0 s (try 2)" in line for line in waits)


def test_a_wait_beyond_the_time_for_retries_is_the_limits_and_shows_progress(
    strict_tap: Tap, strict: Sandbox
) -> None:
    finished = strict_tap.run(max_retry_time=0)
    assert finished.code == 0, finished.log
    assert "YNAB's hourly limit: YNAB answers 429. Waiting until" in finished.log
    assert len([r for r in strict.requests if r.status == 429]) == finished.log.count("answers 429")


def test_a_run_that_is_not_to_wait_ends_with_what_it_has(strict_tap: Tap) -> None:
    finished = strict_tap.run(max_retry_time=0, wait_for_limit=False)
    failed(finished)
    assert "unhandled" not in finished.log
    last = finished.log.splitlines()[-1]
    assert "run again after" in last
    partitions = finished.state["bookmarks"]["accounts"]["partitions"]
    assert all(partition["replication_key_value"] for partition in partitions)


def test_a_known_wall_is_not_run_into(tap: Tap, sandbox: Sandbox) -> None:
    first = tap.run(requests_per_hour=10, wait_for_limit=False)
    assert first.code == 1
    assert len(sandbox.requests) == 10
    sandbox.clear_requests()
    second = tap.run(state=first.state, requests_per_hour=10, wait_for_limit=False)
    assert second.code == 1
    assert "run again after" in second.log.splitlines()[-1]
    assert not sandbox.requests


@pytest.mark.parametrize("use_export", [False])
def test_a_load_larger_than_the_limit_ends_after_some_runs_without_starting_over(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    sandbox.add_budget("Third")
    # 33 parts at 11 a run, one request being for the account, and one answer for two parts.
    for _ in range(3):
        finished = pipeline.sync(requests_per_hour=12, wait_for_limit=False)
        assert "Traceback" not in finished.log
        pipeline.state = an_hour_later(pipeline.state)
    full = [r.path for r in sandbox.requests if "last_knowledge_of_server" not in r.query]
    once = [path for path in full if not path.endswith("/plans")]
    assert len(once) == len(set(once)) == 30
    assert_equal(pipeline.database, sandbox)

    sandbox.clear_requests()
    assert pipeline.sync().code == 0
    assert len(sandbox.requests) == 31


def test_a_load_from_the_export_goes_on_where_the_limit_ended_it(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    # 11 requests, and each run asks again for the account and its exports.
    for _ in range(3):
        finished = pipeline.sync(requests_per_hour=7, wait_for_limit=False)
        assert "Traceback" not in finished.log
        pipeline.state = an_hour_later(pipeline.state)
    assert finished.code == 0, finished.log
    full = [r.path for r in sandbox.requests if "transactions" in r.path]
    assert len(full) == len(set(full)) == 4
    assert_equal(pipeline.database, sandbox)


@pytest.mark.parametrize("use_export", [False])
def test_each_run_begins_where_the_last_one_ended(tap: Tap, sandbox: Sandbox) -> None:
    state: State = {}
    reached: set[str] = set()
    for _ in range(8):
        sandbox.clear_requests()
        finished = tap.run(state=state, requests_per_hour=4, wait_for_limit=False)
        assert finished.code == 1
        reached |= {r.path for r in sandbox.requests if not r.path.endswith("/plans")}
        state = an_hour_later(finished.state)
    assert len(reached) == 20


def test_a_finished_run_counts_its_requests_and_leaves_nothing_to_do(
    tap: Tap, sandbox: Sandbox
) -> None:
    finished = tap.run()
    run = finished.state["bookmarks"]["budgets"]
    assert sum(run["requests"].values()) == len(sandbox.requests)
    assert "left" not in run


class Clock:
    """Time that stands still until somebody sleeps."""

    def __init__(self) -> None:
        """Stand at the present."""
        self.now = time.time()

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_an_hour_that_is_used_up_is_waited_for(
    tap: Tap,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    sent = int(clock.now) - 1800
    monkeypatch.setattr(time, "time", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    state = {"bookmarks": {"budgets": {"requests": {str(sent): 200}}}}
    TapYNAB(config=tap.config, state=state).run()
    # Requests are counted by the minute: an hour and a minute later, these are of no hour any more.
    assert clock.now == sent + 3660
    waits = [line for line in caplog.messages if "200 requests in the last hour" in line]
    assert "Waiting until" in waits[0]
    assert [line.split()[-3:] for line in waits] == [
        [str(minutes), "minutes", "left."] for minutes in range(31, 0, -1)
    ]
    assert {request.status for request in sandbox.requests} == {200}


def test_ctrl_c_while_waiting_is_one_line(tap: Tap) -> None:
    tap.config["requests_per_hour"] = 4
    with subprocess.Popen(
        tap.command(), env=BARE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr
        next(line for line in process.stderr if "Waiting until" in line)
        process.send_signal(signal.SIGINT)
        [line] = process.stderr.read().splitlines()
    assert process.returncode == 128 + signal.SIGINT
    assert line.endswith("Stopped by a signal. Run again: it continues where this run ended.")
