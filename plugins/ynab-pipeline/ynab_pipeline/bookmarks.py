"""Bookmarks that fit the tables: without those of tables that are gone.

Meltano keeps the bookmarks, and does not know of the database. With the bookmarks of tables that
were dropped, or of another database, the tap would read only what has changed since.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ynab_pipeline import handover, project
from ynab_pipeline.log import say
from ynab_pipeline.programs import values_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psutil  # type: ignore[import-untyped]

    State = dict[str, Any]

_LOADER = "ynab-pipeline-target"
#: Seconds in which the loader starts the project's server, if need be, and checks its database.
_PATIENCE = 180
_PAUSE = 0.02
#: Commands of Meltano that run a tap with a loader.
_RUNS = {"run", "el", "elt"}


def choose_state(arguments: list[str]) -> list[str]:
    """Return the tap's command line with a state that fits the tables.

    It comes once the loader has checked its database. The tap starts meanwhile, and waits for it
    before it requests anything. If the check fails, Meltano ends the tap. Outside a run of Meltano
    with a loader, nothing changes.

    Args:
        arguments: The tap's command line.
    """
    meltano = _meltano()
    if meltano is None:
        return arguments
    reading, writing = os.pipe()
    tap = os.getpid()
    if os.fork() == 0:
        try:
            os.close(reading)
            # Their other ends wait for the tap, not for this process.
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, 0)
            os.dup2(nowhere, 1)
            _give_state(arguments, writing, meltano, tap)
        finally:
            os._exit(0)
    os.close(writing)
    os.set_inheritable(reading, True)  # noqa: FBT003 -- its only parameter
    return [*arguments, "--state", f"/dev/fd/{reading}"]


def without_lost(
    state: State, found: Mapping[str, Any], catalog: Mapping[str, Any]
) -> tuple[State, str | None]:
    """Return a state without the bookmarks of tables that are gone, and a line that says so.

    If as many tables as are gone have names of no stream, streams may have been renamed on the way
    to the loader: the state stays as it is, and there is no line.

    Args:
        state: The tap's state.
        found: What `check` found.
        catalog: The tap's catalog.
    """
    streams = {str(entry["tap_stream_id"]): entry for entry in catalog["streams"]}
    bookmarks = state.get("bookmarks", {})
    bookmarked = [
        stream
        for stream, entry in streams.items()
        if _is_selected(entry) and _has_bookmark(bookmarks.get(stream))
    ]
    loaded, others = found["loaded"], found["others"]
    gone = [stream for stream in bookmarked if stream not in loaded and stream not in others]
    if gone and len(loaded.keys() - streams.keys()) >= len(gone):
        return state, None
    schema = found["schema"]
    if bookmarked and gone == bookmarked:
        line = f"schema {schema} has none of the tables of the last run"
    elif gone:
        line = f"schema {schema} has no table {', '.join(gone)} any more"
    elif bookmarked and not any(loaded.get(stream, True) for stream in bookmarked):
        line, gone = f"all tables in schema {schema} are empty", bookmarked
    else:
        return state, None
    # Not left out: Meltano might merge it with what it has.
    emptied: State = {stream: {"partitions": []} for stream in gone}
    what = "everything is" if gone == bookmarked else "their rows are"
    return {
        **state,
        "bookmarks": {**bookmarks, **emptied},
    }, f"database: {line}: {what} read in full"


def _is_selected(entry: Mapping[str, Any]) -> bool:
    metadata = [each["metadata"] for each in entry.get("metadata", ()) if not each["breadcrumb"]]
    return all(each.get("selected", True) for each in metadata)


def _has_bookmark(entry: Any) -> bool:
    partitions = entry.get("partitions") if isinstance(entry, dict) else None
    return any(partition.keys() - {"context"} for partition in partitions or ())


def _give_state(arguments: Sequence[str], writing: int, meltano: psutil.Process, tap: int) -> None:
    """Write the state into a pipe, as soon as it is known which tables there are."""
    found = _await_tables(meltano, tap)
    given = values_of("--state", arguments)
    content = Path(given[-1]).read_text(encoding="utf-8") if given else "{}"
    try:
        catalog = json.loads(Path(values_of("--catalog", arguments)[-1]).read_text("utf-8"))
        state, line = without_lost(json.loads(content), found, catalog) if found else ({}, None)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        line = None  # no state or no catalog: that is for the tap to say
    if line:
        # Before the tap gets it and begins to write, so that the loader finds it.
        handover.put("state", state)
        say(line, "warning")
        content = json.dumps(state)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        pipe.write(content)


def _await_tables(meltano: psutil.Process, tap: int) -> dict[str, Any] | None:
    began = time.monotonic()
    look_again = 0.0
    while (passed := time.monotonic() - began) < _PATIENCE and os.getppid() == tap:
        if (found := handover.take("tables")) is not None:
            return found
        if passed >= look_again:
            if _has_other_loader(meltano, tap):
                return None
            look_again = passed + 10 * _PAUSE  # for it takes some time
        time.sleep(_PAUSE)
    return None


def _has_other_loader(meltano: psutil.Process, tap: int) -> bool:
    """Tell whether Meltano has started a loader that is not ours and so checks nothing."""
    import psutil  # noqa: PLC0415 -- slow to import, and not needed outside a run

    try:
        own = meltano.cmdline()
        others = [child.cmdline() for child in meltano.children() if child.pid != tap]
    except psutil.Error:
        return False
    # One that has just been forked still has Meltano's command line, or none.
    loaders = [words for words in others if words not in ([], own) and "/mappers/" not in words[0]]
    ours = any(Path(word).name == _LOADER for words in loaders for word in words[:2])
    return bool(loaders) and not ours


def _meltano() -> psutil.Process | None:
    """The Meltano that runs this tap with a loader; None if there is none."""
    if project.root() is None or not handover.in_run():
        return None
    import psutil  # noqa: PLC0415 -- likewise

    try:
        parent = psutil.Process(os.getppid())
        words = parent.cmdline()
    except psutil.Error:
        return None
    is_run = "meltano" in {Path(word).name for word in words[:2]} and _RUNS & set(words)
    return parent if is_run else None
