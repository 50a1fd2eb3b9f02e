"""How a row is made to fit its schema, so that no value of it can stop a loader.

Between `streams`, which know what a row means, and the SDK, which writes it.
"""

from __future__ import annotations

import re
import typing as t
from datetime import date, datetime, timezone
from decimal import Decimal

if t.TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    Row = dict[str, t.Any]

#: The column for what no other takes.
REST = "additional_properties"
#: Levels of nesting that are kept; encoders and PostgreSQL give up at some hundreds.
DEEPEST = 100
#: Digits before or after the point beyond which PostgreSQL's numeric overflows sooner or later.
LONGEST = 1000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def storable(value: t.Any, levels: int = DEEPEST) -> t.Any:
    """The value without what PostgreSQL can't store in jsonb."""
    if isinstance(value, Decimal):
        return value if abs(value.adjusted()) < LONGEST else str(value)
    if not isinstance(value, (dict, list)):
        return value
    if not levels:
        return f"(nested in more than {DEEPEST} levels)"
    if isinstance(value, list):
        return [storable(item, levels - 1) for item in value]
    return {key: storable(item, levels - 1) for key, item in value.items()}


def is_date(value: object) -> bool:
    """Whether a value is a date as YNAB writes it, YYYY-MM-DD."""
    try:
        return (
            isinstance(value, str)
            and bool(_DATE.fullmatch(value))
            and bool(date.fromisoformat(value))
        )
    except ValueError:
        return False


def _is_date_time(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_utc(value))
    except (ValueError, OverflowError):
        return False


def _utc(moment: str) -> str:
    """A date-time in UTC, since loaders may drop an offset; YNAB's own, with Z, as it is."""
    parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        raise ValueError(moment)
    return moment if moment.endswith("Z") else parsed.astimezone(timezone.utc).isoformat()


def _fits(definition: Mapping[str, t.Any]) -> Callable[[object], bool]:
    """What tells whether a column of this definition can take a value."""
    formats = {"date": is_date, "date-time": _is_date_time}
    if found := formats.get(definition.get("format", "")):
        return found
    kind = next(kind for kind in definition["type"] if kind != "null")
    return {
        "string": lambda value: isinstance(value, str),
        "boolean": lambda value: isinstance(value, bool),
        # A bigint holds 64 bits.
        "integer": lambda value: type(value) is int and -(1 << 63) <= value < 1 << 63,
        "number": lambda value: not isinstance(value, (bool, str, dict, list)),
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
    }[str(kind)]


class Shape:
    """Makes rows fit a schema without losing anything.

    A field that the schema does not know, and a value that its column can't take, goes to
    `additional_properties` under its name.
    """

    def __init__(self, schema: Mapping[str, t.Any], columns: Container[str]) -> None:
        """Prepare for the rows of one stream, of which a catalog may want only some columns."""
        self._keeps_rest = REST in columns
        known = {
            name: definition
            for name, definition in schema["properties"].items()
            if name in columns and name != REST
        }
        self._fits = {name: _fits(definition) for name, definition in known.items()}
        self._moments = [n for n, definition in known.items() if "date-time" in definition.values()]
        self._nested = [
            name
            for name, definition in known.items()
            if not {"array", "object"}.isdisjoint(definition["type"])
        ]

    def __call__(self, row: Row) -> Row:
        """The row as a record of the stream; `row` itself is not kept."""
        rest = {
            name: storable(value)
            for name, value in row.items()
            if value is not None and not (name in self._fits and self._fits[name](value))
        }
        record = {name: None if name in rest else row.get(name) for name in self._fits}
        for name in self._nested:
            if record[name]:
                record[name] = storable(record[name])
        for name in self._moments:
            if moment := record[name]:
                record[name] = _utc(str(moment))
        if self._keeps_rest:
            record[REST] = rest or None
        return record
