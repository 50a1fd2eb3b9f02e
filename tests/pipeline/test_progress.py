"""How far a large first load is, while it works."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.meltano_project import MELTANO, PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable

#: Meltano's console with lines as its plugins log them, at times of a clock that is moved.
SCRIPT = """
import logging, sys
from ynab_pipeline import console

clock = [0.0]
console.monotonic = lambda: clock[0]
if sys.argv[1] == "terminal":
    sys.stderr.isatty = lambda: True
handler = console.Console()
for second in range(0, 40, 4):
    clock[0] = float(second)
    line = {"event": f"{second} rows so far", "progress": True, "plugin_logger": "ynab_pipeline"}
    record = logging.makeLogRecord({"msg": line, "levelno": logging.INFO})
    handler.format = lambda record: record.msg["event"]
    handler.emit(record)
"""


@pytest.fixture(autouse=True)
def _console(installed: Callable[[str], str]) -> None:
    installed(MELTANO)


def shown(kind: str) -> bytes:
    return subprocess.run([PYTHON, "-c", SCRIPT, kind], capture_output=True, check=True).stderr


def test_a_line_every_ten_seconds_in_a_log() -> None:
    assert shown("log").splitlines() == [
        b"12 rows so far",
        b"24 rows so far",
        b"36 rows so far",
    ]


def test_in_place_on_a_terminal() -> None:
    assert shown("terminal").count(b"\x1b[K\r") == 10
