"""The command `ynab-pipeline schedule`: the schedules of meltano.yml, in the foreground.

For containers and machines without cron or systemd. Each run is a `ynab-pipeline run` of its own.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from ynab_pipeline import workspace
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.files import open_lock
from ynab_pipeline.project import tenant_key
from ynab_pipeline.run import time_of
from ynab_pipeline.signals import Signals
from ynab_pipeline.tenants import env_file

if TYPE_CHECKING:
    import argparse
    from typing import IO

    from ynab_pipeline.workspace import Workspace

EXIT_CODES = """\
exit codes:
  0  ended by SIGTERM or Ctrl-C
  1  another one runs already, or it could not start
  2  wrong usage or settings
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--jitter",
        metavar="TIME",
        default="30m",
        help="let each run first wait for a random time of up to TIME (default: 30m)",
    )
    parser.add_argument(
        "--tenants",
        action="store_true",
        help="run the schedules for each tenant, one after another",
    )
    parser.epilog = EXIT_CODES


def run(options: argparse.Namespace) -> int:
    """Run the schedules until a signal comes, and return the exit code."""
    time_of(options.jitter)
    project = workspace.find(options.environment)
    if options.tenants:
        env_file.for_all(project.root, options.environment)
    with _lock(project, options), Signals() as signals:
        from ynab_pipeline import scheduler  # noqa: PLC0415 -- slow to import, with Meltano

        scheduler.run(project, options, signals)
    return 0


def _lock(project: Workspace, options: argparse.Namespace) -> IO[bytes]:
    """Return the open file that keeps a second one out.

    Raises:
        PipelineError: If there is one already.
    """
    key = "tenants" if options.tenants else tenant_key(project.tenant)
    lock = os.fdopen(open_lock(project.meltano / "turns" / f"{key}-schedule.lock"), "rb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        place = "all tenants" if options.tenants else project.place
        raise PipelineError(
            f"the schedules of {place} are run by another `ynab-pipeline schedule`: end that one "
            "first, or let it work"
        ) from None
    return lock
