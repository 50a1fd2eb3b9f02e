"""The report of a benchmark: the machine, tables in Markdown, figures beside their targets."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from bench import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")


def headline(command: str) -> None:
    """Says what was run and on which machine.

    Args:
        command: the benchmark with the arguments that matter.
    """
    print(f"`{command}` on {machine.describe()}:\n", flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table whose first column is text and whose others are figures.

    Args:
        columns: their titles.
        rows: a cell for each column.
    """
    lines = [list(columns), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    for first, *others in lines:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("| " + " | ".join(cells) + " |")
    print(flush=True)


@dataclass(frozen=True)
class Target:
    """A figure and what it was to be.

    Attributes:
        what: what the figure tells.
        found: the figure, as text.
        wanted: the target, as text.
        is_met: whether the figure meets it.
    """

    what: str
    found: str
    wanted: str
    is_met: bool


def targets(results: Iterable[Target]) -> None:
    """Prints figures beside their targets.

    Args:
        results: the figures.
    """
    table(
        ["target", "found", "wanted", "met"],
        [[one.what, one.found, one.wanted, "yes" if one.is_met else "no"] for one in results],
    )


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, and where they differ the least and the greatest.

    Args:
        values: what was measured in each round.
        digits: after the point.
    """
    low, middle, high = (f"{f(values):,.{digits}f}" for f in (min, median, max))
    return middle if low == high else f"{middle} ({low}-{high})"


def share(ours: Sequence[float], others: Sequence[float]) -> float:
    """The median of what each round took of the other's in the same round.

    The machine may be half as fast in the next round; then both are.

    Args:
        ours: what was measured in each round.
        others: what of the other was.
    """
    return median(one / other for one, other in zip(ours, others, strict=True))


def in_turns(things: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Runs A B C A B C, so that what else the machine does hits all of them alike.

    Args:
        things: what is run, by name.
        rounds: how often.
    """
    results: dict[str, list[T]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, run in things.items():
            results[name].append(run())
    return results
