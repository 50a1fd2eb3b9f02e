"""Speed and memory of the tap when it reads transactions.

Prints rows a second, seconds and peak memory for each size, beside those of a bare loop of `ijson`
and `orjson` that asks for the same answer, and of one that has it in a file already. Draws the
picture with `--picture`.
"""

from __future__ import annotations

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
from bench.picture import draw, options
from bench.programs import Program
from bench.report import Target, headline, in_turns, share, spread, table, targets
from bench.sandbox import TOKEN, account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.sandbox import Account

QUICK = [10_000, 50_000]
FASTEST, LEAST = 50_000, 0.4
MEMORY, GROWTH = 128, 1.25
PIECE = 1 << 16
RECORD = b'"stream":"transactions","record"'


@dataclass(frozen=True)
class Size:
    """Measurements at one size.

    Attributes:
        rows: transactions that were read.
        tap: each round of the tap.
        bare: each round of the bare loop, which asks for the same answer.
        saved: each round of the bare loop over the answer in a file.
        first: when the first row was out, as a share of the run.
    """

    rows: int
    tap: list[Taken]
    bare: list[Taken]
    saved: list[Taken]
    first: float

    @property
    def rate(self) -> float:
        """Rows a second of the tap, its start included."""
        return self.rate_of(self.tap)

    def rate_of(self, rounds: list[Taken]) -> float:
        """Rows a second, the start included.

        Args:
            rounds: of what.
        """
        return self.rows / median(one.seconds for one in rounds)

    def share_of(self, rounds: list[Taken]) -> float:
        """Our rate by another one.

        Args:
            rounds: of what.
        """
        return share([one.seconds for one in rounds], [one.seconds for one in self.tap])

    @property
    def memory(self) -> float:
        """Peak memory of the tap."""
        return max(one.memory for one in self.tap)


def main() -> None:
    """Measures each size and prints the tables."""
    asked = options(__doc__, quick=QUICK)
    tap, bare = Program("tap"), Program("bare")
    headline("python3 benchmarks/extraction.py")
    sizes = [_measure(tap, bare, size, asked.rounds) for size in asked.sizes]
    _print_sizes(sizes)
    targets(_judge(sizes))
    if asked.picture:
        draw(
            asked.picture,
            {
                "tap-ynab": {size.rows: size.tap for size in sizes},
                "bare loop of ijson and orjson, from a file": {
                    size.rows: size.saved for size in sizes
                },
            },
        )


def _measure(tap: Program, bare: Program, transactions: int, rounds: int) -> Size:
    with account(tap, transactions) as sandbox, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = folder / "answer.json"
        body.write_bytes(sandbox.answer())
        called = ours.command(tap, sandbox, folder, streams=["transactions"])
        loop = [bare.command("python"), str(bare.folder / "run.py")]
        commands = {
            "tap": called,
            "bare": [*loop, sandbox.transactions, TOKEN],
            "saved": [*loop, body.as_uri()],
        }
        results = in_turns(
            {name: partial(run, command, folder=folder) for name, command in commands.items()},
            rounds,
        )
        rows, first = _watch(called, folder)
        _check(sandbox, rows)
        return Size(rows, first=first, **results)


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
    columns = ["transactions", "rows/s", "seconds", "processor s", "peak MB", "first row out at"]
    columns += ["bare loop rows/s", "of its rate", "over a file rows/s", "of its rate"]
    table(
        columns,
        [
            [
                f"{size.rows:,}",
                f"{size.rate:,.0f}",
                spread([one.seconds for one in size.tap], 2),
                spread([one.processor for one in size.tap], 2),
                spread([one.memory for one in size.tap]),
                f"{size.first:.0%} of the time",
                f"{size.rate_of(size.bare):,.0f}",
                f"{size.share_of(size.bare):.2f}",
                f"{size.rate_of(size.saved):,.0f}",
                f"{size.share_of(size.saved):.2f}",
            ]
            for size in sizes
        ],
    )


def _judge(sizes: Sequence[Size]) -> list[Target]:
    small = min(sizes, key=lambda size: abs(size.rows - 50_000))
    large = sizes[-1]
    growth = large.memory / small.memory
    of = f"at {large.rows:,}"
    return [
        Target(f"rows/s {of}", f"{large.rate:,.0f}", f">= {FASTEST:,}", large.rate >= FASTEST),
        *(
            Target(f"of the rate of {name} {of}", f"{found:.2f}", f">= {LEAST}", found >= LEAST)
            for name, rounds in (
                ("the bare loop", large.bare),
                ("the bare loop over a file", large.saved),
            )
            for found in [large.share_of(rounds)]
        ),
        Target(f"peak MB {of}", f"{large.memory:.1f}", f"< {MEMORY}", large.memory < MEMORY),
        Target(
            f"peak memory {of} by that at {small.rows:,}",
            f"{growth:.2f}",
            f"<= {GROWTH}",
            growth <= GROWTH,
        ),
        Target("first row out, of the time", f"{large.first:.0%}", "< 100%", large.first < 1),
    ]


if __name__ == "__main__":
    main()
