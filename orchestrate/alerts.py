"""Messages about runs that have failed, through Apprise."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import dagster as dg
from dotenv import dotenv_values
from ynab_pipeline import notify

from orchestrate import project
from orchestrate.assets import NOTIFIED, PARTITION

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Tag that Dagster gives to a failed run, with the kind of failure, unless it has given the run up.
_KIND = "dagster/failure_reason"
#: Dagster was stopped during the run.
_STOPPED = "UNEXPECTED_TERMINATION"
#: A step has failed by itself.
_STEP_FAILED = "STEP_FAILURE"
#: Tag of a run whose failure people know.
_TOLD = "tap-ynab/told"
_NO_STEP = "Dagster ended the run. Perhaps its process is gone, or it took too long."


class _Failure(NamedTuple):
    step: str
    reason: str
    #: Whether somebody has been told.
    is_told: bool


def sensor() -> dg.SensorDefinition:
    """Return the sensor that looks for failed runs."""
    return dg.run_failure_sensor(
        name="alerts",
        description=alerts.__doc__,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=10,
    )(alerts)


def alerts(context: dg.RunFailureSensorContext) -> None:
    """Send a message about a failed run, unless people know of the same failure.

    The log of the run says what came of it.
    """
    run, instance = context.dagster_run, context.instance
    failures = _failures(instance, run)
    why_not = _why_not(run, failures)
    outcome = f"no message, since {why_not}" if why_not else _send(context, failures)
    # Not as a SkipReason: Dagster takes only one for all runs that it looks at together.
    instance.report_engine_event(f"alerts: {outcome}", run)


def _why_not(run: dg.DagsterRun, failures: Sequence[_Failure]) -> str | None:
    """Return why nobody is to be told of a failed run, if so."""
    if run.tags.get(_KIND) == _STOPPED:
        return "Dagster was stopped"
    if any(failure.is_told for failure in failures):
        return "ynab-pipeline run has sent one"
    account = run.tags.get(PARTITION, "")
    return None if account in project.accounts() else f"there is no account {account}"


def _send(context: dg.RunFailureSensorContext, failures: Sequence[_Failure]) -> str:
    """Send a message, unless people know of the failure; return what came of it."""
    run, instance = context.dagster_run, context.instance
    what = ", ".join(failure.step for failure in failures) or run.job_name
    told = {_TOLD: _told(run, what)}
    if _is_known(instance, run, what):
        instance.add_run_tags(run.run_id, told)
        return "no message, since the run before failed in the same way"
    account = run.tags[PARTITION]
    urls = _urls(account)
    if not urls:
        return f"no message, since {notify.NOTIFY} is not in {project.env_file(account)}"
    reasons = [failure.reason for failure in failures] or [
        f"{_NO_STEP} Dagster says: {context.failure_event.message}"
    ]
    advice = f"Dagster's page has the log of the run {run.run_id[:8]}."
    if not notify.send(urls, f"tap-ynab, {account}: {what} failed", "\n".join([*reasons, advice])):
        return "no service took the message; the next failure sends it again"
    instance.add_run_tags(run.run_id, told)
    return "a message was sent"


def _is_known(instance: dg.DagsterInstance, run: dg.DagsterRun, what: str) -> bool:
    """Return whether people were told of this failure, of this run or the one before."""
    ended = dg.RunsFilter(
        job_name=run.job_name,
        tags={PARTITION: run.tags[PARTITION]},
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
    )
    before = instance.get_runs(ended, cursor=run.run_id, limit=1)
    return any(each.tags.get(_TOLD) == _told(each, what) for each in [run, *before])


def _told(run: dg.DagsterRun, what: str) -> str:
    """Return the tag of a run of which people know; its id, since a run again has the same tags."""
    return f"{run.run_id[:8]} {what}"


def _urls(account: str) -> list[str]:
    """Return the URLs of an account; if its env file cannot be read, those of `.env`."""
    for each in (account, project.OWN):
        with suppress(OSError, UnicodeDecodeError):
            return (dotenv_values(project.env_file(each)).get(notify.NOTIFY) or "").split()
    return []


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[_Failure]:
    """Return the steps of a run that have failed by themselves."""
    if run.tags.get(_KIND) != _STEP_FAILED:
        return []  # Dagster has interrupted the step that was under way
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [_failure(record.event_log_entry.dagster_event) for record in records.records]


def _failure(event: dg.DagsterEvent) -> _Failure:
    failure, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
    if failure is None:
        return _Failure(event.step_key, error.message.strip(), is_told=False)
    notified = failure.metadata.get(NOTIFIED)
    return _Failure(event.step_key, failure.description, bool(notified and notified.value))
