"""A sandbox in the background: one for each folder."""

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
from urllib.parse import urlsplit

from ynab_sandbox.errors import SandboxError
from ynab_sandbox.store import Options, hold, write_private

#: How long a sandbox may take to respond, to start, to stop, in seconds.
PATIENCE, STARTING, STOPPING = 10, 120, 30
#: What the sandbox gets of the caller's environment: nothing that could be a secret.
ENVIRONMENT = ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ"]
ENVIRONMENT += ["LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"]


def default_folder() -> Path:
    """Return the folder in YNAB_SANDBOX, or `.data/ynab-sandbox`, in the current folder."""
    return Path(os.environ.get("YNAB_SANDBOX") or ".data/ynab-sandbox").absolute()


@dataclass(frozen=True)
class Running:
    """A sandbox that runs."""

    url: str
    pid: int
    token: str


class Daemon:
    """The background sandbox of one folder."""

    def __init__(self, folder: Path) -> None:
        """Take the folder for state, log and locks."""
        self.folder = folder.absolute()
        self.state = self.folder / "state.pickle"
        self.log = self.folder / "sandbox.log"
        self._record = self.folder / "sandbox.json"

    def running(self) -> Running | None:
        """Return the sandbox if it runs and responds."""
        try:
            record = json.loads(self._record.read_text())
            state = ask(record["url"], "state")
        except (OSError, ValueError, KeyError, SandboxError):
            return None
        # Another sandbox may have the port by now.
        if state["pid"] != record["pid"]:
            return None
        return Running(record["url"], record["pid"], state["token"])

    def start(self, options: Options) -> tuple[Running, bool]:
        """Start the sandbox unless it runs; of several calls at once, one starts it."""
        with hold(self.folder / "start.lock", wait=True):
            if (running := self.running()) is not None:
                return running, False
            pid, url = self._spawn(options)
            write_private(self._record, json.dumps({"pid": pid, "url": url}).encode())
            running = self.running()
            if running is None:
                raise SandboxError(f"the sandbox does not respond at {url}: see {self.log}")
            return running, True

    def _spawn(self, options: Options) -> tuple[int, str]:
        command = [sys.executable, "-m", "ynab_sandbox", "serve", "--state", str(self.state)]
        command += ["--port", str(self._port())]
        for name, value in vars(options).items():
            if value is not None:
                command += [f"--{name.replace('_', '-')}", str(value)]
        write_private(self.log, b"")
        with self.log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                env={n: os.environ[n] for n in ENVIRONMENT if n in os.environ},
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
            raise SandboxError(f"the sandbox does not start: {self.log.read_text().strip()}")
        # It goes on by itself, and nobody waits for it here.
        process.returncode = 0
        return process.pid, line.decode().strip()

    def _port(self) -> int:
        """Return the port of last time if it is free, so that addresses stay; else 0."""
        try:
            port = urlsplit(json.loads(self._record.read_text())["url"]).port or 0
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except (OSError, ValueError, KeyError):
            return 0
        return port

    def stop(self) -> bool:
        """Stop the sandbox; it saves its state and can be started again."""
        with hold(self.folder / "start.lock", wait=True):
            running = self.running()
            if running is None:
                return False
            os.kill(running.pid, signal.SIGTERM)
            end = time.monotonic() + STOPPING
            while time.monotonic() < end:
                # The process has this lock as long as it lives.
                with hold(self.state.with_suffix(".lock"), wait=False) as is_gone:
                    if is_gone:
                        return True
                time.sleep(0.02)
        raise SandboxError(f"process {running.pid} does not stop: see {self.log}")

    def reset(self) -> None:
        """Stop the sandbox and discard its state."""
        self.stop()
        self.state.unlink(missing_ok=True)


def ask(url: str, operation: str, document: object = None) -> Any:
    """Have a running sandbox carry out an operation."""
    request = urllib.request.Request(  # noqa: S310 - the address is this computer's own
        f"{url.removesuffix('/v1')}/sandbox/{operation}",
        data=None if document is None else json.dumps(document).encode(),
        headers={"Content-Type": "application/json"},
    )
    # No proxy: it is meant for the world outside.
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
        raise SandboxError(detail) from None
