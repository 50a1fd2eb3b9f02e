"""Dagster's code location: the jobs and schedules of meltano.yml, for each account."""
