"""What Meltano runs as the extractor: `tap-ynab`, against the sandbox when there is no account.

Where `YNAB_SANDBOX` names a sandbox's folder, that is started if need be, and `tap-ynab` is pointed
at it. Otherwise `tap-ynab` is run as it is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ynab_sandbox.daemon import Daemon, default_folder
from ynab_sandbox.store import Options, StoreError, write_private

TAP = "tap-ynab"
INFORMATION = {"--about", "--help", "--version"}


def main() -> None:
    """Becomes `tap-ynab` with the arguments of this command."""
    arguments = sys.argv[1:]
    # Meltano's configuration file, which holds the token, and the tap's are for their owner alone.
    os.umask(0o077)
    if os.environ.get("YNAB_SANDBOX") and not INFORMATION.intersection(arguments):
        arguments += ["--config", str(_override())]
    beside = Path(sys.executable).with_name(TAP)
    command = str(beside) if beside.exists() else TAP
    try:
        os.execvp(command, [TAP, *arguments])  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        sys.exit(f"ynab-sandbox: {TAP} is not installed: pip install {TAP}")


def _override() -> Path:
    """A config file that points the tap at the sandbox, which runs from now on.

    Of several the last one wins. Values from the environment would not do: for those the SDK also
    reads the project's .env, whose token is none of the sandbox's business.
    """
    daemon = Daemon(default_folder())
    try:
        # Whoever tries things out again and again should not have to wait for an hour.
        running, _ = daemon.start(Options(rate_limit=0))
    except StoreError as error:
        sys.exit(f"ynab-sandbox: {error}")
    sys.stderr.write(f"account: the YNAB sandbox at {running.url} (invented data)\n")
    override = daemon.folder / "tap-ynab.json"
    # What .env says of an account of one's own is not about this one.
    config = {
        "access_token": running.token,
        "api_url": running.url,
        "budget_ids": [],
        "requests_per_hour": 1_000_000,
        "since_date": "1970-01-01",
    }
    write_private(override, json.dumps(config).encode())
    return override
