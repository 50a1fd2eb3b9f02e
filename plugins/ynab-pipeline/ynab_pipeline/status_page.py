"""The answer of `ynab-pipeline status`, as a page of 80 columns and as JSON."""

from __future__ import annotations

import textwrap
from datetime import timezone
from typing import TYPE_CHECKING, Any

from ynab_pipeline.freshness import DIED, LEFT, NEVER, STALE
from ynab_pipeline.project import log_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from ynab_pipeline.freshness import Budget, Report, Run, Scheduled, Sync

_COLUMNS = 80
_NAME = 30


def page(
    report: Report,
    schedule: Sequence[Scheduled],
    now: datetime,
    stale_after: timedelta,
    place: Mapping[str, str],
) -> str:
    """Return the answer for a person.

    Args:
        report: How fresh the tables are.
        schedule: The next runs, the first one first.
        now: The time.
        stale_after: The age at which a success is no longer fresh.
        place: The `environment` and the `schema`.
    """
    where = f"Environment {place['environment']}, schema {place['schema']}"
    lines = [f"{where}: {_verdict(report, stale_after)}"]
    if report.budgets:
        lines += _table(report.budgets, now)
    lines += _notes(report, now)
    if schedule:
        at = schedule[0].at
        when = (
            f"{at:%H:%M}"
            if at.date() == now.astimezone(at.tzinfo).date()
            else f"{at:%Y-%m-%d %H:%M}"
        )
        lines.append(f"Next run by the schedule: {schedule[0].job} at {when}, in {span(at - now)}")
    return "\n".join(lines)


def _verdict(report: Report, stale_after: timedelta) -> str:
    if report.state == NEVER:
        return "no sync yet"
    if report.state == STALE:
        return f"stale, a last success is older than {span(stale_after)}"
    return report.state


def _table(budgets: Sequence[Budget], now: datetime) -> Iterator[str]:
    rows = [
        (
            _shortened(printable(budget.name)),
            _ago(now - budget.last_success.finished_at) if budget.last_success else "never",
            f"{budget.last.rows:,}",
            _state(budget, now),
        )
        for budget in budgets
    ]
    rows.insert(0, ("budget", "last success", "rows", "state"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, success, count, state in rows:
        yield f"  {name:{widths[0]}}  {success:{widths[1]}}  {count:>{widths[2]}}  {state}"


def _state(budget: Budget, now: datetime) -> str:
    if budget.state == LEFT:
        return "not in the last run"
    if budget.last.status == "succeeded":
        return budget.state
    last_run = f"{budget.last.status} {_ago(now - budget.last.finished_at)}"
    return last_run if budget.state == budget.last.status else f"{budget.state}, {last_run}"


def _notes(report: Report, now: datetime) -> Iterator[str]:
    for budget in report.budgets:
        if budget.last.error and budget.state != LEFT:
            yield from _wrapped(f"{budget.name}: {budget.last.error}")
    if failure := report.account_failure:
        yield from _wrapped(f"The run of {_ago(now - failure.finished_at)} failed: {failure.error}")
    for run in report.failed_runs:
        yield from _wrapped(_words(run, now))
    if report.is_unrecorded:
        yield from _wrapped(
            "Meltano's last run has succeeded, but the table syncs has no row of it: select the "
            "stream syncs."
        )
    for run in report.running:
        yield f"{run.job} is under way, for {span(now - run.started_at)}"


def _words(run: Run, now: datetime) -> str:
    ago = _ago(now - run.ended_at)
    if run.state == DIED:
        return (
            f"{run.job} died {ago} without a word: it was killed, or the machine stopped. The "
            "next run goes on from there."
        )
    return f"{run.job} failed {ago}: {run.error}. {log_file()} has more."


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(text), _COLUMNS, subsequent_indent="  ", break_on_hyphens=False)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."


def printable(text: str) -> str:
    """Return a text without characters that could control a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _ago(age: timedelta) -> str:
    return f"{span(age)} ago"


def span(time: timedelta) -> str:
    """Return a span of time in words, such as `2 h 5 min`."""
    seconds = max(0, int(time.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min"
    if days <= 1:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} days"


def document(
    report: Report,
    schedule: Sequence[Scheduled],
    now: datetime,
    stale_after: timedelta,
    place: Mapping[str, str],
) -> dict[str, Any]:
    """Return the answer for a program; the arguments are those of `page`."""
    next_run = schedule[0].at if schedule else None
    return {
        "state": report.state,
        "checked_at": _time(now),
        **place,
        "stale_after_hours": stale_after.total_seconds() / 3600,
        "budgets": [_budget(budget, now, next_run) for budget in report.budgets],
        "account_error": report.account_failure.error if report.account_failure else None,
        "failed_runs": [_run(run) for run in report.failed_runs],
        "running": [_run(run) for run in report.running],
        "next_runs": [{"job": job, "at": _time(at)} for job, at in schedule],
    }


def _budget(budget: Budget, now: datetime, next_run: datetime | None) -> dict[str, Any]:
    success, failure = budget.last_success, budget.last_failure
    return {
        "id": budget.id,
        "name": budget.name,
        "state": budget.state,
        "last_success_at": _ended(success),
        "age_seconds": int((now - success.finished_at).total_seconds()) if success else None,
        "last_run_at": _ended(budget.last),
        "last_run": budget.last.status,
        "mode": budget.last.mode,
        "rows": budget.last.rows,
        "last_error": failure.error if failure else None,
        "last_error_at": _ended(failure),
        "next_run_at": _time(next_run),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "job": run.job,
        "state": run.state,
        "started_at": _time(run.started_at),
        "last_sign_at": _time(run.ended_at),
        "error": run.error,
    }


def _ended(sync: Sync | None) -> str | None:
    return _time(sync.finished_at) if sync else None


def _time(at: datetime | None) -> str | None:
    return at.astimezone(timezone.utc).isoformat(timespec="seconds") if at else None
