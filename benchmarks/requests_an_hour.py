"""Syncs that fit into YNAB's 200 requests an hour, as the sandbox counts requests.

For accounts of 1, 2, 5 and 10 budgets: requests of the first load, of a sync with nothing changed
and of one after a day's changes in each budget, and how many of the dearer of those two fit into an
hour.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import tap as ours
from bench.database import databases
from bench.peers import Airbyte, Dlt, SqliteExport, Tap
from bench.programs import Program
from bench.report import headline, table
from bench.sandbox import account, without_null_maps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.database import Databases
    from bench.peers import Peer
    from bench.sandbox import Account

    Maker = Callable[[Path, Account], Peer]

BUDGETS = [1, 2, 5, 10]
AN_HOUR = 200
TRANSACTIONS = 500


@dataclass(frozen=True)
class Counts:
    """Requests of each sync.

    Attributes:
        first: of everything.
        idle: with nothing changed.
        changed: after a day's changes.
    """

    first: int
    idle: int
    changed: int

    @property
    def an_hour(self) -> int:
        """Syncs that fit into an hour."""
        return AN_HOUR // max(self.idle, self.changed)


def main() -> None:
    """Counts and prints the tables."""
    asked = _arguments()
    tap, loader = Program("tap"), Program("loader")
    headline("python3 benchmarks/requests_an_hour.py")
    with (
        tempfile.TemporaryDirectory() as name,
        databases(loader, Path(name) / "postgres") as server,
    ):
        found = {
            named: [_count(tap, maker, budgets) for budgets in asked.budgets]
            for named, maker in _makers(tap, server).items()
        }
    _print(asked.budgets, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=int, nargs="+", help="how many an account has")
    parser.add_argument("--quick", action="store_true", help="two sizes only: does it run?")
    asked = parser.parse_args()
    asked.budgets = asked.budgets or (BUDGETS[:2] if asked.quick else BUDGETS)
    return asked


def _makers(tap: Program, server: Databases) -> dict[str, Maker]:
    dlt, airbyte, sqlite = Program("dlt"), Program("airbyte"), Program("sqlite_export")
    without_movements = [n for n in ours.stream_names(tap) if not n.startswith("money_")]
    return {
        "tap-ynab, all 12 streams": lambda folder, at: Tap("all", folder, at, tap=tap, streams=()),
        "tap-ynab, without money movements": lambda folder, at: Tap(
            "most", folder, at, tap=tap, streams=without_movements
        ),
        "tap-ynab, the 6 streams of dlt and Airbyte": lambda folder, at: Tap(
            "six", folder, at, tap=tap
        ),
        "dlt, 6 streams": lambda folder, at: Dlt("dlt", folder, at, dlt, server),
        "airbyte-cdk, 6 streams": lambda folder, at: Airbyte(
            "airbyte", folder, at, program=airbyte
        ),
        "sqlite-export-for-ynab": lambda folder, at: SqliteExport("sqlite", folder, at, sqlite),
    }


def _count(tap: Program, maker: Maker, budgets: int) -> Counts:
    with tempfile.TemporaryDirectory() as folder, account(tap, TRANSACTIONS) as at:
        _have(at, budgets)
        without_null_maps(at)
        peer = maker(Path(folder), at)
        return Counts(_requests(at, peer), _requests(at, peer), _after_a_day(at, peer))


def _have(at: Account, wanted: int) -> None:
    budgets = at.budgets
    for budget in budgets[wanted:]:
        at.operate("remove-budget", budget=budget["id"])
    for number in range(len(budgets), wanted):
        at.operate("add-budget", name=f"Budget {number + 1}")


def _requests(at: Account, peer: Peer) -> int:
    at.requests()
    peer.sync()
    return at.requests()


def _after_a_day(at: Account, peer: Peer) -> int:
    for budget in at.budgets:
        at.operate("live", budget=budget["id"])
    return _requests(at, peer)


def _print(budgets: Sequence[int], found: dict[str, list[Counts]]) -> None:
    table(
        ["requests: first load / nothing changed / changed", *map(_budgets, budgets)],
        [
            [name, *(f"{one.first} / {one.idle} / {one.changed}" for one in counts)]
            for name, counts in found.items()
        ],
    )
    table(
        [f"syncs within {AN_HOUR} requests an hour", *map(_budgets, budgets)],
        [[name, *(str(one.an_hour) for one in counts)] for name, counts in found.items()],
    )


def _budgets(number: int) -> str:
    return "1 budget" if number == 1 else f"{number} budgets"


if __name__ == "__main__":
    main()
