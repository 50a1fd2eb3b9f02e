"""The commands of ynab-pipeline with stand-ins for the stock programs, and a project's server."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import Daemon

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from project_postgres import Server

#: In the place of a stock program: prints how it was started, and stays as long as it is told to.
STAND_IN = """
import json, os, sys

def stand_in(arguments):
    print(json.dumps([arguments, dict(os.environ), os.umask(0)]), flush=True)
    if "STAY" in os.environ:
        open(os.environ["STAY"]).read()

if __name__ == "__main__":
    stand_in(sys.argv[1:])
"""
#: Likewise the packages that the fast loader is made from.
PACKAGE = {
    "sinks.py": "class PostgresSink: pass",
    "target.py": """
from stand_in import stand_in

class TargetPostgres:
    cli = stand_in
""",
}


@dataclass(frozen=True)
class Started:
    """A start of a stock program, with the log before it."""

    arguments: list[str]
    environment: dict[str, str]
    umask: int
    stderr: str


class Installation:
    """ynab-pipeline installed beside stand-ins, in a Meltano project."""

    def __init__(self, folder: Path, *, packages: Sequence[str]) -> None:
        """Make it.

        Args:
            folder: The project.
            packages: The folders of the packages that can be imported.
        """
        self.folder = folder
        self.package = folder / "packages" / "target_postgres"
        self.package.mkdir(parents=True)
        for name, content in PACKAGE.items():
            (self.package / name).write_text(content)
        script = self.package.with_name("stand_in.py")
        script.write_text(STAND_IN)
        self._programs = folder / "programs"
        venv.create(self._programs, symlinks=True)
        words = shlex.join([sys.executable, str(script)])
        for name in ("tap-ynab", "target-postgres", "ynab-report"):
            self.program(name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            self.program(name).chmod(0o700)
        self._environment = {
            "MELTANO_ENVIRONMENT": "demo",
            "MELTANO_PROJECT_ROOT": str(folder),
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join([str(script.parent), *packages]),
            # So that nothing is connected to: only the loader could.
            "TARGET_POSTGRES_SSH_TUNNEL_ENABLE": "true",
        }

    def program(self, name: str) -> Path:
        return self._programs / "bin" / name

    def command(self, kind: str, *arguments: str | Path) -> list[str | Path]:
        """`ynab-pipeline-tap` or `ynab-pipeline-target`."""
        main = f"from ynab_pipeline.{kind} import main; main()"
        return [self.program("python"), "-c", main, *arguments]

    def run(
        self, kind: str, *arguments: str | Path, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the two to its end."""
        return subprocess.run(
            self.command(kind, *arguments),
            env=self._environment | environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def started(self, kind: str, *arguments: str | Path, **environment: str) -> Started:
        """Run one of the two, which must succeed."""
        finished = self.run(kind, *arguments, **environment)
        assert finished.returncode == 0, finished.stderr
        began, inherited, umask = json.loads(finished.stdout)
        return Started(began, inherited, umask, finished.stderr)

    @contextmanager
    def begin(
        self, kind: str, environment: Mapping[str, str], stdin: int = subprocess.DEVNULL
    ) -> Iterator[subprocess.Popen[str]]:
        """Start one of the two and go on at once; it is killed in the end."""
        with subprocess.Popen(
            self.command(kind),
            env={**self._environment, **environment},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """With the packages of the tests; a sandbox that is started is stopped."""
    yield Installation(tmp_path, packages=sys.path)
    Daemon(tmp_path / ".data/ynab-sandbox").stop()


@pytest.fixture
def bare_installation(tmp_path: Path) -> Installation:
    """With no package but ynab-pipeline."""
    return Installation(tmp_path, packages=[str(PROJECT / "plugins/ynab-pipeline")])


@pytest.fixture(scope="session")
def project_server(
    postgresql: type[Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server in a project's folder; tests do not stop it."""
    server = postgresql(tmp_path_factory.mktemp("project") / ".data" / "postgres", "ynab")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """The loader's config file as Meltano writes it, for a database elsewhere."""
    path = tmp_path / "target.config.json"
    path.write_text(json.dumps(ELSEWHERE), encoding="utf-8")
    return path


ELSEWHERE = {
    "host": "db.example.invalid",
    "port": 5432,
    "user": "ada",
    "password": "hunter2",
    "database": "money",
    "default_target_schema": "ynab",
    "ssl_enable": True,
    "ssh_tunnel": {"enable": True, "host": "bastion.example.invalid"},
}
