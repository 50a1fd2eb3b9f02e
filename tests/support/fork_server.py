"""The tap's command in processes that need not import it, which is most of the time of a run.

A server, which is this module as a program, imports the tap once and forks for each run. The fork
runs the installed command from its first line and ends like any process.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.support.environment import BARE

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds after which a run that hangs is killed.
PATIENCE = 120


class Request(NamedTuple):
    """What to run, and where."""

    command: list[str]
    folder: str
    environment: dict[str, str]
    stdout: str
    stderr: str


def run(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str, str, int]:
    """Run a Python script with these arguments and in this environment.

    Returns:
        Its exit code, stdout and stderr, and the most memory that it had at once, in MiB.
    """
    with (
        tempfile.TemporaryDirectory() as written,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        stdout, stderr = Path(written, "stdout"), Path(written, "stderr")
        request = Request(command, str(folder), {**environment}, str(stdout), str(stderr))
        connection.connect(_server())
        connection.sendall(json.dumps(request).encode() + b"\n")
        code, memory = map(int, connection.makefile().read().split())
        output = (stdout.read_text(encoding="utf-8"), stderr.read_text(encoding="utf-8"))
        return code, *output, memory


@cache
def _server() -> str:
    """Start the server of this process; the address where it listens."""
    folder = tempfile.TemporaryDirectory()
    address = str(Path(folder.name, "socket"))
    server = subprocess.Popen(
        [sys.executable, "-m", __name__, address],
        cwd=Path(__file__).parents[2],
        env=BARE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"

    @atexit.register
    def stop() -> None:
        server.communicate()
        folder.cleanup()

    return address


def serve(address: str) -> Request:
    """Fork for each request until stdin ends; return in the process that is to do it."""
    import tap_ynab.tap  # noqa: F401, PLC0415 the server's whole point

    gc.collect()
    gc.freeze()  # else each fork would go through all of it at its end
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(100)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    return accept(connection)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    sys.exit()


def accept(connection: socket.socket) -> Request:
    """Fork once more; tell exit code and memory from the one process, return in the other."""
    request = Request(*json.loads(connection.makefile().readline()))
    if process := os.fork():
        _, status, usage = os.wait4(process, 0)
        memory = usage.ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)
        connection.sendall(b"%d %d" % (os.waitstatus_to_exitcode(status), memory))
        os._exit(0)
    return request


def become(request: Request) -> None:
    """Be a process that has been started with this command."""
    for descriptor, path in enumerate((os.devnull, request.stdout, request.stderr)):
        mode = os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY
        file = os.open(path, mode, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    signal.alarm(PATIENCE)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv = request.command
    sys.path[0] = str(Path(request.command[0]).parent)
    runpy.run_path(request.command[0], run_name="__main__")


if __name__ == "__main__":
    become(serve(sys.argv[1]))
