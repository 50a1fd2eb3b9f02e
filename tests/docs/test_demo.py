"""README is short, and shows what `make demo` prints on the day of the test account."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.support.described import output, read
from tests.support.pages import page
from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

    Json = dict[str, Any]

README = page("README.md")


def shown(command: str) -> list[str]:
    """Lines that README shows below a command, without those that stand for omissions."""
    (block,) = [code for code in README.code("console") if code.startswith(f"$ {command}\n")]
    return [line for line in block.splitlines()[1:] if line not in ("", "...")]


def printed_by_make() -> set[str]:
    """Arguments of `echo` in the Makefile."""
    return set(re.findall(r'\becho "([^"]*)"', read("Makefile")))


def test_readme_has_at_most_200_lines() -> None:
    assert len(README.text.splitlines()) <= 200


def test_what_make_demo_prints(
    pipeline: Pipeline, api_url: str, server: Any, plugins: dict[str, Json]
) -> None:
    assert pipeline.sync().code == 0
    live = requests.post(f"{api_url.removesuffix('/v1')}/sandbox/live", json={}, timeout=10)
    day = live.json()["data"]
    assert pipeline.sync().code == 0
    psql = plugins["target-postgres"]["commands"]["psql"]
    command = [Path(sys.executable).with_name(psql["executable"]), *psql["args"].split()]
    command += ["--dir", server.folder, pipeline.database.url]
    delta = output(*command, "-f", PROJECT / "demo/delta.sql")
    state = json.dumps({"singer_state": pipeline.state})
    summary = output(*command, "-v", f"state={state}", "-f", PROJECT / "demo/summary.sql")

    printed = [line.rstrip() for line in (*day, *delta.splitlines(), *summary.splitlines())]
    lines = shown("make demo")
    assert set(lines) <= {*printed, *printed_by_make()}
    assert set(day) <= set(lines)
    from_tables = [line for line in lines if line in printed]
    assert len(from_tables) > len(day)
    assert from_tables == [line for line in printed if line in from_tables]


def test_what_make_test_prints_first() -> None:
    assert shown("make test")[0] in printed_by_make()
