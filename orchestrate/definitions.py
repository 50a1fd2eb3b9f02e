"""Definitions that Dagster loads: assets, jobs, schedules and sensors."""

from __future__ import annotations

import dagster as dg

from orchestrate import alerts, assets, project, schedules

#: Jobs after which the views are made and tested, too: once a day, because a view needs no refresh.
_WITH_VIEWS = {"reconcile"}


def _job(name: str) -> dg.JobDefinition:
    """Return a job of meltano.yml, with the steps after it."""
    steps = assets.ALL if name in _WITH_VIEWS else [assets.tables, assets.report]
    return dg.define_asset_job(
        project.dagster_name(name),
        selection=steps,
        description=f"{name} of meltano.yml",
        tags={assets.JOB: name},
        # A process for each step would take seconds more, and what takes memory is a child anyway.
        executor_def=dg.in_process_executor,
    )


defs = dg.Definitions(
    assets=assets.ALL,
    jobs=[_job(name) for name in project.jobs()],
    schedules=[schedules.schedule(each) for each in project.schedules()],
    sensors=[schedules.accounts_sensor(), alerts.sensor()],
)
