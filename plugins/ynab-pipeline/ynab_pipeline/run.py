"""The command `ynab-pipeline run`: a job of Meltano, as every scheduler calls it.

Meltano owns jobs, state and history, and runs as a child. Around it are a random wait, the end of a
run that is told to end, and an exit code for what happened.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ynab_pipeline import meltano, workspace
from ynab_pipeline.errors import UsageError
from ynab_pipeline.freshness import FAILED, SUCCEEDED
from ynab_pipeline.log import say
from ynab_pipeline.notices import Notices
from ynab_pipeline.ping import ping
from ynab_pipeline.project import log_file
from ynab_pipeline.reason import REASON, reason_file, reason_in
from ynab_pipeline.signals import Signals
from ynab_pipeline.status_page import span

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from ynab_pipeline.tenants.runs import Result
    from ynab_pipeline.workspace import Task, Workspace

EXIT_CODES = """\
exit codes:
  0    succeeded
  1    failed
  2    wrong usage or settings; nothing was run
  130  ended by Ctrl-C
  143  ended by SIGTERM
"""
#: Seconds that Meltano and its plugins have to end. Kubernetes gives a container thirty.
STOP_LIMIT = 20

_JITTER = re.compile(r"(\d{1,5})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = timedelta(days=1)
_FAILED = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("job", metavar="JOB", help="a job or a schedule of meltano.yml")
    parser.add_argument(
        "--jitter",
        metavar="TIME",
        default="0s",
        help="first wait for a random time, of up to TIME: 90s, 30m, 1h",
    )
    parser.add_argument(
        "--tenants", action="store_true", help="for each tenant, instead of the active environment"
    )
    parser.add_argument(
        "--parallel",
        type=int,
        metavar="N",
        help="with --tenants: how many run at the same time (default: 1)",
    )
    parser.epilog = EXIT_CODES


def run(options: argparse.Namespace) -> int:
    """Run a job, and return the exit code."""
    jitter = time_of(options.jitter)
    project = workspace.find(options.environment)
    task = project.task(options.job)
    if options.tenants:
        return _run_tenants(options, project, task, jitter)
    if options.parallel is not None:
        raise UsageError("--parallel is for --tenants")
    notices = Notices(project, options.environment)
    with Signals() as signals, reason_file(project.meltano) as path:
        if number := _wait(task, jitter, signals):
            return 128 + number
        with notices.watching(task.name), _start(task, options.environment, path) as child:
            signals.wait(child)
            number = signals.take()
            if number and child.poll() is None:
                _stop(task, child, number, signals)
                return 128 + number
        if reason := _reason(child.returncode, path):
            say(f"{task.name} failed: {reason}")
            notices.failed(task.name, reason)
        else:
            notices.succeeded(task.name)
        ping(project.variables, has_failed=bool(reason))
        return _FAILED if reason else 0


def _run_tenants(
    options: argparse.Namespace, project: Workspace, task: Task, jitter: timedelta
) -> int:
    from ynab_pipeline.tenants import env_file, runs  # noqa: PLC0415 -- not needed otherwise

    env_file.for_all(project.root, options.environment)
    parallel = 1 if options.parallel is None else options.parallel
    if parallel < 1:
        raise UsageError(f"--parallel is {parallel}: 1 or more is expected")
    with Signals() as signals:
        if number := _wait(task, jitter, signals):
            return 128 + number
        found = env_file.for_all(project.root, options.environment)  # those of now
        code, results = runs.run_all(project.root, options.job, found, parallel, signals)
        if code in {0, _FAILED}:
            _tell_of_tenants(project, task.name, results)
            ping(project.variables, has_failed=bool(code))
        return code


def _tell_of_tenants(project: Workspace, job: str, results: Sequence[Result]) -> None:
    """Tell of runs that could not tell of themselves, such as one whose env file is refused."""
    notices = Notices(project, None, load_tables=False)
    ended = {f"{job} of {result.tenant}": result for result in results}
    for name, result in ended.items():
        if result.state == FAILED and not result.has_told:
            notices.failed(name, result.error)
    for name in notices.failing:
        if name in ended and ended[name].state == SUCCEEDED:
            notices.succeeded(name)
        elif name not in ended and name.startswith(f"{job} of "):
            notices.removed(name)


def time_of(text: str) -> timedelta:
    """Return the time that the option `--jitter` gives.

    Args:
        text: Its value, such as `30m`.

    Raises:
        UsageError: If the text is none, or longer than a day.
    """
    if found := _JITTER.fullmatch(text):
        time = timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
        if time <= _LONGEST:
            return time
    raise UsageError(f"--jitter is {text!r}: a time of up to 24h is expected, such as 90s or 30m")


def _wait(task: Task, jitter: timedelta, signals: Signals) -> int | None:
    """Wait for a random time, and return the signal that has ended it, or None."""
    if not jitter:
        return None
    time = jitter * random.random()  # noqa: S311 -- spreads load, keeps no secret
    say(f"{task.name} starts in {span(time)}, a random part of {span(jitter)}")
    signals.wait(timeout=time.total_seconds())
    if number := signals.take():
        say(f"{task.name} was ended by {signal.Signals(number).name} before it started")
    return number


def _start(task: Task, environment: str | None, reason: Path | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        meltano.command_line(environment, *task.arguments),
        env={**os.environ, **task.variables, REASON: str(reason or "")},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # so that a signal reaches it and all that it has started, once
    )


def _reason(code: int, path: Path | None) -> str:
    """Return why a run has failed, empty if it has not."""
    if code == 0:
        return ""
    if code < 0:
        name = signal.Signals(-code).name
        return f"Meltano was killed by {name}, as happens if memory runs out"
    return reason_in(path) or f"Meltano ended with {code}; {log_file()} says why"


def _stop(task: Task, child: subprocess.Popen[bytes], number: int, signals: Signals) -> None:
    """End a run, within a bound; a second signal ends it at once."""
    name = signal.Signals(number).name
    say(f"{task.name} is ended by {name}; Meltano has {STOP_LIMIT} seconds for it")
    _signal(child, signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)
    signals.wait(child, STOP_LIMIT)
    ended = child.poll() is not None
    _signal(child, signal.SIGKILL)  # also a plugin that has outlived Meltano
    child.wait()
    how = "has ended" if ended else "was killed"
    say(f"{task.name} {how} after {name}. Nothing is lost: the next run goes on from there.")


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # all have ended; macOS refuses zombies
        os.killpg(child.pid, number)
