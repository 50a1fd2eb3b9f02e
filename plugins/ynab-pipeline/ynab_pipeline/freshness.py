"""Freshness of the tables, judged from the stream `syncs` and from Meltano's run history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

#: The variable that says after how many hours a success is no longer fresh.
STALE_AFTER = "YNAB_PIPELINE_STALE_AFTER"

#: What seems to have begun later than this from now was written by a clock that was wrong. It would
#: hide what fails until then, and is left out.
AHEAD = timedelta(hours=1)

FRESH = "fresh"
STALE = "stale"
FAILED = "failed"
#: Of a budget that runs no longer read: gone from the account, or not selected.
LEFT = "left"
#: Nothing was ever synced.
NEVER = "never"

SUCCEEDED = "succeeded"
RUNNING = "running"
#: Of a run that ended without a word: killed, or the machine stopped.
DIED = "died"


class Sync(NamedTuple):
    """A row of the stream `syncs`: what a run did with one budget."""

    #: None if the run could not list the budgets, or if there were none.
    budget_id: str | None
    budget_name: str | None
    #: The same for all budgets of a run.
    started_at: datetime
    finished_at: datetime
    mode: str
    status: str
    error: str | None
    rows: int


class Run(NamedTuple):
    """A run in Meltano's history."""

    #: The job in meltano.yml.
    job: str
    state: str
    started_at: datetime
    #: Its last sign of life.
    ended_at: datetime
    error: str | None


class Scheduled(NamedTuple):
    """The next run of a job by its schedule."""

    job: str
    at: datetime


@dataclass(frozen=True)
class Budget:
    """Freshness of a budget."""

    id: str
    name: str
    state: str
    last: Sync
    last_success: Sync | None
    last_failure: Sync | None


@dataclass(frozen=True)
class Report:
    """Freshness of the tables."""

    state: str
    #: Whether a last success is too old, also if `state` is `failed`.
    is_stale: bool
    budgets: list[Budget] = field(default_factory=list)
    #: The last attempt, if it could not list the account's budgets.
    account_failure: Sync | None = None
    #: The last run of each job, if it failed and no row of `syncs` says so.
    failed_runs: list[Run] = field(default_factory=list)
    running: list[Run] = field(default_factory=list)
    #: Whether runs succeeded and left no row: the stream `syncs` is not selected.
    is_unrecorded: bool = False


def assess(
    syncs: Iterable[Sync], runs: Iterable[Run], now: datetime, stale_after: timedelta
) -> Report:
    """Judge how fresh the tables are.

    Args:
        syncs: For each budget, and for none, at least the last row of each status.
        runs: Runs of Meltano, the latest first; of each job, at least those that are under way and
            the last one before them.
        now: The time.
        stale_after: The age at which a success is no longer fresh.
    """
    syncs, runs = sorted(syncs, key=lambda sync: sync.started_at, reverse=True), list(runs)
    by_budget: dict[str | None, list[Sync]] = {}
    for sync in syncs:
        by_budget.setdefault(sync.budget_id, []).append(sync)
    listed = next((sync for sync in syncs if sync.budget_id or sync.status == SUCCEEDED), None)
    oldest = now - stale_after
    budgets = [
        _budget(budget_id, rows, listed, oldest)
        for budget_id, rows in by_budget.items()
        if budget_id is not None
    ]
    failure = syncs[0] if syncs and syncs[0] is not listed and not syncs[0].budget_id else None
    failed_runs = [run for run in _last_ended(runs) if _is_unexplained(run, syncs)]
    states = {budget.state for budget in budgets}
    is_stale = any(_is_overdue(budget, oldest) for budget in budgets) or (
        listed is not None and states <= {LEFT} and listed.finished_at < oldest
    )
    if failure or failed_runs or FAILED in states:
        state = FAILED
    elif listed is None:
        state = NEVER
    elif is_stale:
        state = STALE
    else:
        state = FRESH
    return Report(
        state,
        is_stale,
        sorted(budgets, key=lambda budget: (budget.state == LEFT, budget.name, budget.id)),
        failure,
        failed_runs,
        [run for run in runs if run.state == RUNNING],
        not syncs and any(run.state == SUCCEEDED for run in runs),
    )


def _budget(budget_id: str, rows: Sequence[Sync], listed: Sync | None, oldest: datetime) -> Budget:
    """Judge a budget.

    Args:
        budget_id: Its id.
        rows: Its rows, the latest first.
        listed: A row of the last run that could list the budgets.
        oldest: When a success must have ended to be fresh.
    """
    last = rows[0]
    success = next((row for row in rows if row.status == SUCCEEDED), None)
    if listed and last.started_at < listed.started_at and last.finished_at < oldest:
        state = LEFT
    elif last.status == FAILED:
        state = FAILED
    elif success is None or success.finished_at < oldest:
        state = STALE
    else:
        state = FRESH
    failure = next((row for row in rows if row.status == FAILED), None)
    return Budget(budget_id, last.budget_name or budget_id, state, last, success, failure)


def _is_overdue(budget: Budget, oldest: datetime) -> bool:
    if budget.state != FAILED:
        return budget.state == STALE
    return budget.last_success is not None and budget.last_success.finished_at < oldest


def _last_ended(runs: Iterable[Run]) -> Iterable[Run]:
    """Return the last run of each job that is no longer under way."""
    last: dict[str, Run] = {}
    for run in runs:
        if run.state != RUNNING:
            last.setdefault(run.job, run)
    return last.values()


def _is_unexplained(run: Run, syncs: Iterable[Sync]) -> bool:
    if run.state == SUCCEEDED:
        return False
    return not any(
        sync.status != SUCCEEDED and run.started_at <= sync.started_at <= run.ended_at
        for sync in syncs
    )
