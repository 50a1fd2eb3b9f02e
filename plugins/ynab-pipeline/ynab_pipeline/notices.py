"""Memory of what people were told, and telling them what has changed since."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from threading import Event, Thread
from typing import TYPE_CHECKING

from ynab_pipeline import meltano, notify, status
from ynab_pipeline.changes import REMOVED, Failing, Seen, Told, change, message
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.files import open_lock, write_config
from ynab_pipeline.freshness import FAILED, RUNNING, STALE_AFTER, SUCCEEDED
from ynab_pipeline.log import say
from ynab_pipeline.project import log_file, tenant_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ynab_pipeline.workspace import Workspace

_HOUR = timedelta(hours=1)
#: Seconds that the database has to answer: a message about it must not wait for it.
_LIMIT = 15
#: Of a line that says what may happen after a crash.
TWICE = "a notification may come twice"


@dataclass(frozen=True)
class Notices:
    """Notices to people about the runs of an environment, and of a tenant in it."""

    project: Workspace
    #: The option of the command, None for Meltano's own choice.
    environment: str | None
    #: Whether the runs load the tables of that environment, which then grow stale.
    load_tables: bool = True

    def succeeded(self, job: str) -> None:
        """Tell that a job has recovered, if it failed before."""
        # Then nobody was told of anything, and the database need not be asked.
        if self._urls and self._path.exists():
            self._tell(job, SUCCEEDED, "")

    def failed(self, job: str, reason: str) -> None:
        """Tell people that a job fails, and that the tables are stale, unless they were told."""
        if self._urls:
            self._tell(job, FAILED, reason)

    @contextmanager
    def watching(self, job: str) -> Iterator[None]:
        """Tell people that the tables are stale, unless they were told, while a job does not end.

        A thread does it, so that a signal for the job need not wait for a database or a service.
        """
        ended = Event()
        if self._urls:
            interval = min(_HOUR, self._stale_after).total_seconds()

            def watch() -> None:
                while not ended.wait(interval):
                    self._tell(job, RUNNING, "")

            Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def removed(self, job: str) -> None:
        """Forget a job that is run no more."""
        self._tell(job, REMOVED, "")

    @property
    def failing(self) -> set[str]:
        """The jobs of which people were told that they fail."""
        return set(self._told().failing) if self._urls else set()

    @property
    def _urls(self) -> list[str]:
        return notify.urls_in(self.project.variables)

    @property
    def _path(self) -> Path:
        key = tenant_key(self.project.tenant)
        return self.project.meltano / "notices" / f"{key}.json"

    def _tell(self, job: str, state: str, reason: str) -> None:
        try:
            descriptor = open_lock(self._path.with_suffix(".lock"))
        except OSError as error:
            say(f"nobody is notified: {explain(error)}", "warning")
            return
        try:
            # Of two jobs that end together, one tells and the other one then knows.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            told = self._told()
            seen = Seen(job, state, reason, self._is_stale(told, state), _now())
            after, kind = change(told, seen)
            # Sent before it is written: if this process dies in between, people hear it twice,
            # and in the other order never. If no service takes it, the next run tries again.
            if kind is None or self._send(kind, after, seen):
                self._remember(after)
        finally:
            os.close(descriptor)

    def _send(self, kind: str, after: Told, seen: Seen) -> bool:
        title, body = message(kind, after, seen, self.project.place, self._stale_after)
        command = f".venv/bin/ynab-pipeline{meltano.chosen(self.environment)}"
        more = (
            f"`{command} status` and {log_file()} tell more."
            if self.load_tables
            else f"`{command} tenants list` tells more."
        )
        return notify.send(self._urls, title, f"{body}\n{more}")

    def _is_stale(self, told: Told, state: str) -> bool:
        """Tell whether a last success is too old, by the tables or, if they can't tell, by told."""
        if not self.load_tables:
            return told.is_stale
        if told.is_stale and state != SUCCEEDED:
            return True
        if state == SUCCEEDED and not told.is_stale:
            return False
        try:
            return bool(status.look(self.environment, _LIMIT)["report"].is_stale)
        except (PipelineError, OSError):
            since = min((each.since for each in told.failing.values()), default=_now())
            return _now() - since > self._stale_after

    @cached_property
    def _stale_after(self) -> timedelta:
        try:
            return status.hours(self.project.variables.get(STALE_AFTER, ""))
        except PipelineError as error:
            say(f"{error}, which is what counts now", "warning")
            return status.hours("")

    def _told(self) -> Told:
        """Return what people were told; nothing if the file is damaged, which then is removed."""
        try:
            entry = json.loads(self._path.read_text(encoding="utf-8"))
            failing = {
                str(job): Failing(str(reason), datetime.fromisoformat(since))
                for job, (reason, since) in entry["failing"].items()
            }
            return Told(failing, bool(entry["stale"]))
        except FileNotFoundError:
            return Told()
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            say(f"{self._path} is damaged and is removed: {TWICE}", "warning")
            self._path.unlink(missing_ok=True)
            return Told()

    def _remember(self, told: Told) -> None:
        failing = {job: [each.reason, each.since.isoformat()] for job, each in told.failing.items()}
        try:
            if told == Told():
                self._path.unlink(missing_ok=True)
            else:
                write_config(self._path, {"failing": failing, "stale": told.is_stale})
        except OSError as error:
            say(f"{TWICE}: {explain(error)}", "warning")


def _now() -> datetime:
    return datetime.now(timezone.utc)
