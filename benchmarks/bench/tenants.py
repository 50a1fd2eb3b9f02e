"""Tenants in a project of their own: made, synced for all of them, and measured meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from bench import dagster
from bench.measure import KILOBYTE, MEGABYTE, Running
from bench.programs import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.sandbox import Account

_LINKED = (".venv", "constraints.txt", "plugins", "tap-ynab", "transform")
_PROGRAMS = PROJECT / ".venv/bin"
#: Seconds between two looks at the memory.
_LOOK = 0.5


@dataclass(frozen=True)
class Round:
    """A sync of all tenants.

    Attributes:
        tenants: how many there are.
        seconds: on the wall clock.
        processor: seconds of processor time of all its processes, PostgreSQL's not among them.
        memory: peak of the sum of its processes, in megabytes.
    """

    tenants: int
    seconds: float
    processor: float
    memory: float

    @property
    def a_minute(self) -> float:
        """Syncs a minute."""
        return self.tenants / self.seconds * 60


class Tenants:
    """A project, with as many tenants as are asked for."""

    def __init__(self, folder: Path, account: Account, token: str) -> None:
        """Lay the project out; what `make install` has installed is used.

        Args:
            folder: where it is to be.
            account: the account of all of them, each with tables and bookmarks of its own.
            token: the account's.
        """
        self._folder, self._account, self._token = folder, account, token
        shutil.copy(PROJECT / "meltano.yml", folder)
        for name in _LINKED:
            (folder / name).symlink_to(PROJECT / name)
        (folder / ".meltano").mkdir(mode=0o700)
        for name in ("extractors", "loaders"):
            (folder / ".meltano" / name).symlink_to(PROJECT / ".meltano" / name)
        (folder / ".env").write_text("MELTANO_ENVIRONMENT=local\n", encoding="utf-8")
        (folder / ".env").chmod(0o600)
        self._count = 0

    def have(self, count: int) -> None:
        """Add tenants until there are that many."""
        names = [f"t{number:04}" for number in range(self._count, count)]
        # The first one makes the server.
        for one in names[:1]:
            self._add(one)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self._add, names[1:]))
        self._count = max(count, self._count)

    def sync(self, parallel: int) -> Round:
        """Sync all of them, and measure it."""
        line = [str(_PROGRAMS / "ynab-pipeline"), "run", "sync", "--tenants"]
        running = Running([*line, f"--parallel={parallel}"], folder=self._folder)
        with _peak(running) as peak:
            taken = running.taken()
        return Round(self._count, taken.seconds, taken.processor, *peak)

    def sync_through_dagster(self) -> Round:
        """Sync all of them by runs of Dagster, two at a time, and measure it on Linux."""
        with dagster.running(self._folder) as found, _peak(found.running) as peak:
            accounts = [path.stem for path in self._folder.glob("tenants/*.env")]
            found.await_accounts(accounts)
            before = _processor(found.running.process.pid)
            seconds = found.sync(accounts)
            processor = _processor(found.running.process.pid) - before
        return Round(self._count, seconds, processor, *peak)

    def stop(self) -> None:
        """Stop the server."""
        self._call("meltano", "--environment=local", "invoke", "target-postgres:database", "stop")

    def _add(self, name: str) -> None:
        self._call("ynab-pipeline", "tenants", "add", name, stdin=f"{self._token}\n")
        with (self._folder / "tenants" / f"{name}.env").open("a", encoding="utf-8") as file:
            file.write(f"TAP_YNAB_API_URL='{self._account.url}'\n")

    def _call(self, program: str, *arguments: str, stdin: str = "") -> None:
        subprocess.run(
            [str(_PROGRAMS / program), *arguments],
            cwd=self._folder,
            env={"PATH": os.defpath, "HOME": str(self._folder)},
            input=stdin,
            stdout=subprocess.DEVNULL,
            check=True,
            text=True,
        )


@contextmanager
def _peak(running: Running) -> Iterator[list[float]]:
    """Watch the memory of a program, and set the peak, in megabytes, in the end."""
    ended, peak = Event(), [0.0]

    def watch() -> None:
        while not ended.wait(_LOOK):
            peak[0] = max(peak[0], _memory(running.process.pid))

    watching = Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        ended.set()
        watching.join()


def _memory(root: int) -> float:
    """Return the resident memory of a process and of all that it has started, in megabytes.

    What processes share counts once for each of them.
    """
    return sum(kilobytes for _, kilobytes in _tree(root)) * KILOBYTE / MEGABYTE


def _processor(root: int) -> float:
    """Return the processor seconds of a process and of all that it has started, on Linux."""
    ticks = 0
    for pid, _ in _tree(root):
        with suppress(FileNotFoundError):
            fields = (
                Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            )
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _tree(root: int) -> list[tuple[int, int]]:
    """Return a process and all that it has started, each with its resident memory in kilobytes."""
    listed = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,rss="],
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    ).stdout
    found = {root: 0}
    # A process mostly has a higher number than the one that has started it.
    for pid, parent, kilobytes in sorted(_numbers(line) for line in listed.splitlines()):
        if pid in found or parent in found:
            found[pid] = kilobytes
    return list(found.items())


def _numbers(line: str) -> tuple[int, int, int]:
    pid, parent, kilobytes = map(int, line.split())
    return pid, parent, kilobytes
