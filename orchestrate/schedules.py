"""Partitions for the accounts, and the schedules of meltano.yml with a run for each account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from tzlocal import get_localzone_name

from orchestrate import project
from orchestrate.assets import ACCOUNTS, JOB, PARTITION
from orchestrate.spread import is_due, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
_UNFINISHED = [status for status in dg.DagsterRunStatus if status not in _ENDED]


def accounts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Keep the partitions as the env files are, while Dagster runs."""
    wanted = project.accounts().keys()
    present = set(context.instance.get_dynamic_partitions(str(ACCOUNTS.name)))
    if wanted == present:
        return dg.SkipReason("The accounts are as before.")
    changes = [
        ACCOUNTS.build_add_request(sorted(wanted - present)),
        ACCOUNTS.build_delete_request(sorted(present - wanted)),
    ]
    return dg.SensorResult(
        dynamic_partitions_requests=[change for change in changes if change.partition_keys]
    )


def accounts_sensor() -> dg.SensorDefinition:
    """Return the sensor that looks for env files."""
    return dg.SensorDefinition(
        name="accounts",
        description=accounts.__doc__,
        evaluation_fn=accounts,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )


def schedule(of: project.Schedule) -> dg.ScheduleDefinition:
    """Return a schedule of meltano.yml, which is off until a person turns it on."""
    job = project.dagster_name(of.job)

    def due(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        """Yield a run for each account that is due, unless its last one has not ended."""
        names = list(project.accounts())
        context.instance.add_dynamic_partitions(str(ACCOUNTS.name), names)
        unfinished = dg.RunsFilter(job_name=job, statuses=_UNFINISHED)
        busy = {run.tags.get(PARTITION) for run in context.instance.get_runs(unfinished)}
        minute = context.scheduled_execution_time.minute
        for account in names:
            if account not in busy and is_due(account, of.interval, minute):
                yield dg.RunRequest(run_key=account, partition_key=account, tags={JOB: of.name})

    return dg.ScheduleDefinition(
        name=project.dagster_name(of.name),
        description=f"{of.name} of meltano.yml: {of.interval}",
        job_name=job,
        cron_schedule=spread(of.interval),
        execution_timezone=get_localzone_name(),
        execution_fn=due,
    )
