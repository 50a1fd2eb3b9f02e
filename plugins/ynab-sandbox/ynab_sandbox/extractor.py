"""What Meltano runs as the extractor: `tap-ynab`, against the sandbox when there is no account.

Where `YNAB_SANDBOX` names a sandbox's folder, that is started if need be, and `tap-ynab` is pointed
at it. Otherwise `tap-ynab` is run as it is. In a Meltano project, only one reads at a time.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path

from ynab_sandbox.daemon import Daemon, default_folder
from ynab_sandbox.store import Options, StoreError, write_private

TAP = "tap-ynab"
INFORMATION = {"--about", "--help", "--version"}
NO_SYNC = INFORMATION | {"--discover", "--test"}


def main() -> None:
    """Becomes `tap-ynab` with the arguments of this command."""
    arguments = sys.argv[1:]
    # Meltano's configuration file, which holds the token, and the tap's are for their owner alone.
    os.umask(0o077)
    if (root := os.environ.get("MELTANO_PROJECT_ROOT")) and not NO_SYNC.intersection(arguments):
        _wait_for_turn(Path(root, ".meltano"))
    if os.environ.get("YNAB_SANDBOX") and not INFORMATION.intersection(arguments):
        arguments += ["--config", str(_override())]
    beside = Path(sys.executable).with_name(TAP)
    command = str(beside) if beside.exists() else TAP
    try:
        os.execvp(command, [TAP, *arguments])  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        sys.exit(f"ynab-sandbox: {TAP} is not installed: pip install {TAP}")


def _wait_for_turn(folder: Path) -> None:
    """Waits until no other tap of the project and environment reads, then keeps others waiting.

    The loader keeps its turn likewise. So what is read first is written first, and no row of one
    run comes between another's rows and the ACTIVATE_VERSION that would mark it as gone.
    """
    # Meltano's configuration files are readable by all; this way nobody gets to them.
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    path = folder / f"{os.environ.get('MELTANO_ENVIRONMENT', '')}-tap.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write("account: another run reads it, waiting for that to end\n")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    # The tap that this process becomes has it then, and loses it however it ends.
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - its only parameter


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
