"""The database that the loader's settings name: the settings, and in words without the password."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ynab_pipeline.programs import values_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PREFIX = "TARGET_POSTGRES_"
#: Those that say which database it is, and how to get there.
_NAMES = (
    "host",
    "port",
    "user",
    "password",
    "database",
    "sqlalchemy_url",
    "default_target_schema",
    "ssl_enable",
    "ssl_mode",
    "ssl_certificate_authority",
    "ssl_client_certificate_enable",
    "ssl_client_certificate",
    "ssl_client_private_key",
    "ssl_storage_directory",
    "ssh_tunnel_enable",
)
# What follows the last "@" of a URL; no match if it could be a piece of a password.
_ADDRESS = re.compile(
    r"(?P<host>[\w.-]*|\[[\da-fA-F:.]+\])(?::(?P<port>\d+))?/(?P<database>[\w-]*)"
)


def settings(
    arguments: Sequence[str] = (), variables: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the loader's settings that name its database.

    Args:
        arguments: The loader's command line. The files it names win over the environment, and a
            later file over those before it, as in the loader.
        variables: The environment.
    """
    found: dict[str, Any] = {}
    for name in _NAMES:
        value = variables.get(f"{_PREFIX}{name.upper()}")
        if value:
            found[name] = value
    for path in values_of("--config", arguments):
        found |= _read(path)
    if isinstance(tunnel := found.get("ssh_tunnel"), dict):
        found["ssh_tunnel_enable"] = tunnel.get("enable")
    return found


def is_true(value: object) -> bool:
    """Tell whether a setting is on, from a file or from the environment."""
    return str(value).lower() in {"true", "1", "yes", "on"}


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


def _read(path: str) -> dict[str, Any]:
    # A file that cannot be read, and ENV, which is none, are left to the loader.
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
