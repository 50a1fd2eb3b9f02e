"""Workers that accounts need at once, by how widely their starts are spread: a simulation.

Beside it stands the arithmetic that docs/scale.md uses. Nothing is measured, so it is the same on
every machine.
"""

from __future__ import annotations

import argparse

from bench.report import table
from bench.spread import estimate, peak, starts

MINUTE, HOUR = 60, 3600
WINDOWS = {"1 minute": MINUTE, "30 minutes": 30 * MINUTE, "1 hour": HOUR, "4 hours": 4 * HOUR}
ACCOUNTS, SECONDS = (100_000, 1_000_000), 4.0


def main() -> None:
    """Simulates and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=ACCOUNTS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that a sync takes")
    asked = parser.parse_args()
    table(
        ["starts within", "accounts", "peak of runs, simulated", "by arithmetic"],
        [
            [
                name,
                f"{accounts:,}",
                f"{peak(starts(accounts, window), asked.seconds):,}",
                f"{estimate(accounts, window, asked.seconds):,}",
            ]
            for accounts in asked.accounts
            for name, window in WINDOWS.items()
        ],
    )


if __name__ == "__main__":
    main()
