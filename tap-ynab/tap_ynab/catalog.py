"""The form of a catalog: anything else would end in a traceback of the SDK, or in wrong columns."""

from __future__ import annotations

import typing as t

import msgspec

Kind = t.Literal["string", "integer", "number", "boolean", "object", "array", "null"]


class Schema(msgspec.Struct):
    """A JSON schema, as far as the SDK walks through it."""

    properties: dict[str, Schema] | None = None
    items: Schema | None = None


class Column(Schema, kw_only=True):
    """The JSON schema of a column."""

    type: list[Kind]
    format: t.Literal["date", "date-time"] | None = None

    def __post_init__(self) -> None:
        """Have a type."""
        if not set(self.type) - {"null"}:
            raise ValueError("Expected a type beside null")


class Columns(msgspec.Struct):
    """The columns of a stream."""

    properties: dict[str, Column]
    required: list[str] | None = None

    def __post_init__(self) -> None:
        """Have the key."""
        if "id" not in self.properties:
            raise ValueError("Expected a column id")


class Choice(msgspec.Struct, rename="kebab"):
    """Selection of a stream or column."""

    selected: bool | None = None
    selected_by_default: bool | None = None
    inclusion: t.Literal["available", "automatic", "unsupported"] | None = None
    replication_key: str | None = None
    forced_replication_method: str | None = None
    replication_method: str | None = None
    table_key_properties: list[str] | None = None
    valid_replication_keys: list[str] | None = None


class Metadata(msgspec.Struct):
    """An entry of the metadata."""

    breadcrumb: list[str]
    metadata: Choice


class Stream(msgspec.Struct):
    """A stream."""

    tap_stream_id: str
    schema: Columns
    metadata: list[Metadata]
    stream: str | None = None
    key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: str | None = None

    def __post_init__(self) -> None:
        """Have one name."""
        if self.stream not in {None, self.tap_stream_id}:
            raise ValueError("Expected the same `stream` and `tap_stream_id`")


class Catalog(msgspec.Struct):
    """A catalog."""

    streams: list[Stream]


def check_catalog(content: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a catalog as it is.

    Raises:
        ValueError: The SDK could not use it.
    """
    try:
        msgspec.convert(content, Catalog)
        msgspec.json.encode(content)  # as its columns go into messages
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"The catalog is not one of this tap: {error}. `tap-ynab --discover` prints one."
        ) from error
    return content
