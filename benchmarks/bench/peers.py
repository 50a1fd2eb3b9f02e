"""The programs that are compared, each with what it takes to run it and to see what it has.

How each was set up, and why, is in README.md.
"""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench import tap as ours
from bench.measure import Taken, run
from bench.sandbox import EVERYTHING, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.database import Databases
    from bench.programs import Program
    from bench.sandbox import Account

#: Amounts of the transactions that are alive, by id.
Amounts = dict[str, int]


@dataclass
class Peer(ABC):
    """A program that brings a YNAB account somewhere.

    Attributes:
        name: what it is called in tables.
        folder: for its files; what is in it belongs to one account.
        account: what it reads.
    """

    name: str
    folder: Path
    account: Account

    @abstractmethod
    def sync(self) -> Taken:
        """Runs it once."""

    @abstractmethod
    def rows(self) -> int:
        """Rows that it has brought so far."""

    @abstractmethod
    def amounts(self) -> Amounts:
        """The transactions that are alive for whoever looks at its output."""


@dataclass
class _Printing(Peer):
    """A program that prints messages; what it has is what they make of a table by id.

    Attributes:
        outputs: what it has printed, sync by sync.
        lasting: how many of the last outputs make the table: all but for a program that is set to
            replace it each time.
    """

    outputs: list[Path] = field(default_factory=list)
    lasting: int | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Its command line."""

    @abstractmethod
    def read(self, line: bytes) -> tuple[str, ours.Row] | None:
        """The stream and the row of a line, if it holds one."""

    def sync(self) -> Taken:
        """Runs it, and keeps what it prints."""
        output = self.folder / f"output-{len(self.outputs)}.jsonl"
        taken = run(self.command(), folder=self.folder, stdout=output)
        self.outputs.append(output)
        return taken

    def rows(self) -> int:
        """Rows that it has printed."""
        return sum(1 for _ in self._printed())

    def amounts(self) -> Amounts:
        """The last row with each id counts."""
        last = {row["id"]: row for stream, row in self._printed() if stream == "transactions"}
        return {row["id"]: row["amount"] for row in last.values() if not row["deleted"]}

    def _printed(self) -> Iterator[tuple[str, ours.Row]]:
        for output in self.outputs[-self.lasting :] if self.lasting else self.outputs:
            with output.open("rb") as lines:
                yield from filter(None, map(self.read, lines))


@dataclass
class Tap(_Printing):
    """Our tap alone.

    Attributes:
        tap: where it is installed.
        streams: those that are selected; none for all.
    """

    tap: Program = field(kw_only=True)
    streams: Sequence[str] = ours.SIX

    def command(self) -> list[str]:
        """Goes on from the state of the sync before."""
        state = self.folder / "state.json"
        if self.outputs:
            ours.keep_last_state(self.outputs[-1], state)
        return ours.command(self.tap, self.account, self.folder, streams=self.streams, state=state)

    def read(self, line: bytes) -> tuple[str, ours.Row] | None:
        """A Singer RECORD."""
        if not line.startswith(b'{"type":"RECORD"'):
            return None
        message = json.loads(line)
        return message["stream"], message["record"]


@dataclass
class TapIntoPostgres(Peer):
    """Our tap and its loader.

    Attributes:
        tap: where the tap is installed.
        program: where the loader is installed.
        server: where to load into.
        loader: how the loader is started.
        goes_on: whether a sync goes on from the state of the one before.
    """

    tap: Program
    program: Program
    server: Databases
    loader: ours.Loader = ours.STOCK_LOADER
    goes_on: bool = True

    def __post_init__(self) -> None:
        """Begins with an empty database."""
        self._url = self.server.anew("ours")

    def sync(self) -> Taken:
        """Brings what changed, or everything."""
        state = self.folder / "state.json"
        if not self.goes_on:
            state.unlink(missing_ok=True)
        called = ours.command(self.tap, self.account, self.folder, streams=ours.SIX, state=state)
        loader = replace(self.loader, command=self.program.command(self.loader.command))
        return ours.together(
            ours.into_postgres(called, loader, self._url, folder=self.folder, state=state)
        )

    def rows(self) -> int:
        """Rows in its tables."""
        return _count(self.server, "ours")

    def amounts(self) -> Amounts:
        """As the README of the project says which are alive."""
        return _amounts(self.server, "ours", "not deleted and _sdc_deleted_at is null")


@dataclass
class Dlt(Peer):
    """A pipeline of dlt into PostgreSQL.

    Attributes:
        program: where it is installed.
        server: where to load into.
        options: how it is to work.
    """

    program: Program
    server: Databases
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Begins with an empty database."""
        self._url = self.server.anew("dlt")

    def sync(self) -> Taken:
        """Runs the pipeline, whose own state is in its folder."""
        script = str(self.program.folder / "run.py")
        called = [self.program.command("python"), script, self.account.url, TOKEN, self._url]
        told = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
        # Run by root, it would keep what it knows of all rounds in one place.
        told["DLT_DATA_DIR"] = str(self.folder / "dlt")
        return run([*called, *self.options], folder=self.folder, environment=told)

    def rows(self) -> int:
        """Rows in its tables."""
        return _count(self.server, "dlt")

    def amounts(self) -> Amounts:
        """YNAB's own flag is all it has."""
        return _amounts(self.server, "dlt", "not deleted")


@dataclass
class Airbyte(_Printing):
    """Airbyte's declarative source with a manifest of ours, and no destination.

    Its mode is "full refresh, overwrite": the destination's table is that of the last sync.

    Attributes:
        program: where it is installed.
        since_date: date of the oldest transactions, if it is told.
    """

    program: Program = field(kw_only=True)
    since_date: str | None = None
    lasting: int | None = 1

    def command(self) -> list[str]:
        """A full refresh of the six streams."""
        told = {"since_date": self.since_date} if self.since_date else {}
        config = {"api_url": self.account.url, "token": TOKEN, **told}
        catalog = {"streams": [_configured(name) for name in ours.SIX]}
        return [
            self.program.command("source-declarative-manifest"),
            "read",
            "--config",
            ours.write(self.folder / "config.json", config),
            "--catalog",
            ours.write(self.folder / "catalog.json", catalog),
            "--manifest-path",
            str(self.program.folder / "manifest.yaml"),
        ]

    def read(self, line: bytes) -> tuple[str, ours.Row] | None:
        """An AirbyteMessage with a record."""
        message = json.loads(line)
        if message["type"] != "RECORD":
            return None
        return message["record"]["stream"], message["record"]["data"]


@dataclass
class SqliteExport(Peer):
    """`sqlite-export-for-ynab`, which has no months.

    Attributes:
        program: where it is installed.
    """

    program: Program

    def sync(self) -> Taken:
        """Runs it; its state is in its database."""
        called = [self.program.command("python"), str(self.program.folder / "run.py")]
        return run(
            [*called, "--quiet", "--db", str(self._path)],
            folder=self.folder,
            environment={"YNAB_PERSONAL_ACCESS_TOKEN": TOKEN, "API": self.account.url},
        )

    def rows(self) -> int:
        """Rows in its tables of the same names."""
        tables = [name for name in ours.SIX if name != "months"]
        return sum(int(self._query(f"select count(*) from {name}")[0][0]) for name in tables)  # noqa: S608 - our names

    def amounts(self) -> Amounts:
        """YNAB's own flag is all it has."""
        return dict(self._query("select id, amount from transactions where not deleted"))

    @property
    def _path(self) -> Path:
        return self.folder / "db.sqlite"

    def _query(self, sql: str) -> list[tuple[str, int]]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(sql).fetchall()


def dlt_options(*, told: bool) -> list[str]:
    """Return the command line of dlt's pipeline.

    Args:
        told: whether it asks for all transactions there are.
    """
    return ["--since-date", EVERYTHING] if told else []


def _configured(name: str) -> ours.Row:
    """A stream as Airbyte's platform configures it for a full refresh."""
    stream = {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    return {
        "stream": stream,
        "sync_mode": "full_refresh",
        "destination_sync_mode": "overwrite",
    }


def _count(server: Databases, name: str) -> int:
    counts = " + ".join(f"(select count(*) from ynab.{table})" for table in ours.SIX)  # noqa: S608 - our names
    return int(server.query(name, f"select {counts}")[0][0])


def _amounts(server: Databases, name: str, alive: str) -> Amounts:
    sql = f"select id, amount from ynab.transactions where {alive}"  # noqa: S608 - our own words
    return {row[0]: int(row[1]) for row in server.query(name, sql)}
