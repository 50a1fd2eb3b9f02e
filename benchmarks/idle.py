"""Cost of a sync without changes, beside that of Meltano and the loader by themselves.

Both run under Meltano: `meltano run tap-ynab target-postgres` with nothing changed since the last
run, and `meltano run tap-nothing target-postgres`, whose tap ends at once without a word. Below
that stands how long the tap takes to be imported, with its bytecode compiled.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from bench.measure import Taken, run
from bench.programs import Program
from bench.project import Project
from bench.report import Target, headline, in_turns, share, spread, table, targets

ROUNDS, IMPORTS = 7, 15
SHARE, SECONDS = 1.5, 0.4
IDLE, EMPTY = "tap-ynab, nothing changed", "an empty tap"
IMPORT, PYTHON = "import tap_ynab.tap", "bare Python"


def main() -> None:
    """Measures and prints the table."""
    asked = _arguments()
    tap = Program("tap")
    project = Project(Program("meltano"))
    headline("python3 benchmarks/idle.py")
    try:
        for name in ("tap-ynab", "tap-ynab", "tap-nothing"):
            project.run(name)  # loads everything, then compiles bytecode and warms caches
        runs = in_turns(
            {IDLE: partial(project.run, "tap-ynab"), EMPTY: partial(project.run, "tap-nothing")},
            asked.rounds,
        )
    finally:
        project.stop()
    imports = _imports(tap, 3 if asked.quick else IMPORTS)
    _print("meltano run ... target-postgres", runs)
    _print("python -c ...", imports)
    targets(_judge(runs, imports))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="one round: does it run?")
    asked = parser.parse_args()
    asked.rounds = 1 if asked.quick else asked.rounds
    return asked


def _imports(tap: Program, rounds: int) -> dict[str, list[Taken]]:
    python = tap.command("python")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return in_turns(
            {
                IMPORT: partial(run, [python, "-c", "import tap_ynab.tap"], folder=folder),
                PYTHON: partial(run, [python, "-c", "pass"], folder=folder),
            },
            rounds,
        )


def _print(title: str, found: dict[str, list[Taken]]) -> None:
    table(
        [title, "seconds", "processor s", "peak MB"],
        [
            [
                name,
                spread([one.seconds for one in taken], 2),
                spread([one.processor for one in taken], 2),
                spread([one.memory for one in taken], 0),
            ]
            for name, taken in found.items()
        ],
    )


def _judge(runs: dict[str, list[Taken]], imports: dict[str, list[Taken]]) -> list[Target]:
    idle = share(*([one.seconds for one in runs[name]] for name in (IDLE, EMPTY)))
    imported = _middle(imports[IMPORT])
    return [
        Target("idle sync by the empty tap", f"{idle:.2f}", f"<= {SHARE}", idle <= SHARE),
        Target(
            "importing the tap, seconds, Python's start included",
            f"{imported:.2f}",
            f"< {SECONDS}",
            imported < SECONDS,
        ),
        Target(
            "the same without Python's start",
            f"{imported - _middle(imports[PYTHON]):.2f}",
            f"< {SECONDS}",
            imported - _middle(imports[PYTHON]) < SECONDS,
        ),
    ]


def _middle(taken: list[Taken]) -> float:
    return median(one.seconds for one in taken)


if __name__ == "__main__":
    main()
