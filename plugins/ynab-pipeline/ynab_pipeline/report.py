"""Output of `verify` and `preview`, in 80 columns unless values are shown."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from ynab_pipeline.comparison import DIFFERENT, EQUAL, EXTRA, MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ynab_pipeline.comparison import Difference, Result

_WIDTH = 80
_NAME, _NUMBER = 32, 12
_WRONG = {
    MISSING: "in YNAB, but not in the table",
    EXTRA: "in the table, but not in YNAB",
    DIFFERENT: "not as in YNAB",
}


def heading(budgets: Iterable[str], tables: str) -> Iterator[str]:
    """Yield which account and which tables are compared."""
    yield f"account: {_text(', '.join(budgets))}"
    yield f"tables:  {tables}"
    yield ""


def counts(results: Sequence[Result]) -> Iterator[str]:
    """Yield the numbers of rows of each stream, and what its table lacks."""
    yield _line("", EQUAL, *_WRONG)
    for result in results:
        yield _line(result.stream.name, *(f"{result.count(one):,}" for one in (EQUAL, *_WRONG)))
    for result in results:
        if result.absent is None:
            yield f"There is no table {result.stream.name}."
        elif result.absent:
            columns = ", ".join(result.absent)
            yield from _wrapped(f"The table {result.stream.name} has no column {columns}.")
    yield ""


def rows(result: Result, kind: str, found: Iterable[Difference]) -> Iterator[str]:
    """Yield the ids of rows of a kind, with the columns that differ."""
    number = result.count(kind)
    yield f"{result.stream.name}: {number:,} {_WRONG[kind]}"
    shown = 0
    for row in found:
        shown += 1
        yield from _row(row)
    if shown < number:
        yield f"  and {number - shown:,} more; --all shows them"
    yield ""


def _row(row: Difference) -> Iterator[str]:
    # The id of a month or of a category in it begins with the budget's. As it is shown, it fits
    # into the line and into SQL's `like`.
    _, separator, rest = row.id.partition("|")
    identity = f"  {_text(f'%|{rest}' if separator else row.id)}"
    columns = ", ".join(row.columns)
    if row.stored is not None and row.read is not None:
        yield identity
        for name in row.columns:
            for place, values in (("table", row.stored), ("YNAB", row.read)):
                value = json.dumps(values.get(name), ensure_ascii=False)
                yield f"    {name}, in {place + ':':<6} {_text(value)}"
    elif len(identity) + 2 + len(columns) <= _WIDTH:
        yield f"{identity}  {columns}".rstrip()
    else:
        yield identity
        yield from _wrapped(columns, "    ")


def verdict(results: Sequence[Result]) -> str:
    """Return whether the tables are as the account."""
    wrong = sum(result.count(*_WRONG) for result in results)
    all_rows = wrong + sum(result.count(EQUAL) for result in results)
    if wrong:
        return f"{wrong:,} of {all_rows:,} rows are not as in YNAB."
    if all(result.is_equal for result in results):
        return f"All {all_rows:,} rows are as in YNAB, column by column."
    return f"All {all_rows:,} rows are as in YNAB, but not all tables and columns are there."


def advice(last_sync: datetime | None, options: str) -> Iterator[str]:
    """Yield what to do about differences.

    Args:
        last_sync: When the tables were last synced.
        options: Options of the commands to give, each with a space before it.
    """
    if last_sync:
        when = f"{last_sync:%Y-%m-%d %H:%M} UTC"
        yield f"Changes in YNAB since the last sync ({when}) count, too."
    yield f"To sync first:        .venv/bin/meltano{options} run sync"
    yield f"To load what differs: .venv/bin/ynab-pipeline{options} verify --repair"


def changes(results: Sequence[Result], budgets: Mapping[str, str]) -> Iterator[str]:
    """Yield what a sync would do, by budget and stream."""
    yield _line("", "add", "change", "delete")
    names: dict[str | None, str] = dict(budgets.items())
    # A budget that is gone from the account has rows, too.
    for one, _ in (key for result in results for key in result.counts):
        names.setdefault(one, one or "(no budget)")
    for budget_id, name in names.items():
        lines = []
        for result in results:
            kinds = (MISSING, DIFFERENT, EXTRA)
            numbers = [result.counts.get((budget_id, kind), 0) for kind in kinds]
            if any(numbers):
                lines.append(_line(f"  {result.stream.name}", *(f"{n:,}" for n in numbers)))
        yield _text(name) if lines else f"{_text(name)}: nothing"
        yield from lines


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(line, _WIDTH, initial_indent=indent, subsequent_indent=indent or "  ")


def _line(name: str, *numbers: str) -> str:
    return f"{name:<{_NAME}}" + "".join(f"{number:>{_NUMBER}}" for number in numbers)


def _text(text: str) -> str:
    """Return text from YNAB without what would end a line or control a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
