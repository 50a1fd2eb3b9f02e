"""What people are told of, over sequences of runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ynab_pipeline.changes import Seen, Told, change, message

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def told(runs: str) -> list[str]:
    """What there is to tell of each run.

    Args:
        runs: A word for each: the job's first letter, then `+` for a success, `-` with a digit for
            a failure for that reason, or `~` if it goes on; `!` last if a last success is too old.
    """
    after, kinds = Told(), []
    for number, word in enumerate(runs.split()):
        state = {"+": "succeeded", "-": "failed", "~": "running"}[word[1]]
        at = START + timedelta(hours=number)
        seen = Seen(
            {"s": "sync", "r": "reconcile"}[word[0]],
            state,
            f"reason {word[2]}" if state == "failed" else "",
            word.endswith("!"),
            at,
        )
        after, kind = change(after, seen)
        if kind:
            message(kind, after, seen, "local", timedelta(hours=9))
        kinds.append(kind or "")
    return kinds


@pytest.mark.parametrize(
    ("runs", "kinds"),
    [
        ("s+ s+ r+ s+", ",,,"),
        ("s-1 s-1 s+ s+ s-1", "failed,,recovered,,failed"),
        # Another reason is no change, for reasons such as timeouts vary.
        ("s-1 s-2 s-1 s+", "failed,,,recovered"),
        # Once stale, then nothing until the end of it.
        ("s-1 s-1! s-1! s+ s+", "failed,stale,,recovered,"),
        # Both at once, as after a sleep: one message.
        ("s-1! s-1! s+", "failed,,recovered"),
        # A budget that others than the failing one leave out is stale still.
        ("s-1! s+! s+! s+", "failed,recovered,,recovered"),
        # A run without an end.
        ("s~ s~! s~! s+", ",stale,,recovered"),
        ("s~! s-1! s+", "stale,failed,recovered"),
        # The same password for both jobs: one message, and one when it is right again.
        ("s-1 r-1 s-1 r+ s+", "failed,,,recovered,"),
        # Each for a reason of its own.
        ("r-1 s+ s-2 s+ r-1 r+", "failed,,failed,recovered,,recovered"),
    ],
)
def test_each_change_is_told_once(runs: str, kinds: str) -> None:
    assert told(runs) == kinds.split(",")


def test_messages() -> None:
    day = timedelta(hours=9)
    failed = Seen("sync", "failed", "no connection. Check the network.", False, START)  # noqa: FBT003
    after, _ = change(Told(), failed)
    title, text = message("failed", after, failed, "local (ada)", day)
    assert title == "tap-ynab, local (ada): sync failed"
    assert text.splitlines()[0] == "no connection. Check the network."

    after, _ = change(after, failed._replace(is_stale=True))
    title, text = message("stale", after, failed, "local (ada)", day)
    assert title == "tap-ynab, local (ada): the tables are stale"
    assert text.splitlines()[:2] == [
        "The last success of a budget is older than 9 h.",
        "sync failed: no connection. Check the network.",
    ]

    other = Seen("reconcile", "succeeded", "", True, START)  # noqa: FBT003
    title, text = message("recovered", after, other, "local", day)
    assert title == "tap-ynab, local: works again"
    assert text.splitlines()[:3] == [
        "reconcile succeeded.",
        "Still: sync failed: no connection. Check the network.",
        "Still: The last success of a budget is older than 9 h.",
    ]
