"""Benchmarks over several sizes, and a picture of what they found."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.programs import Program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.measure import Taken

#: Transactions of the first budget.
SIZES = [10_000, 50_000, 100_000, 250_000, 500_000]


def options(
    description: str | None, *, quick: list[int], usual: Sequence[int] = SIZES
) -> argparse.Namespace:
    """Parse the command line of a benchmark: sizes, rounds, and the file of the picture.

    Args:
        description: of the benchmark.
        quick: sizes that only show whether it runs.
        usual: sizes where nothing is said and nothing drawn.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--sizes", type=int, nargs="+", help="transactions of the first budget")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, small: does it run?")
    parser.add_argument("--picture", type=Path, help="draws seconds and memory to this SVG or PNG")
    asked = parser.parse_args()
    unsaid = quick if asked.quick else SIZES if asked.picture else usual
    asked.sizes = sorted(asked.sizes or unsaid)
    asked.rounds = 1 if asked.quick else asked.rounds
    return asked


def draw(picture: Path, curves: Mapping[str, Mapping[int, Sequence[Taken]]]) -> None:
    """Has the picture drawn by a program of its own: nothing else needs its library.

    Args:
        picture: an SVG or PNG.
        curves: what each round took, by size, of each curve.
    """
    drawing = Program("picture")
    points = {
        name: [_point(rows, taken) for rows, taken in sizes.items()]
        for name, sizes in curves.items()
    }
    subprocess.run(
        [drawing.command("python"), str(drawing.folder / "draw.py"), str(picture)],
        input=json.dumps(points).encode(),
        check=True,
    )
    print(f"Picture: {picture}")


def _point(rows: int, taken: Sequence[Taken]) -> dict[str, float]:
    seconds = median(one.seconds for one in taken)
    return {"rows": rows, "seconds": seconds, "memory": max(one.memory for one in taken)}
