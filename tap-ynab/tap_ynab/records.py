"""Makes a row fit its schema, so that no value of it can stop a loader.

Between `base`, which calls it for each row, and `writer`.
"""

from __future__ import annotations

import re
import typing as t
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache

if t.TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    Row = dict[str, t.Any]

_NONE = type(None)
#: The column for fields and values that no other column takes.
REST = "additional_properties"
#: Digits before or after the point beyond which PostgreSQL's numeric overflows sooner or later.
LONGEST = 1000
#: Layouts of rows to remember for a stream, and fields of a row with one. There are some dozens.
MOST_LAYOUTS, MOST_FIELDS = 200, 200
#: Characters of an id: an index of PostgreSQL's takes 2,704 bytes.
LONGEST_ID = 500
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})")


def storable(value: t.Any) -> t.Any:
    """Replace numbers that PostgreSQL can't store in jsonb by text, in place; return the value."""
    if isinstance(value, Decimal):
        return value if _is_storable(value) else str(value)
    if isinstance(value, list):
        for at, item in enumerate(value):
            value[at] = storable(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            value[key] = storable(item)
    return value


def objects(value: object) -> list[Row]:
    """Return the objects in a list; none if it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def is_id(value: object) -> t.TypeGuard[str]:
    """Tell if a value is an id that a loader can use as a key."""
    return isinstance(value, str) and len(value) <= LONGEST_ID


def _is_storable(value: float | Decimal) -> bool:
    """Tell if PostgreSQL's numeric takes a number."""
    _, digits, exponent = Decimal(value).as_tuple()
    return isinstance(exponent, int) and len(digits) + abs(exponent) <= LONGEST


@lru_cache(1 << 14)
def _is_date(value: str) -> bool:
    try:
        return bool(_DATE.fullmatch(value)) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def is_date(value: object) -> t.TypeGuard[str]:
    """Tell if a value is a date as YNAB writes it, YYYY-MM-DD."""
    # No long text is to be remembered.
    return isinstance(value, str) and len(value) == len("YYYY-MM-DD") and _is_date(value)


def is_date_time(value: object) -> t.TypeGuard[str]:
    """Tell if a value is a date-time that every loader can read."""
    try:
        # Python reads more forms than loaders and PostgreSQL do.
        return isinstance(value, str) and bool(_DATE_TIME.fullmatch(value)) and bool(_utc(value))
    except (ValueError, OverflowError):
        return False


def _utc(moment: str) -> str:
    """Return a date-time in UTC, as loaders may drop an offset; YNAB's own, with Z, as it is."""
    parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        raise ValueError(moment)
    return moment if moment.endswith("Z") else parsed.astimezone(timezone.utc).isoformat()


class _Column(t.NamedTuple):
    """The values that a column takes: of some types, and if there is a check, passing it."""

    types: frozenset[type]
    fits: Callable[[t.Any], bool] | None = None


#: A bigint holds 64 bits.
_INTEGER = _Column(frozenset({int}), lambda value: -(1 << 63) <= value < 1 << 63)
_COLUMNS = {
    "date": _Column(frozenset({str}), is_date),
    "date-time": _Column(frozenset({str}), is_date_time),
    "string": _Column(frozenset({str})),
    "boolean": _Column(frozenset({bool})),
    "integer": _INTEGER,
    "number": _Column(frozenset({int, float, Decimal}), _is_storable),
    "object": _Column(frozenset({dict})),
    "array": _Column(frozenset({list})),
}


def _column(definition: Mapping[str, t.Any]) -> _Column:
    kind = next(kind for kind in definition["type"] if kind != "null")
    return _COLUMNS[definition.get("format", kind)]


class _Layout(t.NamedTuple):
    """The steps for all rows with the same fields and types of values."""

    #: Fields that no column takes.
    rest: tuple[str, ...]
    #: Fields that are not selected.
    unwanted: tuple[str, ...]
    #: Columns that the row lacks.
    missing: tuple[str, ...]
    checks: tuple[tuple[str, Callable[[t.Any], bool]], ...]
    moments: tuple[str, ...]
    nested: tuple[str, ...]


class Shape:
    """Makes the rows of a stream fit its schema without losing anything.

    Fields that the schema does not have, and values that their column can't take, go to
    `additional_properties` under their names.
    """

    def __init__(self, columns: Mapping[str, Mapping[str, t.Any]], wanted: Container[str]) -> None:
        """Prepare for the rows of a stream.

        Args:
            columns: Definition of each column by its name.
            wanted: Those of them that are selected.
        """
        self._keeps_rest = REST in wanted
        self._columns = {n: _column(column) for n, column in columns.items() if n != REST}
        self._wanted = wanted
        self._names = [name for name in self._columns if name in wanted]
        # Rows are alike in their hundreds of thousands.
        self._layouts: dict[tuple[tuple[str, ...], tuple[type, ...]], _Layout] = {}

    def __call__(self, row: Row) -> Row:
        """Make a record of a row, in place."""
        kind = (tuple(row), tuple(map(type, row.values())))
        layout = self._layouts.get(kind) or self._layout(*kind)
        for name in layout.unwanted:
            del row[name]
        rest = {name: storable(row.pop(name)) for name in layout.rest} if layout.rest else {}
        for name, fits in layout.checks:
            if not fits(row[name]):
                rest[name] = storable(row[name])
        for name in layout.nested:
            if value := row[name]:
                row[name] = storable(value)
        for name in layout.moments:
            if name not in rest:
                row[name] = _utc(row[name])
        if rest or layout.missing:
            row.update((n, None) for n in self._names if n in rest or n in layout.missing)
        if self._keeps_rest:
            row[REST] = rest or None
        return row

    def _layout(self, names: tuple[str, ...], types: tuple[type, ...]) -> _Layout:
        if len(self._layouts) == MOST_LAYOUTS:
            self._layouts.clear()
        layout = self._make_layout(names, types)
        if len(names) <= MOST_FIELDS:
            self._layouts[names, types] = layout
        return layout

    def _make_layout(self, names: tuple[str, ...], types: tuple[type, ...]) -> _Layout:
        values = {name: kind for name, kind in zip(names, types, strict=True) if kind is not _NONE}
        columns = {name for name in names if name in self._columns}
        fitting = {
            n for n, kind in values.items() if n in columns and kind in self._columns[n].types
        }
        wanted = [name for name in fitting if name in self._wanted]
        deselected = {name for name in columns if name not in self._wanted}
        rest = tuple(name for name in values if name not in fitting | deselected)
        return _Layout(
            rest=rest,
            unwanted=tuple(n for n in names if n not in self._names and n not in rest),
            missing=tuple(name for name in self._names if name not in names),
            checks=tuple(
                (name, fits) for name in wanted if (fits := self._columns[name].fits) is not None
            ),
            moments=tuple(n for n in wanted if self._columns[n] is _COLUMNS["date-time"]),
            nested=tuple(name for name in wanted if values[name] in {dict, list}),
        )
