"""Relay of a stock program's log lines: without rows, and without tracebacks.

A process of its own between the program and Meltano, so that the program is the stock one. It ends
after the program.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from ynab_pipeline.log import LOGGER, say
from ynab_pipeline.trouble import advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Begins what PostgreSQL, psycopg and SQLAlchemy append to an error: the row, the statement and its
#: values. Each may go on for any number of lines.
_DETAIL = re.compile(r"\s*(?:DETAIL:|CONTEXT:|LINE \d+:|\[SQL: |\[parameters: )")
#: Words before a quoted name. Any other text in quotes may be a value.
_NAMED = re.compile(
    r"\b(?:relation|table|column|constraint|index|schema|database|role|user|host|at|type|encoding|"
    r"function|extension|file|directory) (\"[^\"]*\"|'[^']*')"
)
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?", re.DOTALL)
#: The beginning of a line as the SDK formats it, with the level.
_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| ([A-Z]+) *\| ")
_ERRORS = ("ERROR", "CRITICAL")
#: Rows in each of the loader's batches but the last.
_BATCH = 10_000
_TRACEBACK = "Traceback (most recent call last):"
#: The last line of a traceback: the exception's class and message.
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:: .*)?$")


def relay_stderr() -> None:
    """Start the relay and write to it, in this process and in the program that it becomes."""
    reading, writing = os.pipe()
    sys.stderr.flush()
    if os.fork():
        os.close(reading)
        os.dup2(writing, sys.stderr.fileno())
        os.close(writing)
        return
    status = 1
    try:
        os.close(writing)
        # Ctrl-C and the end of Meltano are for the program, whose last words are still to come.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # The loader's input ends when nobody can write to it any more.
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        loaded: Counter[str] = Counter()
        with os.fdopen(reading, encoding="utf-8", errors="backslashreplace") as lines:
            for line in without_rows(lines):
                sys.stderr.write(f"{line}\n")
                if stream := _loaded_stream(line):
                    if rows := loaded[stream]:
                        say(f"{stream}: more than {rows:,} rows loaded so far", progress=True)
                    loaded[stream] += _BATCH
                sys.stderr.flush()
        status = 0
    finally:
        os._exit(status)


def without_rows(lines: Iterable[str]) -> Iterator[str]:
    """Yield log lines without values of rows, and each exception as one line.

    Args:
        lines: Those of a program of the SDK, as JSON objects or as text.
    """
    is_traceback = is_detail = False
    for line in map(str.rstrip, lines):
        logged = _LINE.match(line)
        if logged or (entry := _structured(line)):
            is_traceback = is_detail = False
        if logged:
            yield _with_advice(line) if logged[1] in _ERRORS else line
        elif entry:
            yield json.dumps(entry)
        elif line == _TRACEBACK:
            is_traceback, is_detail = True, False
        elif is_traceback and _EXCEPTION.match(line):
            is_traceback, is_detail = False, True
            yield _with_advice(line)
        elif not is_traceback and not is_detail:
            # A memo may have any number of lines.
            is_detail = bool(_DETAIL.match(line))
            if not is_detail:
                yield line


def _structured(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or "message" not in entry:
        return None
    entry.pop("exception", None)
    if str(entry.get("level")).upper() in _ERRORS and entry.get("logger_name") != LOGGER:
        entry["message"] = _with_advice(str(entry["message"]))
    return entry


def _loaded_stream(line: str) -> str | None:
    """Return the stream of which the loader says that it has loaded a batch."""
    if '"batch_processing_time"' not in line or '"succeeded"' not in line:
        return None
    found = re.search(r'"stream": ?"([^"]*)"', line)
    return found[1] if found else None


def _with_advice(error: str) -> str:
    line = without_values(error)
    words = advice(line)
    return f"{line}: {words}" if words else line


def without_values(error: str) -> str:
    """Return the first line of an error, with names in quotes but no other text in quotes."""
    line = error.strip().split("\n", 1)[0]
    names = {match[1] for match in _NAMED.finditer(line)}
    return _QUOTED.sub(lambda quoted: quoted[0] if quoted[0] in names else "...", line)
