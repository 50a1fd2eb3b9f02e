"""The minutes at which accounts are due, so that not all of them read YNAB at once."""

from __future__ import annotations

import platform
from zlib import crc32

#: Minutes after that of a schedule.
_DELAYS = range(0, 30, 5)


def spread(interval: str) -> str:
    """Return a cron expression with the minutes of all accounts; `is_due` tells whose each one is.

    Args:
        interval: The cron expression of a schedule, which Meltano calls its interval.
    """
    minutes = _minutes(interval)
    if not minutes:
        return interval
    _, rest = interval.split(maxsplit=1)
    return f"{','.join(map(str, minutes))} {rest}"


def is_due(account: str, interval: str, minute: int) -> bool:
    """Return whether an account is due.

    Args:
        account: Its name.
        interval: The cron expression of the schedule.
        minute: The minute for which `spread` has had Dagster ask.
    """
    minutes = _minutes(interval)
    if not minutes:
        return True
    # An account keeps its minute as long as the machine keeps its name. On other machines, most
    # accounts of the same name have another one.
    number = crc32(f"{platform.node()} {account}".encode())
    return minute == minutes[number % len(minutes)]


def _minutes(interval: str) -> list[int]:
    """Return the minute of a schedule and the later ones, within its hour.

    Return none if it has no single minute, such as `*/5`. After minute 34 there are fewer, and
    after 54 only one: a minute of the next hour would need another hour, perhaps another day.
    """
    minute, *_ = interval.split(maxsplit=1)
    if not minute.isdecimal():
        return []
    return [later for delay in _DELAYS if (later := int(minute) + delay) < 60]  # noqa: PLR2004
