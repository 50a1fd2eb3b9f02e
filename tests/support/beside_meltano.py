"""`ynab-pipeline` beside a stand-in for Meltano, in a project of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MELTANO_YML = """\
default_environment: demo
jobs:
- {name: sync, tasks: [tap-ynab target-postgres]}
- {name: reconcile, tasks: [tap-ynab-reconcile target-postgres]}
schedules:
- {name: sync-every-4-hours, interval: 0 */4 * * *, job: sync}
- {name: reconcile-daily, interval: 0 3 * * *, job: reconcile, env: {DEPTH: 2}}
- {name: by-hand, interval: '@once', extractor: tap-ynab, loader: target-postgres, transform: skip}
"""
#: Writes down its command line, then does what the variable MELTANO_DOES says.
STAND_IN = """\
#!{python}
import contextlib, json, os, signal, subprocess, sys, time
with open("started.jsonl", "a") as file:
    print(json.dumps({{"arguments": sys.argv[1:], "depth": os.environ.get("DEPTH")}}), file=file)
with contextlib.suppress(OSError):
    os.write(2, b"a line of Meltano\\n")
exec(os.environ.get("MELTANO_DOES", ""))
"""
#: Of the stand-in: tells that it runs, and says how it was ended.
STAYS = """
def end(number, _):
    os.write(2, f"got {signal.Signals(number).name}\\n".encode())
    sys.exit(1)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
signal.alarm(100)  # if the test fails
os.write(2, b"runs\\n")
signal.pause()
"""
#: Likewise: writes its id into a pipe, and does not end when it is told to.
DEAF = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.alarm(100)  # if the test fails
with open("running", "w") as running:
    print(os.getpid(), file=running)
signal.pause()
"""
#: `ynab-pipeline`.
MAIN = "import sys; from ynab_pipeline.cli import main; sys.exit(main())"


@dataclass
class Beside:
    """The project."""

    folder: Path
    #: The Python whose packages it has: that of the tests, or that of Meltano.
    python: Path = field(default_factory=lambda: Path(sys.executable))
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make it."""
        programs = self.folder / "bin"
        programs.mkdir()
        # In a folder without Meltano, so that the stand-in is found beside it.
        (programs / "python").symlink_to(self.python)
        asked = [str(self.python), "-c", "import sys; print(*sys.path, sep='\\n')"]
        self.path = subprocess.check_output(asked, encoding="utf-8").splitlines()
        for name, script in (
            ("meltano", STAND_IN.format(python=sys.executable)),
            ("ynab-pipeline", f"#!{programs}/python\n{MAIN}\n"),
        ):
            (programs / name).write_text(script)
            (programs / name).chmod(0o700)
        (self.folder / "meltano.yml").write_text(MELTANO_YML)

    def command(self, *arguments: str, main: str = MAIN) -> list[str]:
        return [str(self.folder / "bin/python"), "-c", main, *arguments]

    def environment(self, does: str) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(self.path),
            "MELTANO_DOES": does,
            **self.variables,
        }

    def run(
        self, *arguments: str, does: str = "", **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            arguments: Those of `ynab-pipeline`.
            does: Python that Meltano runs.
            settings: More variables.
        """
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(does) | settings,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=60,
        )

    @contextmanager
    def begin(
        self, *arguments: str, does: str = "", main: str = MAIN
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a command and go on at once; it is killed in the end."""
        with subprocess.Popen(
            self.command(*arguments, main=main),
            env=self.environment(does),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def add_deaf(self, name: str) -> None:
        """Add a program that does not end when it is told to, or put it in the place of another."""
        path = self.folder / "bin" / name
        path.write_text(f"#!{sys.executable}\nimport os, signal\n{DEAF}")
        path.chmod(0o700)

    @property
    def started(self) -> list[Any]:
        """The starts of Meltano."""
        path = self.folder / "started.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    """Read what a command says until a line has these words."""
    assert process.stderr
    return next(line for line in process.stderr if words in line)
