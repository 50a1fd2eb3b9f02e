"""Syncs a minute of many tenants: one after the other, in parallel, and through Dagster.

All of them read one account of the sandbox, each into a schema of its own of one PostgreSQL server.
Needs `make install`, and for Dagster `make .venv-dagster/installed`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from bench.programs import Program
from bench.report import headline, table
from bench.sandbox import TOKEN, account
from bench.tenants import Round, Tenants

if TYPE_CHECKING:
    from collections.abc import Callable

TENANTS, PARALLEL, TRANSACTIONS = (10, 50, 200), (1, 2, 4), 240
KINDS = IDLE, CHANGES = ("idle", "changes")


def main() -> None:
    """Measures and prints the table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as name, account(Program("tap"), TRANSACTIONS) as found:
        tenants = Tenants(Path(name), found, TOKEN)
        headline(" ".join(["python3 benchmarks/tenants.py", *sys.argv[1:]]))
        rows: list[list[str]] = []
        most = max(asked.parallel)
        ways: dict[str, Callable[[], Round]]
        ways = {f"{number}": partial(tenants.sync, number) for number in asked.parallel}
        if asked.dagster:
            ways["2, Dagster"] = tenants.sync_through_dagster

        def add(measured: Round, kind: str, parallel: str) -> None:
            rows.append(_row(measured, kind, parallel))
            print(*rows[-1], file=sys.stderr, flush=True)  # all of them together take hours

        try:
            for count in asked.tenants:
                tenants.have(count)
                add(tenants.sync(most), "first", f"{most}")
                for kind, (parallel, sync) in product(asked.kinds, ways.items()):
                    if kind == CHANGES:
                        found.operate("live")
                    add(sync(), kind, parallel)
        finally:
            tenants.stop()
    columns = ["tenants", "sync", "parallel", "seconds", "syncs a minute"]
    table([*columns, "processor s a sync", "peak MB"], rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, nargs="+", default=TENANTS)
    parser.add_argument("--parallel", type=int, nargs="+", default=PARALLEL)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--no-dagster", dest="dagster", action="store_false")
    parser.add_argument("--quick", action="store_true", help="two tenants: does it run?")
    asked = parser.parse_args()
    if asked.quick:
        asked.tenants, asked.parallel = [2], [2]
    return asked


def _row(found: Round, kind: str, parallel: str) -> list[str]:
    return [
        f"{found.tenants}",
        kind,
        parallel,
        f"{found.seconds:,.0f}",
        f"{found.a_minute:.1f}",
        f"{found.processor / found.tenants:.2f}",
        f"{found.memory:,.0f}",
    ]


if __name__ == "__main__":
    main()
