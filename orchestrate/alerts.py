"""Messages about runs that have failed, through Apprise."""

from __future__ import annotations

from typing import NamedTuple

import dagster as dg
from dotenv import dotenv_values
from ynab_pipeline import notify

from orchestrate import project
from orchestrate.assets import NOTIFIED, PARTITION

#: Error of a step that was under way when Dagster was stopped.
_STOPPED = "DagsterExecutionInterruptedError"


class _Failure(NamedTuple):
    step: str
    reason: str
    #: Whether nobody needs to be told.
    is_settled: bool


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
    failures = _failures(instance, run)
    if any(failure.is_settled for failure in failures):
        return dg.SkipReason("Dagster was stopped, or ynab-pipeline run has told of it.")
    account = run.tags.get(PARTITION, "")
    if account not in project.accounts():
        return dg.SkipReason(f"There is no account {account}.")
    before = dg.RunsFilter(
        job_name=run.job_name,
        tags={PARTITION: account},
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
    )
    for last in instance.get_runs(before, cursor=run.run_id, limit=1):
        steps = {failure.step for failure in _failures(instance, last)}
        if not last.is_success and steps == {failure.step for failure in failures}:
            return dg.SkipReason("It was told of when it first failed in this way.")
    urls = (dotenv_values(project.env_file(account)).get(notify.NOTIFY) or "").split()
    if not urls:
        return dg.SkipReason(f"There is no {notify.NOTIFY} in {project.env_file(account)}.")
    what = ", ".join(failure.step for failure in failures) or run.job_name
    reasons = [failure.reason for failure in failures] or [context.failure_event.message or ""]
    advice = f"Dagster's page has the log of the run {run.run_id[:8]}."
    if not notify.send(urls, f"tap-ynab, {account}: {what} failed", "\n".join([*reasons, advice])):
        context.log.warning("No service took the message.")
    return None


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[_Failure]:
    """Return the steps of a run that have failed."""
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [_failure(record.event_log_entry.dagster_event) for record in records.records]


def _failure(event: dg.DagsterEvent) -> _Failure:
    failure, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
    if failure is None:
        return _Failure(event.step_key, error.message.strip(), error.cls_name == _STOPPED)
    notified = failure.metadata.get(NOTIFIED)
    return _Failure(event.step_key, failure.description, bool(notified and notified.value))
