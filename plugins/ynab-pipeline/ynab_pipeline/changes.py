"""Changes that people are told of: a job begins to fail, has recovered, or the tables become stale.

Told once for each change, not for each run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ynab_pipeline.freshness import FAILED, STALE, SUCCEEDED
from ynab_pipeline.status_page import span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

RECOVERED = "recovered"
REMOVED = "removed"


class Failing(NamedTuple):
    """A job that fails."""

    #: Why the last run failed, in one line.
    reason: str
    #: When the first run did.
    since: datetime


@dataclass(frozen=True)
class Told:
    """Failures and staleness of which people were told, and not yet that they are over."""

    #: The jobs that fail.
    failing: Mapping[str, Failing] = field(default_factory=dict)
    is_stale: bool = False


class Seen(NamedTuple):
    """Outcome of a run, as far as people are told of it."""

    job: str
    #: `succeeded`, `failed`, `running`, or `removed` if it is run no more, which is no news.
    state: str
    #: Why it failed.
    reason: str
    #: Whether a last success is too old.
    is_stale: bool
    at: datetime


def change(told: Told, seen: Seen) -> tuple[Told, str | None]:
    """Return what people know once they are told, and what there is to tell.

    A job that fails for the same reason as another one is no news, and the success of one of the
    two counts for both.

    Args:
        told: What they know.
        seen: What a run shows.

    Returns:
        What they know then, and `failed`, `stale`, `recovered` or None.
    """
    failing, before = dict(told.failing), told.failing.get(seen.job)
    if seen.state == REMOVED:
        failing.pop(seen.job, None)
        return Told(failing, told.is_stale), None
    if seen.state == SUCCEEDED:
        for job, each in told.failing.items():
            if job == seen.job or (before and each.reason == before.reason):
                del failing[job]
    elif seen.state == FAILED:
        failing[seen.job] = Failing(seen.reason, before.since if before else seen.at)
    after = Told(failing, seen.is_stale)
    reasons = {each.reason for each in told.failing.values()}
    if seen.state == FAILED and not before and seen.reason not in reasons:
        return after, FAILED
    if after.is_stale and not told.is_stale:
        return after, STALE
    if len(failing) < len(told.failing) or (told.is_stale and not after.is_stale):
        return after, RECOVERED
    return after, None


def message(
    kind: str, after: Told, seen: Seen, place: str, stale_after: timedelta
) -> tuple[str, str]:
    """Return the title and the text of a message.

    Args:
        kind: What there is to tell, of `change`.
        after: What people know with it, likewise.
        seen: What the run shows.
        place: Environment and tenant.
        stale_after: The age at which a success is too old.
    """
    old = f"The last success of a budget is older than {span(stale_after)}."
    failures = [f"{job} failed: {each.reason}" for job, each in after.failing.items()]
    lines = [old] if after.is_stale else []
    if kind == FAILED:
        title = f"{seen.job} failed"
        lines = [seen.reason, *lines, "The next run tries again by itself."]
    elif kind == STALE:
        title = "the tables are stale"
        lines += failures or [f"{seen.job} is under way, and has not ended."]
    else:
        title = "works again"
        still = [f"Still: {line}" for line in (*failures, *lines)]
        lines = [f"{seen.job} succeeded.", *still]
    return f"tap-ynab, {place}: {title}", "\n".join(lines)
