"""How fast the tap reads transactions, and in how much memory.

Prints rows a second, seconds and peak memory for each size, beside those of a bare loop of `ijson`
and `orjson` over the same answer, and draws the picture with `--picture`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import tap as ours
from bench.measure import Running, Taken, run
from bench.programs import Program
from bench.report import Target, headline, in_turns, spread, table, targets
from bench.sandbox import account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.sandbox import Account

SIZES = [10_000, 50_000, 100_000, 250_000, 500_000]
QUICK = [10_000, 50_000]
FASTEST, LEAST = 50_000, 0.4
MEMORY, GROWTH = 128, 1.25
PIECE = 1 << 16
RECORD = b'"stream":"transactions","record"'


@dataclass(frozen=True)
class Size:
    """What was measured at one size.

    Attributes:
        rows: transactions that were read.
        tap: each round of the tap.
        bare: each round of the bare loop.
        first: when the first row was out, as a share of the run.
    """

    rows: int
    tap: list[Taken]
    bare: list[Taken]
    first: float

    @property
    def rate(self) -> float:
        """Rows a second of the tap, its start included."""
        return self.rows / median(one.seconds for one in self.tap)

    @property
    def bare_rate(self) -> float:
        """Rows a second of the bare loop, its start included."""
        return self.rows / median(one.seconds for one in self.bare)

    @property
    def memory(self) -> float:
        """Peak memory of the tap."""
        return max(one.memory for one in self.tap)


def main() -> None:
    """Measures each size and prints the tables."""
    asked = _arguments()
    tap, bare = Program("tap"), Program("bare")
    headline("python3 benchmarks/extraction.py")
    sizes = [_measure(tap, bare, size, asked.rounds) for size in asked.sizes]
    _print_sizes(sizes)
    targets(_judge(sizes))
    if asked.picture:
        _draw(sizes, asked.picture)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", help="transactions of the first budget")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, small: does it run?")
    parser.add_argument("--picture", type=Path, help="draws seconds and memory to this SVG or PNG")
    asked = parser.parse_args()
    asked.sizes = sorted(asked.sizes or (QUICK if asked.quick else SIZES))
    asked.rounds = 1 if asked.quick else asked.rounds
    return asked


def _measure(tap: Program, bare: Program, transactions: int, rounds: int) -> Size:
    with account(tap, transactions) as sandbox, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = folder / "answer.json"
        body.write_bytes(sandbox.transactions())
        called = ours.command(tap, sandbox, folder, streams=["transactions"])
        loop = [bare.command("python"), str(bare.folder / "run.py"), str(body)]
        results = in_turns(
            {"tap": partial(run, called, folder=folder), "bare": partial(run, loop, folder=folder)},
            rounds,
        )
        rows, first = _watch(called, folder)
        _check(sandbox, rows)
        return Size(rows, results["tap"], results["bare"], first)


def _watch(called: Sequence[str], folder: Path) -> tuple[int, float]:
    """One more run of the tap whose output is read: how many rows, and when the first came."""
    began = time.monotonic()
    running = Running(called, folder=folder, stdout=subprocess.PIPE)
    rows, rest, first = 0, b"", 0.0
    while piece := os.read(running.output.fileno(), PIECE):
        text = rest + piece
        rows += text.count(RECORD)
        first = first or (rows and time.monotonic() - began)
        # A mark that ends in the next piece; one that ends in this is counted.
        rest = text[max(text.rfind(RECORD) + len(RECORD), len(text) - len(RECORD) + 1) :]
    running.taken()
    return rows, first / (time.monotonic() - began)


def _check(sandbox: Account, rows: int) -> None:
    if rows != (wanted := sandbox.count("transactions")):
        raise SystemExit(f"{rows} rows came out where {wanted} are: no figure is worth anything.")


def _print_sizes(sizes: Sequence[Size]) -> None:
    columns = ["transactions", "rows/s", "seconds", "processor s", "peak MB", "bare loop rows/s"]
    columns += ["of its rate", "first row out at"]
    table(
        columns,
        [
            [
                f"{size.rows:,}",
                f"{size.rate:,.0f}",
                spread([one.seconds for one in size.tap], 2),
                spread([one.processor for one in size.tap], 2),
                spread([one.memory for one in size.tap]),
                f"{size.bare_rate:,.0f}",
                f"{size.rate / size.bare_rate:.2f}",
                f"{size.first:.0%} of the time",
            ]
            for size in sizes
        ],
    )


def _judge(sizes: Sequence[Size]) -> list[Target]:
    small = min(sizes, key=lambda size: abs(size.rows - 50_000))
    large = sizes[-1]
    share = large.rate / large.bare_rate
    growth = large.memory / small.memory
    of = f"at {large.rows:,}"
    return [
        Target(f"rows/s {of}", f"{large.rate:,.0f}", f">= {FASTEST:,}", large.rate >= FASTEST),
        Target(f"of the bare loop's rate {of}", f"{share:.2f}", f">= {LEAST}", share >= LEAST),
        Target(f"peak MB {of}", f"{large.memory:.1f}", f"< {MEMORY}", large.memory < MEMORY),
        Target(
            f"peak memory {of} by that at {small.rows:,}",
            f"{growth:.2f}",
            f"<= {GROWTH}",
            growth <= GROWTH,
        ),
        Target("first row out, of the time", f"{large.first:.0%}", "< 100%", large.first < 1),
    ]


def _draw(sizes: Sequence[Size], picture: Path) -> None:
    """Has the picture drawn by a program of its own: nothing else here needs its library."""
    drawing = Program("picture")
    curves = {
        "tap-ynab": [_point(size.rows, size.tap) for size in sizes],
        "bare loop of ijson and orjson": [_point(size.rows, size.bare) for size in sizes],
    }
    subprocess.run(
        [drawing.command("python"), str(drawing.folder / "draw.py"), str(picture)],
        input=json.dumps(curves).encode(),
        check=True,
    )
    print(f"Picture: {picture}")


def _point(rows: int, taken: Sequence[Taken]) -> dict[str, float]:
    seconds = median(one.seconds for one in taken)
    return {"rows": rows, "seconds": seconds, "memory": max(one.memory for one in taken)}


if __name__ == "__main__":
    main()
