"""What Meltano runs as the extractor: `tap-ynab`, against the sandbox when there is no account.

With `YNAB_SANDBOX=1` the sandbox is started if need be and `tap-ynab` is pointed at it. Otherwise
`tap-ynab` is run as it is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ynab_sandbox.daemon import Daemon, default_folder
from ynab_sandbox.store import Options, StoreError

TAP = "tap-ynab"


def main() -> None:
    """Becomes `tap-ynab` with the arguments of this command."""
    arguments = sys.argv[1:]
    if os.environ.get("YNAB_SANDBOX") == "1":
        try:
            running, _ = Daemon(default_folder()).start(Options())
        except StoreError as error:
            sys.exit(f"ynab-sandbox: {error}")
        os.environ["TAP_YNAB_API_URL"] = running.url
        os.environ["TAP_YNAB_ACCESS_TOKEN"] = running.token
        sys.stderr.write(f"account: the YNAB sandbox at {running.url} (invented data)\n")
        # The tap prefers values from the environment to those in a file.
        arguments += ["--config", "ENV"]
    beside = Path(sys.executable).with_name(TAP)
    command = str(beside) if beside.exists() else TAP
    try:
        os.execvp(command, [TAP, *arguments])  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        sys.exit(f"ynab-sandbox: {TAP} is not installed: pip install {TAP}")
