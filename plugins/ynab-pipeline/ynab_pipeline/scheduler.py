"""Runs by the clock, one at a time, with APScheduler."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING

# It comes without types.
from apscheduler.events import (  # type: ignore[import-untyped]
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    JobEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]
from cronsim import CronSimError

from ynab_pipeline import meltano
from ynab_pipeline.cron import first, following
from ynab_pipeline.errors import PipelineError, UsageError
from ynab_pipeline.log import say
from ynab_pipeline.run import STOP_LIMIT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ynab_pipeline.freshness import Run
    from ynab_pipeline.history import History
    from ynab_pipeline.signals import Signals
    from ynab_pipeline.workspace import Workspace

#: Seconds after which the clock is looked at: it stands still while the machine sleeps.
_TICK = 60
#: Seconds that a run has to end: it gives Meltano its own limit, and with tenants more.
_STOP_LIMIT = STOP_LIMIT + 10


class Cron(BaseTrigger):  # type: ignore[misc]  # without types, as above
    """The times of a schedule as cron has them. APScheduler's own trigger has Monday as day 0."""

    def __init__(self, cron: str) -> None:
        """Begin with the next time.

        Args:
            cron: The interval.
        """
        self._cron = cron
        self._last: datetime | None = None

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the next time, one for all that were missed."""
        self._last = previous_fire_time or self._last
        return following(self._cron, self._last, now)


class Scheduler:
    """Starts `ynab-pipeline run` when a schedule is due."""

    def __init__(self, environment: str | None, jitter: str, options: Sequence[str] = ()) -> None:
        """Schedule nothing yet.

        Args:
            environment: The environment of Meltano, None for Meltano's own choice.
            jitter: The time that each run waits at most, as `--jitter` has it.
            options: More options of each run.
        """
        self._environment, self._jitter, self._options = environment, jitter, options
        self._child: subprocess.Popen[bytes] | None = None
        self._lock, self._idle, self._is_ending = Lock(), Event(), False
        self._idle.set()
        # Its log is for developers; what people need to know, the listener says.
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())
        logging.getLogger("apscheduler").propagate = False
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._scheduler.add_listener(_tell, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)

    def now(self) -> datetime:
        """Return the time in the time zone of the machine, as the schedules have it."""
        return datetime.now(self._scheduler.timezone)

    def add(
        self, name: str, trigger: BaseTrigger, at: datetime | None, *, has_jitter: bool = True
    ) -> None:
        """Add a schedule.

        Args:
            name: Its name.
            trigger: Its times.
            at: The first time, which may be over; None if there is none.
            has_jitter: Whether the first run waits for a random time.
        """
        jitters = iter(() if has_jitter else ("0s",))
        self._scheduler.add_job(
            lambda: self._run(name, next(jitters, self._jitter)),
            trigger,
            id=name,
            next_run_time=at,
        )

    def run(self, signals: Signals) -> None:
        """Run what is due until a signal comes, and end the run that is under way."""
        self._scheduler.start()
        while not signals.received:
            self._look_at_clock()
            signals.wait(timeout=_TICK)
        with self._lock:
            self._is_ending = True
        if self._child is not None and not self._idle.is_set():
            self._child.terminate()
            if not self._idle.wait(_STOP_LIMIT):
                self._child.kill()
        self._scheduler.shutdown()

    def _look_at_clock(self) -> None:
        """Have the scheduler notice that the clock was set, or that the machine has slept."""
        now = self.now()
        for job in self._scheduler.get_jobs():
            at = job.trigger.get_next_fire_time(None, now)
            # Else it would wait until the clock shows again what it has shown before.
            if job.next_run_time and at and at < job.next_run_time:
                job.modify(next_run_time=at)
        self._scheduler.wakeup()

    def _run(self, name: str, jitter: str) -> None:
        with self._lock:
            if self._is_ending:
                return
            _log(f"{name} starts")
            began = monotonic()
            self._child = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ynab_pipeline.cli"),
                    *meltano.options(self._environment),
                    *("run", name, f"--jitter={jitter}", *self._options),
                ],
                env=os.environ,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process, which ends the run
            )
            self._idle.clear()
        try:
            code = self._child.wait()
        finally:
            self._idle.set()
        how = "succeeded" if code == 0 else f"ended with {code}"
        _log(f"{name} {how} after {timedelta(seconds=round(monotonic() - began))}")


def run(project: Workspace, options: argparse.Namespace, signals: Signals) -> None:
    """Run the schedules of a project until a signal comes.

    Args:
        project: The project.
        options: Those of the command: `environment`, `jitter` and `tenants`.
        signals: The signals that come.

    Raises:
        UsageError: If there is no schedule, or its interval is none.
    """
    from ynab_pipeline.history import History  # noqa: PLC0415 -- not beside the tests

    history = History()
    starts = _tenants_starts(project, history) if options.tenants else _starts(project, history)
    of_run = ["--tenants"] if options.tenants else []
    scheduler = Scheduler(options.environment, options.jitter, of_run)
    now, is_new, has_schedule = scheduler.now(), not starts, False
    earliest = min(starts.values(), default=None)  # for a job that has never been started
    for name, job, interval in history.intervals():
        try:
            at = first(interval, starts.get(job, earliest), now)
        except CronSimError as error:
            raise UsageError(
                f"the schedule {name} has the interval {interval!r}: {error}; set another one in "
                "meltano.yml, such as '0 */4 * * *'"
            ) from error
        if is_new:
            at = now  # the first data are wanted soon
        scheduler.add(name, Cron(interval), at, has_jitter=not is_new)
        is_new, has_schedule = False, True
        when = "now" if at and at <= now else f"at {at:%Y-%m-%d %H:%M}" if at else "never"
        _log(f"{name} is due {when}, {interval}")
    if not has_schedule:
        raise UsageError("meltano.yml has no schedule with an interval")
    scheduler.run(signals)
    _log("ended")


def _starts(project: Workspace, history: History) -> dict[str, datetime]:
    """Return when each job was last started."""
    with suppress(PipelineError):  # Meltano has never run here, so it has no history
        return _last(history.runs(*project.tenant))
    return {}


def _tenants_starts(project: Workspace, history: History) -> dict[str, datetime]:
    """Return when each job was last started, for the tenant for which that is the longest ago."""
    from ynab_pipeline.tenants import env_file, overview  # noqa: PLC0415 -- not needed otherwise

    starts: dict[str, datetime] = {}
    for tenant in env_file.read_all(project.root).values():
        with suppress(PipelineError):  # likewise
            if isinstance(tenant, PipelineError):
                continue
            for job, at in _last(overview.runs_of(project.root, tenant, history)).items():
                starts[job] = min(at, starts.get(job, at))
    return starts


def _last(runs: Sequence[Run]) -> dict[str, datetime]:
    """Return when each job was last started, from runs of which the latest is the first."""
    return {run.job: run.started_at for run in reversed(runs)}


def _tell(event: JobEvent) -> None:
    if event.code == EVENT_JOB_MAX_INSTANCES:
        _log(f"{event.job_id} is due, but its last run is still under way: left out")
    else:
        _log(f"{event.job_id} could not be run: {event.exception}")


def _log(line: str) -> None:
    say(f"{datetime.now():%Y-%m-%d %H:%M:%S} schedule: {line}")  # noqa: DTZ005 -- as a clock on a wall
