"""Messages about runs that have failed, through Apprise."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import dagster as dg
from dotenv import dotenv_values
from ynab_pipeline import notify

from orchestrate import project
from orchestrate.assets import PARTITION, TOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Tag in which Dagster says why a run failed. It is missing if the run was lost or took too long.
_FAILURE_REASON = "dagster/failure_reason"
_DAGSTER_STOPPED = "UNEXPECTED_TERMINATION"
_STEP_FAILED = "STEP_FAILURE"
#: Tag of a run about whose failure a message was sent, with this run or an earlier one.
_NOTIFIED = "tap-ynab/notified"
_NO_STEP = "Dagster ended the run. Perhaps its process is gone, or it took too long."


class _Failure(NamedTuple):
    step: str
    reason: str
    #: Whether `ynab-pipeline run` tells people of it.
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
    """Send a message about a failed run, unless one was sent about the same failure.

    The outcome is written to the log of the run.
    """
    run, instance = context.dagster_run, context.instance
    failures = _failures(instance, run)
    what = ", ".join(failure.step for failure in failures) or run.job_name
    is_notified = False
    if reason := _reason_to_skip(run, failures):
        outcome = f"no message, since {reason}"
    elif is_notified := _is_notified(instance, run, what):
        outcome = "no message, since the run before failed in the same way"
    elif is_notified := _send(context, what, failures):
        outcome = "a message was sent"
    else:
        outcome = "no service took the message; it is tried again with the next failure"
    if is_notified:
        instance.add_run_tags(run.run_id, {_NOTIFIED: _value(run, what)})
    # Not a SkipReason: one evaluation of a sensor may be about several runs, and takes only one.
    instance.report_engine_event(f"alerts: {outcome}", run)


def _reason_to_skip(run: dg.DagsterRun, failures: Sequence[_Failure]) -> str | None:
    """Return why a failed run is no reason for a message, or None if it is one."""
    account = run.tags.get(PARTITION, "")
    if run.tags.get(_FAILURE_REASON) == _DAGSTER_STOPPED:
        return "Dagster was stopped"
    if account not in project.accounts():
        return f"there is no account {account}"
    if not _urls(account):
        return f"{notify.NOTIFY} is not in {project.env_file(account)}"
    if any(failure.is_told for failure in failures):  # the steps after it did not run
        return "ynab-pipeline run tells of it, once"
    return None


def _is_notified(instance: dg.DagsterInstance, run: dg.DagsterRun, what: str) -> bool:
    """Return whether this run, or the one before it, has the tag for this failure."""
    ended = dg.RunsFilter(
        job_name=run.job_name,
        tags={PARTITION: run.tags[PARTITION]},
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
    )
    before = instance.get_runs(ended, cursor=run.run_id, limit=1)
    return any(each.tags.get(_NOTIFIED) == _value(each, what) for each in [run, *before])


def _value(run: dg.DagsterRun, what: str) -> str:
    """Return the value of the tag, with the run's id, since a re-execution inherits all tags."""
    return f"{run.run_id[:8]} {what}"


def _send(context: dg.RunFailureSensorContext, what: str, failures: Sequence[_Failure]) -> bool:
    """Send a message, and return whether a service took it."""
    run = context.dagster_run
    account = run.tags[PARTITION]
    reasons = [failure.reason for failure in failures] or [
        f"{_NO_STEP} Dagster says: {context.failure_event.message}"
    ]
    advice = f"Dagster's page has the log of the run {run.run_id[:8]}."
    title = f"tap-ynab, {account}: {what} failed"
    return notify.send(_urls(account), title, "\n".join([*reasons, advice]))


def _urls(account: str) -> list[str]:
    """Return the URLs of an account, or those of `.env` if nobody can read its env file."""
    for each in (account, project.OWN):
        with suppress(OSError, UnicodeDecodeError):
            return (dotenv_values(project.env_file(each)).get(notify.NOTIFY) or "").split()
    return []


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[_Failure]:
    """Return the steps of a run that failed on their own."""
    if run.tags.get(_FAILURE_REASON) != _STEP_FAILED:
        return []  # Dagster ended the run, and with it the step that was under way
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [_failure(record.event_log_entry.dagster_event) for record in records.records]


def _failure(event: dg.DagsterEvent) -> _Failure:
    failure, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
    if failure is None:
        return _Failure(event.step_key, error.message.strip(), is_told=False)
    told = failure.metadata.get(TOLD)
    return _Failure(event.step_key, failure.description, bool(told and told.value))
