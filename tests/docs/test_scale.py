"""The arithmetic of docs/scale.md: how many runs are under way at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.pages import page
from tests.support.pipeline import PROJECT

sys.path.insert(0, str(PROJECT / "benchmarks"))

from bench.spread import estimate, peak, starts


@pytest.mark.parametrize(
    ("begins", "seconds", "wanted"),
    [
        ([], 4, 0),
        ([0, 4, 8], 4, 1),
        ([0, 3, 8], 4, 2),
        ([5, 5, 5], 1, 3),
        ([0, 1, 2, 3], 10, 4),
    ],
)
def test_the_peak_of_runs(begins: list[float], seconds: float, wanted: int) -> None:
    assert peak(begins, seconds) == wanted


@pytest.mark.parametrize("window", [60, 1800, 14_400])
def test_the_arithmetic_is_no_less_than_the_simulation_and_not_much_more(window: float) -> None:
    accounts, seconds = 20_000, 4.0
    simulated = peak(starts(accounts, window), seconds)
    assert simulated <= estimate(accounts, window, seconds) <= 1.5 * simulated + 10
    assert simulated >= accounts * seconds / window


def test_the_table_of_the_document_is_what_the_simulation_prints() -> None:
    printed = subprocess.run(
        [sys.executable, PROJECT / "benchmarks/spread.py"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    columns = ("starts within", "accounts", "peak of runs, simulated", "by arithmetic")
    rows = [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in printed.splitlines()]
    assert page("docs/scale.md").table(*columns) == [row for row in rows[2:] if len(row) == 4]
