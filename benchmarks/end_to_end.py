"""From the API into PostgreSQL: our tap and its loader beside dlt.

Each round loads everything into an empty database, and then everything once more. After that come
ten full refreshes of one database, to see what they make of its largest table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import tap as ours
from bench.database import databases
from bench.measure import MEGABYTE, Taken
from bench.peers import Dlt, TapIntoPostgres, dlt_options
from bench.programs import Program
from bench.report import Target, headline, in_turns, share, spread, table, targets
from bench.sandbox import account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.database import Databases
    from bench.peers import Peer
    from bench.sandbox import Account

    Maker = Callable[[Path], Peer]

TRANSACTIONS = 100_000
QUICK = 5_000
REFRESHES = 10
#: How much of dlt's time we may take, and how much longer the second load may be than the first.
SHARE, AGAIN = 0.7, 1.1
#: Dead and live rows together may make the table this much larger than one load does.
BOUND = 3.0
#: Seconds for autovacuum to come in, if it comes.
PATIENCE = 20
GROWTH = (
    "select pg_total_relation_size(relid), n_live_tup, n_dead_tup, autovacuum_count "
    "from pg_stat_user_tables where schemaname = 'ynab' and relname = 'transactions'"
)
OURS = "tap-ynab | target-postgres"
FAST = "the same, the fast loader"
DLT = "dlt, rest_api, merge"
DLT_CSV = "dlt, with CSV, not unnested"


@dataclass(frozen=True)
class Loads:
    """Two loads of everything into one database, which was empty before.

    Attributes:
        first: what the first took; of two programs, the sum, and the time of both together.
        second: what the second took.
        rows: transactions in the database.
    """

    first: Taken
    second: Taken
    rows: int


def main() -> None:
    """Measures and prints the tables."""
    asked = _arguments()
    tap, loader = Program("tap"), Program("loader")
    with (
        tempfile.TemporaryDirectory() as name,
        account(tap, asked.transactions) as sandbox,
        databases(loader, Path(name) / "postgres") as server,
    ):
        sandbox.prepare()
        makers = _makers(sandbox, server, tap, loader)
        headline(f"python3 benchmarks/end_to_end.py --transactions {asked.transactions}")
        results = in_turns(
            {
                named: partial(_twice, maker, Path(name), sandbox.count("transactions"))
                for named, maker in makers.items()
            },
            asked.rounds,
        )
        _print_loads(results)
        targets(_judge(results))
        if asked.refreshes:
            peer = makers[OURS](_inside(Path(name)))
            _print_refreshes(_refreshes(peer, server, at_once=asked.at_once))


def _makers(sandbox: Account, server: Databases, tap: Program, loader: Program) -> dict[str, Maker]:
    """Return the programs to measure, each with an empty database."""
    dlt = Program("dlt")

    def tap_peer(how: ours.Loader, folder: Path) -> Peer:
        return TapIntoPostgres("ours", folder, sandbox, tap, loader, server, how, goes_on=False)

    def dlt_peer(options: Sequence[str], folder: Path) -> Peer:
        return Dlt("dlt", folder, sandbox, dlt, server, [*dlt_options(told=True), *options])

    return {
        OURS: partial(tap_peer, ours.STOCK_LOADER),
        FAST: partial(tap_peer, ours.FAST_LOADER),
        DLT: partial(dlt_peer, []),
        DLT_CSV: partial(dlt_peer, ["--csv", "--flat"]),
    }


def _twice(maker: Maker, folder: Path, wanted: int) -> Loads:
    peer = maker(_inside(folder))
    first, second = peer.sync(), peer.sync()
    if (rows := len(peer.amounts())) != wanted:
        raise SystemExit(f"{peer.name} has {rows} transactions, not {wanted}: no fair comparison.")
    return Loads(first, second, rows)


def _inside(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def _refreshes(peer: Peer, server: Databases, *, at_once: bool) -> list[list[str]]:
    """Size, live and dead rows of the transactions after each full refresh.

    Args:
        peer: what refreshes them.
        server: where they are.
        at_once: whether one follows upon the other; else autovacuum comes in between, as it
            does where a refresh is a matter of hours or days.
    """
    if not at_once:
        server.hurry_autovacuum()
    found = []
    for _ in range(REFRESHES):
        peer.sync()
        found += server.query(peer.name, GROWTH)
        if not at_once:
            _await_autovacuum(peer, server, int(found[-1][-1]))
    return found


def _await_autovacuum(peer: Peer, server: Databases, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if int(server.query(peer.name, GROWTH)[0][-1]) > number:
            return
        time.sleep(0.5)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, help="of the first budget")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-refreshes", dest="refreshes", action="store_false")
    parser.add_argument(
        "--at-once", action="store_true", help="refreshes without autovacuum in between"
    )
    parser.add_argument("--quick", action="store_true", help="one round, small: does it run?")
    asked = parser.parse_args()
    asked.transactions = asked.transactions or (QUICK if asked.quick else TRANSACTIONS)
    asked.rounds = 1 if asked.quick else asked.rounds
    return asked


def _print_loads(results: dict[str, list[Loads]]) -> None:
    table(
        ["into PostgreSQL", "rows", "first load s", "second load s", "processor s", "peak MB"],
        [
            [
                name,
                f"{loads[0].rows:,}",
                spread([one.first.seconds for one in loads]),
                spread([one.second.seconds for one in loads]),
                spread([one.first.processor for one in loads]),
                spread([one.first.memory for one in loads], 0),
            ]
            for name, loads in results.items()
        ],
    )


def _judge(results: dict[str, list[Loads]]) -> list[Target]:
    first = {name: [one.first.seconds for one in loads] for name, loads in results.items()}
    second = {name: [one.second.seconds for one in loads] for name, loads in results.items()}
    found = []
    for name, words in ((OURS, "stock"), (FAST, "fast")):
        for peer in (DLT, DLT_CSV):
            by = share(first[name], first[peer])
            found.append(
                Target(f"{words}: time by {peer}", f"{by:.2f}", f"<= {SHARE}", by <= SHARE)
            )
        by = share(second[name], first[name])
        found.append(
            Target(f"{words}: second load by the first", f"{by:.2f}", f"<= {AGAIN}", by <= AGAIN)
        )
    return found


def _print_refreshes(found: Sequence[Sequence[str]]) -> None:
    sizes = [int(size) for size, *_ in found]
    table(
        ["ynab.transactions after", "MB", "by the first", "live rows", "dead rows", "autovacuums"],
        [
            [f"refresh {number}", f"{size / MEGABYTE:.0f}", f"{size / sizes[0]:.2f}", *others]
            for number, (size, (_, *others)) in enumerate(zip(sizes, found, strict=True), 1)
        ],
    )
    ratio = max(sizes) / sizes[0]
    targets([Target("largest size by the first", f"{ratio:.2f}", f"<= {BOUND:g}", ratio <= BOUND)])


if __name__ == "__main__":
    main()
