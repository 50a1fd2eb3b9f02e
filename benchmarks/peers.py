"""Our tap beside dlt, Airbyte's declarative source and sqlite-export-for-ynab.

Each reads a fresh account, the account changes, and each reads it again. Then what it has is
compared with the account.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.database import databases
from bench.peers import Airbyte, Dlt, SqliteExport, Tap, TapIntoPostgres, dlt_options
from bench.picture import draw, options
from bench.programs import Program
from bench.report import headline, in_turns, spread, table
from bench.sandbox import EVERYTHING, TODAY, account, without_null_maps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.database import Databases
    from bench.measure import Taken
    from bench.peers import Amounts, Peer
    from bench.sandbox import Account, Row

    Maker = Callable[[Path, Account], Peer]

TRANSACTIONS = 10_000
QUICK = 2_000
#: How many are edited, deleted and added between the two syncs; half of those deleted are old.
CHANGED = 10
A_YEAR_AGO = f"{int(TODAY[:4]) - 1}{TODAY[4:]}"


@dataclass(frozen=True)
class Changes:
    """Edits and deletions in the account between the two syncs.

    Attributes:
        edited: the new amounts of old transactions.
        deleted: ids of transactions.
    """

    edited: Amounts
    deleted: Sequence[str]


@dataclass(frozen=True)
class Missed:
    """Rows that are wrong after the second sync.

    Attributes:
        edits: edits of transactions older than a year that are not there, of `CHANGED`.
        deletions: deleted transactions, of `CHANGED`, that are shown as alive.
        all: transactions that differ in any way.
    """

    edits: int
    deletions: int
    all: int


@dataclass(frozen=True)
class Result:
    """A peer's two syncs.

    Attributes:
        first: what the first took.
        second: what the second took.
        requests: how many each sent.
        rows: that the first brought.
        old: transactions older than a year that the first did not bring.
        missed: what is not right after the second.
    """

    first: Taken
    second: Taken
    requests: tuple[int, int]
    rows: int
    old: int
    missed: Missed


class Peers:
    """The peers, installed."""

    def __init__(self, server_folder: Path) -> None:
        """Installs them.

        Args:
            server_folder: where the database server is to be.
        """
        self.tap, self.loader = Program("tap"), Program("loader")
        self._dlt, self._airbyte = Program("dlt"), Program("airbyte")
        self._sqlite = Program("sqlite_export")
        self.server_folder = server_folder

    def makers(self, server: Databases) -> dict[str, Maker]:
        """Return the way to set up each program on a fresh account, by its name in the tables.

        Args:
            server: the database server, running.
        """
        dlt, airbyte, sqlite = self._dlt, self._airbyte, self._sqlite
        versions = {
            "dlt": f"dlt {dlt.version('dlt')}, PostgreSQL",
            "airbyte": f"airbyte-cdk {airbyte.version('airbyte-cdk')}, messages",
            "sqlite": f"sqlite-export-for-ynab {sqlite.version('sqlite-export-for-ynab')}",
        }

        def dlt_peer(name: str, folder: Path, at: Account, *, told: bool) -> Peer:
            return Dlt(name, folder, at, dlt, server, dlt_options(told=told))

        def airbyte_peer(name: str, folder: Path, at: Account, *, told: bool) -> Peer:
            since = EVERYTHING if told else None
            return Airbyte(name, folder, at, program=airbyte, since_date=since)

        made: dict[str, Maker] = {
            "tap-ynab, messages": lambda folder, at: Tap("tap", folder, at, tap=self.tap),
            "tap-ynab, all 12 streams": lambda folder, at: Tap(
                "all", folder, at, tap=self.tap, streams=()
            ),
            "tap-ynab, PostgreSQL": lambda folder, at: TapIntoPostgres(
                "ours", folder, at, self.tap, self.loader, server
            ),
            f"{versions['sqlite']}, SQLite": lambda folder, at: SqliteExport(
                "sqlite", folder, at, sqlite
            ),
        }
        for told, words in ((False, ""), (True, ", since_date")):
            made[versions["dlt"] + words] = partial(dlt_peer, "dlt", told=told)
            made[versions["airbyte"] + words] = partial(airbyte_peer, "airbyte", told=told)
        return made


def main() -> None:
    """Compares and prints the tables."""
    asked = options(__doc__, quick=[QUICK], usual=[TRANSACTIONS])
    with tempfile.TemporaryDirectory() as name:
        peers = Peers(Path(name) / "postgres")
        headline("python3 benchmarks/peers.py")
        with databases(peers.loader, peers.server_folder) as server:
            makers = peers.makers(server)
            found = {size: _compare(peers.tap, makers, size, asked.rounds) for size in asked.sizes}
    if asked.picture:
        draw(asked.picture, _curves(found))


def _compare(
    tap: Program, makers: dict[str, Maker], size: int, rounds: int
) -> dict[str, list[Result]]:
    results = in_turns(
        {name: partial(_one, tap, maker, size) for name, maker in makers.items()}, rounds
    )
    print(f"{size:,} transactions in one budget, 240 in another:\n")
    _print(results)
    return results


def _one(tap: Program, maker: Maker, size: int) -> Result:
    """A peer with an account of its own, which nobody else has read or changed."""
    with tempfile.TemporaryDirectory() as folder, account(tap, size) as at:
        peer = maker(Path(folder), at)
        without_null_maps(at)
        before = at.rows("transactions")
        at.prepare()
        first = peer.sync()
        sent, rows, had = at.requests(), peer.rows(), peer.amounts()
        changes = _change(at)
        at.prepare()
        second = peer.sync()
        return Result(
            first=first,
            second=second,
            requests=(sent, at.requests()),
            rows=rows,
            old=sum(one not in had for one, row in before.items() if row["date"] < A_YEAR_AGO),
            missed=_missed(changes, at.rows("transactions"), peer.amounts()),
        )


def _change(at: Account) -> Changes:
    """Edits old transactions, deletes some, old ones and recent ones, and adds some."""
    # Both sides of a transfer would change together, and a split with its parts.
    simple = [row for row in at.budget_rows("transactions") if not row["transfer_account_id"]]
    simple = [row for row in simple if row["category_id"]]
    old = [row for row in simple if row["date"] < A_YEAR_AGO]
    recent = [row for row in simple if row["date"] >= A_YEAR_AGO]
    edited = {row["id"]: row["amount"] - 1230 for row in old[:CHANGED]}
    for identity, amount in edited.items():
        at.operate("edit", kind="transactions", id=identity, fields={"amount": amount})
    half = CHANGED // 2
    deleted = [row["id"] for row in (*old[CHANGED : CHANGED + half], *recent[:half])]
    for identity in deleted:
        at.operate("delete", kind="transactions", id=identity)
    for _ in range(CHANGED):
        at.operate("add", kind="transactions", fields={"date": TODAY, "amount": -4560})
    return Changes(edited, deleted)


def _missed(changes: Changes, rows: dict[str, Row], has: Amounts) -> Missed:
    wanted = {identity: row["amount"] for identity, row in rows.items()}
    return Missed(
        edits=sum(has.get(identity) != amount for identity, amount in changes.edited.items()),
        deletions=sum(identity in has for identity in changes.deleted),
        all=sum(wanted.get(one) != has.get(one) for one in {*wanted, *has}),
    )


def _print(results: dict[str, list[Result]]) -> None:
    columns = ["first load, then a sync of changes", "requests", "rows", "seconds", "peak MB"]
    columns += ["then requests", "seconds", "peak MB"]
    table(
        [*columns, "missed old rows", "old edits", "deletions", "wrong in the end"],
        [
            [
                name,
                spread([one.requests[0] for one in found], 0),
                spread([one.rows for one in found], 0),
                spread([one.first.seconds for one in found]),
                spread([one.first.memory for one in found], 0),
                spread([one.requests[1] for one in found], 0),
                spread([one.second.seconds for one in found]),
                spread([one.second.memory for one in found], 0),
                f"{found[-1].old:,}",
                f"{missed.edits} of {CHANGED}",
                f"{missed.deletions} of {CHANGED}",
                f"{missed.all:,}",
            ]
            for name, found in results.items()
            for missed in [found[-1].missed]
        ],
    )


def _curves(found: dict[int, dict[str, list[Result]]]) -> dict[str, dict[int, list[Taken]]]:
    return {
        name: {size: [one.first for one in of_size[name]] for size, of_size in found.items()}
        for name, results in next(iter(found.values())).items()
        if results[-1].old == 0  # with fewer rows than there are it is easy to be fast
    }


if __name__ == "__main__":
    main()
