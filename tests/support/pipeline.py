"""The real tap process, the real loader and a real PostgreSQL, with the state between two runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.support import fork_server
from tests.support.environment import BARE, CLOCK

PROJECT = Path(__file__).parents[2]
TAP = str(Path(sys.executable).with_name("tap-ynab"))
#: Programs that Meltano has installed for the loader.
LOADER_PROGRAMS = PROJECT / ".meltano/loaders/target-postgres/venv/bin"
PIPELINE_TARGET = str(LOADER_PROGRAMS / "ynab-pipeline-target")

Row = dict[str, Any]
State = dict[str, Any]


@dataclass(frozen=True)
class Loader:
    """A way to start the loader: its command, and what must be in its environment."""

    command: str
    environment: dict[str, str]


STOCK_LOADER = Loader(str(LOADER_PROGRAMS / "target-postgres"), {})
FAST_LOADER = Loader(PIPELINE_TARGET, {"YNAB_PIPELINE_FAST_LOADER": "true"})


@dataclass
class Finished:
    """What a run of the tap left: its messages, its log and its exit code.

    `memory` is the most that it had at once, in MiB; 0 if that is not measured.
    """

    code: int
    stdout: str
    log: str
    memory: int = 0

    @property
    def messages(self) -> list[Row]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def records(self, stream: str) -> list[Row]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def activated(self) -> set[str]:
        """Streams that ended with ACTIVATE_VERSION."""
        return {m["stream"] for m in self.messages if m["type"] == "ACTIVATE_VERSION"}

    @property
    def state(self) -> State:
        """The last one."""
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1] if states else {}


@dataclass
class Tap:
    """The command `tap-ynab` with its files in a folder of its own."""

    folder: Path
    config: Row
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str, state: State | None = None) -> list[str]:
        config = self.write("config.json", self.config)
        command = [TAP, "--config", config, *arguments]
        return command if state is None else [*command, "--state", self.write("state.json", state)]

    def write(self, name: str, content: Row) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def run(self, *arguments: str, state: State | None = None, **config: object) -> Finished:
        """Run it to its end; `config` is set on top of the tap's own for this run."""
        usual, self.config = self.config, {**self.config, **config}
        try:
            command = self.command(*arguments, state=state)
        finally:
            self.config = usual
        return Finished(*fork_server.run(command, self.folder, BARE | self.environment))


@dataclass
class Database:
    """A database of the test's own."""

    url: str

    @property
    def loader_config(self) -> Row:
        """What meltano.yml sets, for this database."""
        return {
            "sqlalchemy_url": self.url.replace("postgresql:", "postgresql+psycopg:"),
            "default_target_schema": "ynab",
            "use_copy": True,
            "validate_records": False,
        }

    def query(self, sql: str, *parameters: object) -> list[Row]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.encode())

    def alive(self, stream: str) -> dict[str, Row]:
        """Rows that count, by id."""
        sql = f"select * from ynab.{stream} where not deleted and _sdc_deleted_at is null"  # noqa: S608
        return {row["id"]: row for row in self.query(sql)}


@dataclass
class Pipeline:
    """`tap-ynab | target-postgres`, run again and again with the state that the loader gives."""

    tap: Tap
    database: Database
    loader: Loader = STOCK_LOADER
    state: State = field(default_factory=dict)

    def sync(self, *, full: bool = False, **config: object) -> Finished:
        """Run both; the state moves on only with what the loader confirms, as under Meltano."""
        state = {} if full else self.state
        finished = self.tap.run(state=state, **config)
        self.load(finished.stdout)
        return finished

    def loader_command(self) -> list[str]:
        config = self.tap.write("loader.json", self.database.loader_config)
        return [self.loader.command, "--config", config]

    def loader_environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "PGTZ": "UTC", **CLOCK, **self.loader.environment}

    def load(self, messages: str) -> None:
        loader = subprocess.run(
            self.loader_command(),
            input=messages,
            env=self.loader_environment(),
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=300,
        )
        assert loader.returncode == 0, loader.stderr[-3000:]
        if states := loader.stdout.splitlines():
            self.state = json.loads(states[-1])
