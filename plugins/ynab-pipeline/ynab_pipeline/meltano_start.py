"""Settings of Meltano's process, made when it starts.

Imported by meltano.pth, which the Makefile copies into Meltano's environment.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

_PROJECT = Path(sys.prefix).parent

# It writes plugins' settings, secrets among them, into files that would be readable by all.
os.umask(0o077)
# Its own logs would be in the home folder.
os.environ["XDG_STATE_HOME"] = str(_PROJECT / ".meltano" / "state")
os.environ.setdefault("MELTANO_CLI_LOG_CONFIG", str(Path(__file__).with_name("meltano_log.yaml")))
# After a run that was killed, it would refuse the next one for five minutes. Runs take turns.
os.environ.setdefault("MELTANO_RUN_FORCE", "true")
# Its version is logged before it has read a logging configuration.
logging.getLogger("meltano.cli.cli").setLevel(logging.WARNING)
