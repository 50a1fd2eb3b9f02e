"""Readers for the project's files, for meltano.yml and for what commands print."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    Json = dict[str, Any]


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def output(*command: str | Path) -> str:
    """Run a command that succeeds; return what it prints."""
    # A narrow terminal would break its lines, and in the project's folder it might read its .env.
    environment = {"PATH": os.defpath, "HOME": os.devnull, "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=os.sep, env=environment, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def environments(meltano: Json) -> dict[str, Json]:
    return {environment["name"]: environment for environment in meltano["environments"]}


def settings_of(plugin: Json) -> dict[str, Json]:
    return {setting["name"]: setting for setting in plugin["settings"]}
