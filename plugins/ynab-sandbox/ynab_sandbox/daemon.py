"""A sandbox in the background, of which there is one for each folder."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ynab_sandbox.store import Options, StoreError, hold, write_private

#: How long a sandbox may take to answer, to start, to stop, in seconds.
PATIENCE, STARTING, STOPPING = 10, 120, 30


def default_folder() -> Path:
    """The folder of YNAB_SANDBOX, or `.data/ynab-sandbox`, in the Meltano project."""
    root = Path(os.environ.get("MELTANO_PROJECT_ROOT") or ".")
    return root.resolve() / (os.environ.get("YNAB_SANDBOX") or ".data/ynab-sandbox")


@dataclass(frozen=True)
class Running:
    """A sandbox that runs.

    Attributes:
        url: where its API is.
        pid: its process.
        token: the access token that it takes.
    """

    url: str
    pid: int
    token: str


class Daemon:
    """The background sandbox of one folder."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder.

        Args:
            folder: where state, log and locks are.
        """
        self.folder = folder
        self.state = folder / "state.pickle"
        self.log = folder / "sandbox.log"
        self._record = folder / "sandbox.json"

    def running(self) -> Running | None:
        """The sandbox that runs and answers, or None."""
        try:
            record = json.loads(self._record.read_text())
            state = ask(record["url"], "state")
        except (OSError, ValueError, KeyError, StoreError):
            return None
        # Another sandbox may have the port by now.
        if state["pid"] != record["pid"]:
            return None
        return Running(record["url"], record["pid"], state["token"])

    def start(self, options: Options) -> tuple[Running, bool]:
        """Starts the sandbox unless it runs; of several at once only one does.

        Args:
            options: what a new sandbox is made from.

        Returns:
            The sandbox, and whether it was started now.

        Raises:
            StoreError: it does not start.
        """
        with hold(self.folder / "start.lock", wait=True):
            if (running := self.running()) is not None:
                return running, False
            pid, url = self._spawn(options)
            write_private(self._record, json.dumps({"pid": pid, "url": url}).encode())
            running = self.running()
            if running is None:
                message = f"the sandbox does not answer at {url}: see {self.log}"
                raise StoreError(message)
            return running, True

    def _spawn(self, options: Options) -> tuple[int, str]:
        command = [sys.executable, "-m", "ynab_sandbox", "serve", "--state", str(self.state)]
        command += ["--port", str(self._port())]
        for name, value in vars(options).items():
            if value is not None:
                command += [f"--{name.replace('_', '-')}", str(value)]
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(log, "wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        stdout: IO[bytes] = process.stdout  # type: ignore[assignment]
        with stdout, selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            line = stdout.readline() if selector.select(STARTING) else b""
        if not line:
            process.kill()
            process.wait()
            message = f"the sandbox does not start: {self.log.read_text().strip()}"
            raise StoreError(message)
        # It goes on by itself: nobody waits for it here.
        process.returncode = 0
        return process.pid, line.decode().strip()

    def _port(self) -> int:
        """The port of last time if it is free, so that addresses stay what they were."""
        try:
            port = int(json.loads(self._record.read_text())["url"].split(":")[2].split("/")[0])
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except (OSError, ValueError, KeyError, IndexError):
            return 0
        return port

    def stop(self) -> bool:
        """Stops the sandbox; it saves its state and can be started again.

        Returns:
            Whether it ran.

        Raises:
            StoreError: it does not stop.
        """
        with hold(self.folder / "start.lock", wait=True):
            running = self.running()
            if running is None:
                return False
            os.kill(running.pid, signal.SIGTERM)
            end = time.monotonic() + STOPPING
            while time.monotonic() < end:
                # The process has this lock as long as it lives.
                with hold(self.state.with_suffix(".lock"), wait=False) as gone:
                    if gone:
                        return True
                time.sleep(0.02)
        message = f"process {running.pid} does not stop: see {self.log}"
        raise StoreError(message)

    def reset(self) -> None:
        """Stops the sandbox and discards its state."""
        self.stop()
        self.state.unlink(missing_ok=True)


def ask(url: str, operation: str, document: object = None) -> Any:
    """Has a running sandbox carry out an operation.

    Args:
        url: where its API is.
        operation: the operation's name.
        document: what it takes; None only asks.

    Returns:
        What the operation tells.

    Raises:
        StoreError: the sandbox refuses.
        OSError: nothing answers there.
    """
    request = urllib.request.Request(  # noqa: S310 - the address is this computer's own
        f"{url.removesuffix('/v1')}/sandbox/{operation}",
        data=None if document is None else json.dumps(document).encode(),
        headers={"Content-Type": "application/json"},
    )
    # A proxy for the outside world has no business here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as error:
        with error:
            try:
                detail = json.load(error)["error"]["detail"]
            except (ValueError, KeyError):
                detail = str(error)
        raise StoreError(detail) from None
