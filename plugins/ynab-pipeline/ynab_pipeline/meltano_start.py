"""Settings of Meltano's process, made when it starts.

Imported by meltano.pth, which the Makefile copies into Meltano's environment.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path

from ynab_pipeline import workspace
from ynab_pipeline.errors import PipelineError, UsageError, explain
from ynab_pipeline.project import SYSTEM
from ynab_pipeline.tenants import start

_PROJECT = Path(sys.prefix).parent


def _is_local() -> bool:
    """Tell if the project's env file is for the environment `local` without saying so."""
    try:
        env = workspace.find_root() / (start.env_file_of(sys.orig_argv) or ".env")
    except UsageError:
        return False  # Meltano says so
    if not env.is_file():
        return False
    from dotenv import dotenv_values  # noqa: PLC0415 -- Meltano's; not needed without a .env

    return workspace.has_token_alone(dotenv_values(env))


# It writes plugins' settings, secrets among them, into files that would be readable by all.
os.umask(0o077)
try:
    start.enter(sys.orig_argv)
except (PipelineError, OSError) as error:
    sys.stderr.write(f"ynab-pipeline: {explain(error)}\n")
    # As `ynab-pipeline` ends if settings are wrong. An exception would not end Python, which reads
    # this as a .pth file.
    os._exit(2 if isinstance(error, PipelineError) else 1)
# It makes many objects and little garbage, for which Python would look 300 times in each run.
gc.set_threshold(500_000)
# Its own logs would be in the home folder.
_SYSTEM = os.environ.get(SYSTEM) or str(_PROJECT / ".meltano")
os.environ["XDG_STATE_HOME"] = str(Path(_SYSTEM, "state"))
os.environ.setdefault("MELTANO_CLI_LOG_CONFIG", str(Path(__file__).with_name("meltano_log.yaml")))
# After a run that was killed, it would refuse the next one for five minutes. Runs take turns.
os.environ.setdefault("MELTANO_RUN_FORCE", "true")
if _is_local():
    os.environ.setdefault("MELTANO_ENVIRONMENT", "local")
# Its version is logged before it has read a logging configuration.
logging.getLogger("meltano.cli.cli").setLevel(logging.WARNING)
# Ctrl-C in psql cancels a query, and Meltano would end.
if "target-postgres:psql" in sys.orig_argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
