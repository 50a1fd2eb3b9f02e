"""Running a program and measuring it: seconds, processor seconds and peak memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAUNCH = str(Path(__file__).with_name("launch.py"))
#: Seconds after which a program is taken to hang.
PATIENCE = 1800
KILOBYTE = 1024
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Taken:
    """Time, memory and output of a run.

    Attributes:
        seconds: by the clock on the wall.
        processor: seconds of processor time, of all its processes.
        memory: peak resident memory of its largest process, in megabytes.
    """

    seconds: float
    processor: float
    memory: float


class FailedError(Exception):
    """A program that was to be measured has failed, so there is no figure."""


class Running:
    """A program while it runs."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        """Starts it.

        Args:
            command: the program and its arguments.
            folder: where it runs; its log is kept there, under the program's name.
            environment: variables beyond PATH and HOME.
            stdin: where it reads from.
            stdout: where it writes to.
        """
        self._name = Path(command[0]).name
        self._log = folder / f"{self._name}.log"
        with tempfile.NamedTemporaryFile(dir=folder, prefix="taken-", delete=False) as file:
            self._result = Path(file.name)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", LAUNCH, str(self._result), *command],
                cwd=folder,
                env={**_bare(folder), **(environment or {})},
                stdin=stdin,
                stdout=stdout,
                stderr=log,
                start_new_session=True,
            )

    def taken(self) -> Taken:
        """Wait for its end, and return what it took.

        Raises:
            FailedError: it failed, or did not end.
        """
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.stop()
        if code:
            raise FailedError(f"{self._name} ended with {code}:\n{self.log()[-2000:]}")
        seconds, processor, memory, _ = self._result.read_text(encoding="ascii").split()
        self._result.unlink()
        return Taken(float(seconds), float(processor), int(memory) * KILOBYTE / MEGABYTE)

    @property
    def output(self) -> IO[bytes]:
        """Its output, if that goes through a pipe."""
        if self.process.stdout is None:
            raise ValueError("its output goes somewhere else")
        return self.process.stdout

    def log(self) -> str:
        """Its standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ends it and what it has started, where any of that is left."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stdin: Path | None = None,
    stdout: Path | None = None,
) -> Taken:
    """Runs a program to its end.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: variables beyond PATH and HOME.
        stdin: the file that it reads; none by default.
        stdout: the file that takes what it prints, which is thrown away by default.
    """
    source, target = Path(stdin or os.devnull), Path(stdout or os.devnull)
    with source.open("rb") as given, target.open("wb") as taker:
        running = Running(
            command, folder=folder, environment=environment, stdin=given, stdout=taker
        )
        return running.taken()


def _bare(folder: Path) -> dict[str, str]:
    """The environment of a user who has set nothing, and whose home is the run's own folder."""
    return {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8"}
