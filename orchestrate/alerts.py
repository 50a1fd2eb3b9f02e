"""Messages about runs that have failed, through Apprise."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import dagster as dg
from dotenv import dotenv_values
from ynab_pipeline import notify

from orchestrate import project
from orchestrate.assets import NOTIFIED, PARTITION

#: Tag of a failed run that says what kind of failure it is; a run that Dagster gives up has none.
_KIND = "dagster/failure_reason"
#: Of a run that was under way when Dagster was stopped.
_STOPPED = "UNEXPECTED_TERMINATION"
#: Of a run with a step that has failed by itself.
_STEP_FAILED = "STEP_FAILURE"
_NO_STEP = "No step has failed. Perhaps the process is gone, or it took too long."


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
    )(alerts)


def alerts(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Tell of a run that has failed, unless somebody was told of the same failure already."""
    run, instance = context.dagster_run, context.instance
    if run.tags.get(_KIND) == _STOPPED:
        return dg.SkipReason("Dagster was stopped.")
    failures = _failures(instance, run)
    if any(failure.is_told for failure in failures):
        return dg.SkipReason("ynab-pipeline run has told of it.")
    account = run.tags.get(PARTITION, "")
    if account not in project.accounts():
        return dg.SkipReason(f"There is no account {account}.")
    before = dg.RunsFilter(
        job_name=run.job_name,
        tags={PARTITION: account},
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
    )
    for last in instance.get_runs(before, cursor=run.run_id, limit=1):
        is_alike = last.tags.get(_KIND) == run.tags.get(_KIND)
        steps = {failure.step for failure in _failures(instance, last)}
        if not last.is_success and is_alike and steps == {failure.step for failure in failures}:
            return dg.SkipReason("It was told of when it first failed in this way.")
    urls = _urls(account)
    if not urls:
        return dg.SkipReason(f"There is no {notify.NOTIFY} in {project.env_file(account)}.")
    what = ", ".join(failure.step for failure in failures) or run.job_name
    reasons = [failure.reason for failure in failures] or [
        f"{_NO_STEP} Dagster says: {context.failure_event.message}"
    ]
    advice = f"Dagster's page has the log of the run {run.run_id[:8]}."
    if not notify.send(urls, f"tap-ynab, {account}: {what} failed", "\n".join([*reasons, advice])):
        context.log.warning("No service took the message.")
    return None


def _urls(account: str) -> list[str]:
    """Return the URLs of an account; if its env file cannot be read, those of `.env`."""
    for each in (account, project.OWN):
        with suppress(OSError, UnicodeDecodeError):
            return (dotenv_values(project.env_file(each)).get(notify.NOTIFY) or "").split()
    return []


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[_Failure]:
    """Return the steps of a run that have failed by themselves."""
    if run.tags.get(_KIND) != _STEP_FAILED:
        return []  # one that was under way may have been interrupted
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [_failure(record.event_log_entry.dagster_event) for record in records.records]


def _failure(event: dg.DagsterEvent) -> _Failure:
    failure, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
    if failure is None:
        return _Failure(event.step_key, error.message.strip(), is_told=False)
    notified = failure.metadata.get(NOTIFIED)
    return _Failure(event.step_key, failure.description, bool(notified and notified.value))
