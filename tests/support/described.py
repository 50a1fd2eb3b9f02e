"""What the project says of itself: the tap's settings and streams, and meltano.yml."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from pipeline import PROJECT, TAP
from tap_ynab.tap import TapYNAB

if TYPE_CHECKING:
    from pathlib import Path

    Json = dict[str, Any]


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def output(*command: str | Path) -> str:
    """What a command prints; it must succeed."""
    # A narrow terminal would break its lines.
    environment = {"PATH": os.defpath, "HOME": os.devnull, "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, capture_output=True, encoding="utf-8"
    ).stdout


@pytest.fixture(scope="session")
def about() -> Json:
    """What the tap says about itself."""
    return dict(json.loads(output(TAP, "--about", "--format=json")))


@pytest.fixture(scope="session")
def own_settings(about: Json) -> dict[str, Json]:
    """The tap's settings by name, without those that the SDK adds to all taps."""
    standard: Json = {"properties": {}}
    TapYNAB.append_builtin_config(standard)
    properties = about["settings"]["properties"]
    return {name: properties[name] for name in properties if name not in standard["properties"]}


@pytest.fixture(scope="session")
def catalog() -> dict[str, Json]:
    """Streams by name, as the tap discovers them."""
    tap = TapYNAB(config={"access_token": "a-token"})
    return {stream["tap_stream_id"]: stream for stream in tap.catalog_dict["streams"]}


@pytest.fixture(scope="session")
def meltano() -> Json:
    """meltano.yml."""
    return dict(yaml.safe_load(read("meltano.yml")))


@pytest.fixture(scope="session")
def plugins(meltano: Json) -> dict[str, Json]:
    """The plugins of meltano.yml by name, with what they inherit."""
    found: dict[str, Json] = {}
    for plugin in (plugin for kind in meltano["plugins"].values() for plugin in kind):
        found[plugin["name"]] = found.get(plugin.get("inherit_from"), {}) | plugin
    return found


def environments(meltano: Json) -> dict[str, Json]:
    return {environment["name"]: environment for environment in meltano["environments"]}


def settings_of(plugin: Json) -> dict[str, Json]:
    return {setting["name"]: setting for setting in plugin["settings"]}
