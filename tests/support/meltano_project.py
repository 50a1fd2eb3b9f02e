"""A Meltano project like the repository's, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from project_postgres import Server
from ynab_sandbox import Daemon, Options, serve
from ynab_sandbox.daemon import ask

from tests.support.environment import CLOCK
from tests.support.pipeline import PROJECT, Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox

MELTANO = str(PROJECT / ".venv/bin/meltano")
PYTHON = PROJECT / ".venv/bin/python"
#: Python reads it first in Meltano's own process: writes down whom it would look up or connect to
#: outside this machine, and lets it not.
WATCH = """\
import os, sys

def watch(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if host not in (None, "127.0.0.1", "::1", "localhost"):
        with open(os.environ["WATCHED"], "a") as file:
            print(host, file=file)
        raise ConnectionRefusedError(host)

sys.addaudithook(watch)
"""


@dataclass
class Project:
    """The project's files, with the plugins that are installed in the repository."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make it."""
        for name in ("meltano.yml", "constraints.txt"):
            shutil.copy(PROJECT / name, self.folder)
        for name in ("tap-ynab", "plugins", "transform"):
            (self.folder / name).symlink_to(PROJECT / name)
        (self.folder / ".meltano").mkdir()
        for name in ("extractors", "loaders", "utilities"):
            (self.folder / ".meltano" / name).symlink_to(PROJECT / ".meltano" / name)
        watch = self.folder / "watch"
        watch.mkdir()
        (watch / "sitecustomize.py").write_text(WATCH)

    def write_env(self, **variables: str) -> None:
        """Write the .env."""
        lines = [f"{name}='{value}'\n" for name, value in variables.items()]
        (self.folder / ".env").write_text("".join(lines))

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Meltano with nothing in its environment but these variables."""
        return self.execute(MELTANO, *arguments, **environment)

    def variables(self, **environment: str) -> dict[str, str]:
        """All that is in the environment."""
        return {
            **CLOCK,
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "PYTHONPATH": str(self.folder / "watch"),
            "WATCHED": str(self.folder / "watched.txt"),
            **self.environment,
            **environment,
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Meltano in a process group of its own, its log to be read."""
        return subprocess.Popen(
            [MELTANO, *arguments],
            env=self.variables(**environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def execute(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Any command, likewise."""
        return subprocess.run(
            command,
            env=self.variables(**environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=120,
        )

    def contacted(self) -> set[str]:
        """Hosts elsewhere that Meltano itself has looked up or would have connected to."""
        path = self.folder / "watched.txt"
        return set(path.read_text().splitlines()) if path.exists() else set()

    def server(self, folder: str) -> Server:
        return Server(self.folder / folder, "ynab")

    def database(self, folder: str) -> Database:
        """The database of the server in this folder, which runs."""
        return Database(self.server(folder).url)

    @property
    def daemon(self) -> Daemon:
        """The demo's sandbox."""
        return Daemon(self.folder / ".data/demo/ynab-sandbox")

    def start_small_sandbox(self) -> None:
        """So that the demo finds one that is small."""
        self.daemon.start(Options(rate_limit=0, transactions=100))

    def sandbox(self, operation: str, **document: Any) -> Any:
        """Have the demo's sandbox do something, or tell its state or requests."""
        running = self.daemon.running()
        assert running is not None, "the sandbox does not run"
        tells = operation in {"state", "requests"}
        return ask(running.url, operation, None if tells else document)

    def stop(self) -> None:
        self.daemon.stop()
        for folder in (".data/demo/postgres", ".data/postgres"):
            if (self.folder / folder).exists():
                self.server(folder).stop()


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Read the log of a run until a line has these words."""
    assert process.stderr
    return next(line for line in process.stderr if words in line)


def wait_for_stall(process: subprocess.Popen[str], account: Sandbox) -> None:
    """Read the log of a run until all that is left is its request for money movements."""
    wait_for(process, f"money_movement_groups of {account.budgets[-1].name}")


@contextmanager
def stalled(project: Project, account: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Have a run wait for the account, its rows half read, and kill it in the end."""
    account.fail("stall", path="/money_movements")
    with project.start(*arguments, TAP_YNAB_REQUEST_TIMEOUT="3600") as run:
        wait_for_stall(run, account)
        yield run
        assert run.poll() is None
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)
        account.clear_faults()  # it may have ended before its request stalled


@contextmanager
def project_of(account: Sandbox, folder: Path, token: str | None = None) -> Iterator[Project]:
    """A project for an account of its own, the environment local, and nothing loaded."""
    with ExitStack() as stack:
        project = Project(folder)
        stack.callback(project.stop)
        url = stack.enter_context(serve(account))
        project.write_env(
            YNAB_PERSONAL_ACCESS_TOKEN=token or account.token,
            MELTANO_ENVIRONMENT="local",
            TAP_YNAB_API_URL=url,
        )
        yield project
