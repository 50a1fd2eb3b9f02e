"""What a state says has been read, of each stream and budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.rows import DELTA_STREAMS

if TYPE_CHECKING:
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Row, State


def bookmarks(state: State) -> dict[tuple[str, str], Row]:
    """Bookmarks by stream and budget."""
    found: dict[tuple[str, str], Row] = {}
    for stream, content in state["bookmarks"].items():
        for partition in content.get("partitions", ()):
            key = (stream, partition["context"]["budget_id"])
            assert key not in found
            found[key] = partition
    return found


def complete(state: State) -> set[tuple[str, str]]:
    """Streams and budgets of which it says that all has been read."""
    return {key for key, found in bookmarks(state).items() if "replication_key_value" in found}


def counters(finished: Finished, budget: Budget) -> dict[str, int]:
    """The counter of each stream's bookmark of a budget."""
    found = bookmarks(finished.state)
    return {stream: found[stream, budget.id]["replication_key_value"] for stream in DELTA_STREAMS}
