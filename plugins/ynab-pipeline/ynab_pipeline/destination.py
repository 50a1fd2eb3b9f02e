"""The database that the loader's settings name, in words; never the password."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PREFIX = "TARGET_POSTGRES_"
_SHOWN = ("host", "port", "database", "default_target_schema", "sqlalchemy_url")
# What follows the last "@" of a URL; no match if it could be a piece of a password.
_ADDRESS = re.compile(
    r"(?P<host>[\w.-]*|\[[\da-fA-F:.]+\])(?::(?P<port>\d+))?/(?P<database>[\w-]*)"
)


def settings(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the loader's settings that name its database.

    Args:
        arguments: The loader's command line. The files it names win over the environment, and a
            later file over those before it, as in the loader.
    """
    found: dict[str, Any] = {}
    for name in _SHOWN:
        value = os.environ.get(f"{_PREFIX}{name.upper()}")
        if value:
            found[name] = value
    for path in _configuration_files(arguments):
        found |= _read(path)
    return found


def describe(found: Mapping[str, Any]) -> str:
    """Return the database, its address and the schema in words, without user and password."""
    if found.get("sqlalchemy_url"):
        database = _of_url(str(found["sqlalchemy_url"]))
    else:
        database = _words(found.get("database"), found.get("host"), found.get("port"))
    schema = found.get("default_target_schema")
    return f"{database}, schema {schema}" if schema else database


def _of_url(url: str) -> str:
    address = url.partition("://")[2].rpartition("@")[2].partition("?")[0]
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return "as sqlalchemy_url says"
    return _words(match["database"], match["host"], match["port"])


def _words(database: object, host: object, port: object) -> str:
    address = f"{host}:{port}" if host and port else host
    return f"{database or '(default)'} at {address or '(default)'}"


def _configuration_files(arguments: Sequence[str]) -> Iterator[str]:
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name != "--config":
            continue
        if equals:
            yield value
        else:
            yield from arguments[position + 1 : position + 2]


def _read(path: str) -> dict[str, Any]:
    # A file that cannot be read, and ENV, which is none, are left to the loader.
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
