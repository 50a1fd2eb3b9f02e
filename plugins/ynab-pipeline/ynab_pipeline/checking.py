"""The commands `verify` and `preview` of `ynab-pipeline`: the tap, piped into a comparison.

Both run through Meltano, with the settings of the active environment. The tap runs alone: Meltano
gives it no bookmarks and keeps none of it, and no loader runs.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, cast

from ynab_pipeline import meltano
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.project import log_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import IO, Any

    Json = dict[str, Any]

TROUBLE = 2
#: Exit code of the comparison if there is drift: Meltano itself ends with 1 if it fails.
DRIFT = 10
#: The line after the last message of a tap that has succeeded.
END = b'{"type": "END"}\n'
#: Names the file with the state for `ynab-pipeline-tap`: if the tap had an option of its own on the
#: command line, Meltano would not give it the catalog.
STATE = "YNAB_PIPELINE_STATE"
_QUIET = ("--log-level=warning", "invoke")
#: The state that `sync` continues from.
_STATE_ID = "{}:tap-ynab-to-target-postgres"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `verify`."""
    parser.add_argument(
        "--all", action="store_true", help="name all rows that differ, not only ten"
    )
    parser.add_argument("--values", action="store_true", help="show the values that differ")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="load the rows that differ, and mark those that YNAB no longer has",
    )


def verify(options: argparse.Namespace) -> int:
    """Compare the tables with the account, and return the exit code."""
    return _check(options.arguments, options.environment, is_delta=False)


def preview(options: argparse.Namespace) -> int:
    """Print what a sync would do, and return the exit code."""
    return _check(["--preview", *options.arguments], options.environment, is_delta=True)


def _check(arguments: Sequence[str], environment: str | None, *, is_delta: bool) -> int:
    # What was started is to end as well.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        with ExitStack() as stack:
            return _compare(stack, arguments, environment, is_delta=is_delta)
    except (PipelineError, OSError) as error:
        print(f"ynab-pipeline: {explain(error)}", file=sys.stderr)
        return TROUBLE


def _compare(
    stack: ExitStack, arguments: Sequence[str], environment: str | None, *, is_delta: bool
) -> int:
    chosen = f"--chosen={meltano.chosen(environment)}"
    line = meltano.command_line(environment, *_QUIET, "target-postgres:compare", *arguments, chosen)
    comparing = stack.enter_context(
        subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which ends the others
        )
    )
    stack.callback(comparing.terminate)
    stdin, stdout = cast("IO[bytes]", comparing.stdin), cast("IO[bytes]", comparing.stdout)
    ready = stdout.readline()
    if not ready:
        comparing.communicate()  # it says why
        return TROUBLE
    found = json.loads(ready)
    environment = found["environment"]
    variables = {name: value for name, value in os.environ.items() if name != STATE}
    if is_delta:
        state = _fitting(_state(found["environment"], found["suffix"]), found["tables"])
        folder = TemporaryDirectory(dir=Path(found["meltano"], "run"), prefix="preview-")
        path = Path(stack.enter_context(folder), "state.json")
        path.write_text(json.dumps(state), encoding="utf-8")
        variables[STATE] = str(path)
    print("Reading the account ...", file=sys.stderr, flush=True)
    tap = stack.enter_context(
        subprocess.Popen(
            meltano.command_line(environment or None, *_QUIET, "tap-ynab"),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stdin,
            start_new_session=True,
        )
    )
    stack.callback(tap.terminate)
    Thread(target=_end, args=[tap, stdin]).start()
    for each in stdout:
        sys.stdout.buffer.write(each)
        sys.stdout.buffer.flush()
    code = comparing.wait()
    if code not in {0, DRIFT, TROUBLE}:
        raise PipelineError(f"the comparison has failed; {log_file()} says how")
    return 1 if code == DRIFT else code


def _state(environment: str, suffix: str) -> Json:
    """Return the state of `sync`, as Meltano keeps it for the next run; empty if there is none.

    Raises:
        PipelineError: If Meltano can't tell.
    """
    if not environment:  # then Meltano keeps none
        return {}
    state_id = ":".join(filter(None, [_STATE_ID.format(environment), suffix]))
    line = meltano.command_line(environment, "--log-level=warning", "state", "get", state_id)
    process = subprocess.run(line, stdout=subprocess.PIPE, check=False)
    if process.returncode:
        raise PipelineError(f"Meltano can't tell the state {state_id}; the lines above say why")
    state: Json = json.loads(process.stdout).get("singer_state", {})
    return state


def _fitting(state: Json, tables: dict[str, bool]) -> Json:
    """Return a state without the bookmarks of tables that are gone, as a run takes it.

    Args:
        state: The state.
        tables: The tables in the schema, and whether they have rows.
    """
    bookmarks = state.get("bookmarks", {})
    bookmarked = [name for name, entry in bookmarks.items() if entry.get("partitions")]
    lost = [name for name in bookmarked if name not in tables]
    if not any(tables.get(name) for name in bookmarked):
        lost = bookmarked
    return {**state, "bookmarks": {**bookmarks, **{name: {"partitions": []} for name in lost}}}


def _end(tap: subprocess.Popen[bytes], comparing: IO[bytes]) -> None:
    """Say that the tap has succeeded, if so, and end the input of the comparison."""
    # If the comparison has failed, nobody reads it any more.
    with suppress(BrokenPipeError):
        if tap.wait() == 0:
            comparing.write(END)
        comparing.close()
