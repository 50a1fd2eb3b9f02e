"""Meltano's run history and schedules, read in Meltano's own environment."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from cronsim import CronSimError

# Types are checked where Meltano is not installed: it has an environment of its own.
from meltano.core.db import project_engine  # type: ignore[import-not-found]
from meltano.core.job import Job, State  # type: ignore[import-not-found]
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ynab_pipeline import meltano
from ynab_pipeline.cron import following
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.freshness import AHEAD, DIED, FAILED, RUNNING, SUCCEEDED, Run, Scheduled

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The variable with the URI of Meltano's database.
_DATABASE = "MELTANO_DATABASE_URI"
#: A run writes each second that it is alive.
_SILENCE = timedelta(minutes=1)
#: Begins the error of a run that Meltano found dead.
_FOUND_DEAD = "No heartbeat recorded"


class History:
    """The project's run history and schedules."""

    def __init__(self) -> None:
        """Find the project, from the current folder upwards.

        Raises:
            PipelineError: If Meltano cannot read it.
        """
        self._project = meltano.project()
        self._meltano = self._project.meltano

    def runs(self, environment: str, suffix: str, database: str | None = None) -> list[Run]:
        """Return the runs that matter for the present state, the latest first.

        These are, of each job, those that are under way and the last one before them.

        Args:
            environment: The environment of Meltano.
            suffix: The suffix of the state id, if any.
            database: The URI of Meltano's database, that of the project if None.

        Raises:
            PipelineError: If Meltano's database does not answer, or its URI is wrong.
        """
        try:
            return self._runs(environment, suffix, database)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            reason = _reason(error)
            raise PipelineError(f"Meltano's run history cannot be read: {reason}") from error

    def _runs(self, environment: str, suffix: str, database: str | None) -> list[Run]:
        if database is None:
            engine, _ = project_engine(self._project)
        else:
            engine = create_engine(database, poolclass=NullPool)
        found, latest = list[Run](), datetime.now(timezone.utc) + AHEAD
        with Session(engine) as session:
            for pair, job in self._pairs.items():
                state_id = ":".join(filter(None, (environment, pair, suffix)))
                history = session.query(Job).filter(Job.job_name == state_id)
                for row in history.order_by(Job.started_at.desc()):
                    if row.state is State.STATE_EDIT or row.started_at > latest:
                        continue  # no run, but `meltano state`; or the clock was wrong
                    found.append(_run(job, row))
                    if found[-1].state != RUNNING:
                        break
        return sorted(found, key=lambda run: run.started_at, reverse=True)

    @cached_property
    def _pairs(self) -> dict[str, str]:
        """Return the job of each extractor and loader, by their part of the state id."""
        pairs: dict[str, str] = {}
        for job in self._meltano.jobs:
            for task in job.tasks:
                words = task.split() if isinstance(task, str) else task
                for pair in combinations(words, 2):
                    pairs.setdefault("-to-".join(pair), job.name)
        return pairs

    def schedule(self) -> Iterator[Scheduled]:
        """Yield the next run of each job by its schedule, in the time zone of this machine."""
        now = datetime.now()  # noqa: DTZ005 -- as cron has it
        for _, job, interval in self.intervals():
            with suppress(CronSimError):
                if at := following(interval, None, now):
                    yield Scheduled(job, at.astimezone())

    def intervals(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, job and interval of each schedule that has one, as in a crontab."""
        for each in self._meltano.schedules:
            if each.cron_interval:
                yield each.name, getattr(each, "job", each.name), each.cron_interval


def _reason(error: Exception) -> str:
    """Return why Meltano's database cannot be read, in one line."""
    if isinstance(error, ValueError):  # its text may quote a piece of the password
        return f"{_DATABASE} is not the URI of a database"
    line = str(error).partition("\n")[0]
    if isinstance(error, ImportError):
        return f"{line}: install into .venv what {_DATABASE} needs"
    return line


def _run(job: str, row: Job) -> Run:
    last_sign = row.ended_at or row.last_heartbeat_at or row.started_at
    error = row.payload.get("error")
    if row.state is State.SUCCESS:
        state = SUCCEEDED
    elif row.state is State.RUNNING:
        is_alive = datetime.now(timezone.utc) - last_sign < _SILENCE
        state = RUNNING if is_alive else DIED
    elif str(error).startswith(_FOUND_DEAD):
        state, last_sign = DIED, row.last_heartbeat_at
    else:
        state = FAILED
    return Run(job, state, row.started_at, last_sign, error)
