"""The sandbox's own clock, so that months and hours pass without waiting."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

NOON = time(12, tzinfo=timezone.utc)


class Clock:
    """The sandbox's time, in UTC.

    With a day, the clock stands still at noon of that day and only `advance` moves it, so that the
    same calls give the same responses. Without one, it runs with the computer's clock.
    """

    def __init__(self, today: date | None = None) -> None:
        """Stop the clock at a day, or let it run."""
        self._stopped_at = datetime.combine(today, NOON) if today else None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the time."""
        return (self._stopped_at or datetime.now(timezone.utc)) + self._ahead

    def today(self) -> date:
        """Return the day."""
        return self.now().date()

    def month(self) -> str:
        """Return the first day of the current month, as YNAB writes a month."""
        return self.today().replace(day=1).isoformat()

    def timestamp(self) -> str:
        """Return the time as YNAB writes a date-time."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        if seconds < 0:
            raise ValueError("the sandbox's clock only moves forward")
        self._ahead += timedelta(seconds=seconds)

    def seconds_to_next_month(self) -> float:
        """Return how far it is to noon of the first day of the next month."""
        first = date.fromisoformat(next_month(self.month()))
        return (datetime.combine(first, NOON) - self.now()).total_seconds()


def next_month(month: str) -> str:
    """Return the month after a month, both as their first day, `YYYY-MM-01`."""
    return (date.fromisoformat(month) + timedelta(days=31)).replace(day=1).isoformat()


def month_of(day: str) -> str:
    """Return the first day of the month of a day, `YYYY-MM-DD`."""
    return f"{day[:7]}-01"


def year_before(day: date) -> str:
    """Return the day one year earlier, YNAB's default for `since_date`."""
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year - 1).isoformat()
