"""A job for all tenants: `ynab-pipeline run JOB --tenants`.

Each tenant's run is a process of its own, the command `ynab-pipeline run` with that tenant's env
file. One that fails stops no other.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, TYPE_CHECKING, NamedTuple

from ynab_pipeline import outcome
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.freshness import FAILED, SUCCEEDED
from ynab_pipeline.log import say, show
from ynab_pipeline.notices import TWICE
from ynab_pipeline.notify import NOTIFY
from ynab_pipeline.ping import PING
from ynab_pipeline.status_page import printable
from ynab_pipeline.tenants import env_file, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ynab_pipeline.signals import Signals
    from ynab_pipeline.tenants.env_file import Tenant

#: Seconds that the runs have to end, longer than each of them gives Meltano.
_STOP_LIMIT = 25
#: What `notices`, `notify` and `ping` say if something does not work.
_WARNING = re.compile(rf"{NOTIFY}|{PING}|nobody is notified|{TWICE}")
_STOPPED, _NOT_RUN = "stopped", "not run"
#: A run that has ended itself after a signal has a higher exit code.
_SIGNAL = 128
_HEADING = ("tenant", "state", "rows", "seconds", "error")


class Result(NamedTuple):
    """Outcome of the run of a tenant."""

    tenant: str
    state: str
    rows: int | None = None
    seconds: float | None = None
    error: str = ""
    #: Whether the run has told people that it failed.
    has_told: bool = False
    #: Lines about notifications and pings that did not work.
    warnings: Sequence[str] = ()


@dataclass
class _Run:
    """A run of a tenant that is under way."""

    tenant: str
    process: subprocess.Popen[bytes]
    #: What it says, in a file without a name.
    output: IO[bytes]
    began: float = field(default_factory=monotonic)

    def result(self) -> Result:
        """Return how it has ended."""
        with self.output:
            self.output.seek(0)
            lines = self.output.read().decode(errors="replace").splitlines()
        code, seconds = self.process.wait(), monotonic() - self.began
        warnings = [line for line in lines if _WARNING.search(line)]
        if code == 0:
            rows = outcome.counts(lines).get("rows")
            return Result(self.tenant, SUCCEEDED, rows, seconds, warnings=warnings)
        state = _STOPPED if code > _SIGNAL else FAILED
        failure = outcome.failure(lines)
        error = f"killed by {signal.Signals(-code).name}" if code < 0 else failure or _last(lines)
        return Result(self.tenant, state, None, seconds, error, bool(failure), warnings)


@dataclass
class _Running:
    """The runs that are under way; to `Signals.wait`, a child that ends as soon as one of them."""

    root: Path
    job: str
    runs: list[_Run] = field(default_factory=list)
    #: Results that are not taken yet, of runs that could not be started.
    _unstarted: list[Result] = field(default_factory=list)

    def start(self, tenant: str) -> None:
        """Start the run of a tenant; it has ended at once if there is no room for it."""
        try:
            output = TemporaryFile()  # noqa: SIM115 -- closed by `result`
            process = subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("ynab-pipeline")),
                    f"--env-file={env_file.FOLDER}/{tenant}.env",
                    "run",
                    self.job,
                ],
                cwd=self.root,
                env=start.without_settings(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for this process, which passes it on
            )
        except OSError as error:
            self._unstarted.append(Result(tenant, FAILED, error=explain(error)))
        else:
            self.runs.append(_Run(tenant, process, output))

    def poll(self) -> int | None:
        """Return a number if one has ended, as `Popen.poll` does."""
        return next((0 for run in self.runs if run.process.poll() is not None), None)

    def take_ended(self) -> list[Result]:
        """Return the results of those that have ended, which are no longer under way."""
        ended = [run for run in self.runs if run.process.poll() is not None]
        self.runs = [run for run in self.runs if run not in ended]
        unstarted, self._unstarted = self._unstarted, []
        return [*unstarted, *(run.result() for run in ended)]

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        for run in self.runs:
            run.process.send_signal(number)


def run_all(
    root: Path,
    job: str,
    found: Mapping[str, Tenant | PipelineError],
    parallel: int,
    signals: Signals,
) -> tuple[int, list[Result]]:
    """Run a job for all tenants, and print how each has ended.

    Args:
        root: The project.
        job: The job or schedule.
        found: The tenants, as `env_file.for_all` returns them.
        parallel: How many run at the same time.
        signals: The signals that end it. A second one ends it at once.

    Returns:
        The exit code, and how each has ended.
    """
    began, running = monotonic(), _Running(root, job)
    waiting = [name for name, tenant in found.items() if not isinstance(tenant, PipelineError)]
    results = [Result(name, FAILED, error=str(found[name])) for name in found.keys() - set(waiting)]
    ended_by: int | None = None
    limit: float | None = None
    try:
        while running.runs or (waiting and not ended_by):
            while waiting and not ended_by and len(running.runs) < parallel:
                running.start(waiting.pop(0))
            if running.runs:
                signals.wait(running, limit and limit - monotonic())
            for result in running.take_ended():
                for line in _lines(result):
                    say(line)
                results.append(result)
            if number := signals.take():
                ended_by, limit = ended_by or number, limit or monotonic() + _STOP_LIMIT
                running.signal(number)
            elif limit and monotonic() > limit:
                running.signal(signal.SIGKILL)
    finally:
        running.signal(signal.SIGTERM)  # to those that an error here would leave behind
    results += [Result(name, _NOT_RUN) for name in waiting]
    table = _table(sorted(results, key=lambda result: result.tenant))
    show(f"{table}\n{_sum(results, job, monotonic() - began)}")
    if ended_by:
        return _SIGNAL + ended_by, results
    return int(any(result.state != SUCCEEDED for result in results)), results


def _last(lines: Sequence[str]) -> str:
    """Return the last line, which says what kept Meltano from being started."""
    return lines[-1].removeprefix("ynab-pipeline: ") if lines else "it said nothing"


def _lines(result: Result) -> Iterator[str]:
    """Yield how a run has ended, then its warnings about notifications and pings."""
    error = f": {printable(result.error)}" if result.error else ""
    yield f"{result.tenant} {result.state}{error}"
    yield from (f"{result.tenant}: {printable(line)}" for line in result.warnings)


def _table(results: Sequence[Result]) -> str:
    cells = [
        (
            ascii(result.tenant)[1:-1],
            result.state,
            "" if result.rows is None else f"{result.rows:,}",
            "" if result.seconds is None else f"{result.seconds:.1f}",
            printable(result.error),
        )
        for result in results
    ]
    lines = [_HEADING, *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        f"{name:{widths[0]}}  {state:{widths[1]}}  {rows:>{widths[2]}}  {seconds:>{widths[3]}}  "
        f"{error}".rstrip()
        for name, state, rows, seconds, error in lines
    )


def _sum(results: Sequence[Result], job: str, seconds: float) -> str:
    counts = Counter(result.state for result in results)
    words = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    tenants = "1 tenant" if len(results) == 1 else f"{len(results)} tenants"
    return f"{job} for {tenants}: {words}, {seconds:.1f} s"
