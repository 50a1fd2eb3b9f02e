"""Times of a schedule: as cron has them, with weekdays from Sunday, 0 or 7, to Saturday, 6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronsim import CronSim

if TYPE_CHECKING:
    from datetime import datetime

#: Meltano's names for intervals.
NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: Likewise, for a schedule that is run by hand.
BY_HAND = frozenset({"@manual", "@none", "@once"})


def following(cron: str, last: datetime | None, now: datetime) -> datetime | None:
    """Return the next time of a schedule, None if there is none.

    Args:
        cron: The interval, such as `0 */4 * * *`.
        last: The time of the schedule that has come last. It does not come again if the clock has
            gone back a little; if it has gone back further, nothing waits for it to catch up.
        now: The time, in the time zone of the schedule.

    Raises:
        CronSimError: If the interval is none.
    """
    times = CronSim(cron, now)
    at: datetime | None = next(times, None)
    # `==` would take an hour that comes twice, as clocks are set back, for the same one.
    is_last = at is not None and last is not None and at.timestamp() == last.timestamp()
    return next(times, None) if is_last else at


def first(cron: str, last_start: datetime | None, now: datetime) -> datetime | None:
    """Return the first time at which a schedule is due. A past time means that a run was missed.

    Args:
        cron: The interval.
        last_start: When its job was last started, None if never.
        now: The time, in the time zone of the schedule.

    Raises:
        CronSimError: If the interval is none.
    """
    times = [following(cron, None, now)]
    if last_start is not None:
        times.append(following(cron, None, last_start.astimezone(now.tzinfo)))
    return min(filter(None, times), default=None)
