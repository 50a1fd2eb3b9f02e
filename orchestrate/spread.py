"""The minutes at which accounts are due, so that not all of them read YNAB at once."""

from __future__ import annotations

import platform
from zlib import crc32

_DELAYS = range(0, 30, 5)


def spread(interval: str) -> str:
    """Return an interval in the form of cron with all minutes at which an account may be due."""
    minutes = _minutes(interval)
    if not minutes:
        return interval
    _, rest = interval.split(maxsplit=1)
    return f"{','.join(map(str, minutes))} {rest}"


def is_due(account: str, interval: str, minute: int) -> bool:
    """Return whether an account is due in this minute, one of those of `spread`."""
    minutes = _minutes(interval)
    if not minutes:
        return True
    # The same for an account at all times, and another for that of the same name elsewhere.
    number = crc32(f"{platform.node()} {account}".encode())
    return minute == minutes[number % len(minutes)]


def _minutes(interval: str) -> list[int]:
    """Return the minutes of an interval that has one: itself and others of the same hour."""
    minute, *_ = interval.split(maxsplit=1)
    if not minute.isdecimal():
        return []
    return [later for delay in _DELAYS if (later := int(minute) + delay) < 60]  # noqa: PLR2004
