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
from statistics import median
from typing import TYPE_CHECKING

from bench import tap as ours
from bench.database import databases
from bench.measure import MEGABYTE, Taken, run
from bench.programs import Program
from bench.report import Target, headline, in_turns, spread, table, targets
from bench.sandbox import EVERYTHING, TOKEN, account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.database import Databases
    from bench.sandbox import Account

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
#: dlt in two ways, and what they are called in the table.
VARIANTS = {
    "dlt, rest_api, merge": [],
    "dlt, with CSV, not unnested": ["--csv", "--flat"],
}
OURS = "tap-ynab | target-postgres"


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


@dataclass
class Bench:
    """What is measured against what.

    Attributes:
        sandbox: the account.
        server: where it is loaded into.
        folder: for files.
        tap: where our tap is installed.
        loader: where its loader is installed.
        dlt: where dlt is installed.
    """

    sandbox: Account
    server: Databases
    folder: Path
    tap: Program
    loader: Program
    dlt: Program

    def ours(self) -> Loads:
        """The tap and its loader."""
        folder, url = self._folder(), self.server.anew("ours")
        called = ours.command(self.tap, self.sandbox, folder, streams=ours.SIX)
        return self._twice("ours", partial(self._pipe, called, url, folder))

    def peer(self, options: Sequence[str]) -> Loads:
        """A pipeline of dlt.

        Args:
            options: how it is to work.
        """
        url = self.server.anew("dlt")
        script = str(self.dlt.folder / "run.py")
        called = [self.dlt.command("python"), script, self.sandbox.url, TOKEN, url, *options]
        telling = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
        called += ["--since-date", EVERYTHING]
        return self._twice("dlt", partial(run, called, folder=self._folder(), environment=telling))

    def refreshes(self, *, at_once: bool) -> list[list[str]]:
        """Size, live and dead rows of the transactions after each full refresh.

        Args:
            at_once: whether one follows upon the other; else autovacuum comes in between, as it
                does where a refresh is a matter of hours or days.
        """
        folder, url = self._folder(), self.server.anew("ours")
        called = ours.command(self.tap, self.sandbox, folder, streams=ours.SIX)
        if not at_once:
            self.server.hurry_autovacuum()
        found = []
        for _ in range(REFRESHES):
            self._pipe(called, url, folder)
            found += self.server.query("ours", GROWTH)
            if not at_once:
                self._await_autovacuum(int(found[-1][-1]))
        return found

    def _await_autovacuum(self, number: int) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if int(self.server.query("ours", GROWTH)[0][-1]) > number:
                return
            time.sleep(0.5)

    def _pipe(self, called: Sequence[str], url: str, folder: Path) -> Taken:
        state = folder / "state.json"
        return ours.together(
            ours.into_postgres(called, self.loader, url, folder=folder, state=state)
        )

    def _twice(self, name: str, load: Callable[[], Taken]) -> Loads:
        first, second = load(), load()
        [[rows]] = self.server.query(name, "select count(*) from ynab.transactions")
        if int(rows) != (wanted := self.sandbox.count("transactions")):
            raise SystemExit(f"{name} has {rows} transactions, not {wanted}: no fair comparison.")
        return Loads(first, second, int(rows))

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))


def main() -> None:
    """Measures and prints the tables."""
    asked = _arguments()
    tap, loader, dlt = Program("tap"), Program("loader"), Program("dlt")
    headline(f"python3 benchmarks/end_to_end.py --transactions {asked.transactions}")
    with (
        tempfile.TemporaryDirectory() as name,
        account(tap, asked.transactions) as sandbox,
        databases(loader, Path(name) / "postgres") as server,
    ):
        sandbox.prepare()
        bench = Bench(sandbox, server, Path(name), tap, loader, dlt)
        results = in_turns(
            {OURS: bench.ours}
            | {named: partial(bench.peer, options) for named, options in VARIANTS.items()},
            asked.rounds,
        )
        _print_loads(results)
        targets(_judge(results))
        if asked.refreshes:
            _print_refreshes(bench.refreshes(at_once=asked.at_once))


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
    first = {name: median(one.first.seconds for one in loads) for name, loads in results.items()}
    again = median(one.second.seconds for one in results[OURS]) / first[OURS]
    return [
        *(
            Target(f"time by that of {name}", f"{share:.2f}", f"<= {SHARE}", share <= SHARE)
            for name in VARIANTS
            for share in [first[OURS] / first[name]]
        ),
        Target("second load by the first", f"{again:.2f}", f"<= {AGAIN}", again <= AGAIN),
    ]


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
