"""The sandbox's own clock, so that months and hours pass without waiting."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone


class Clock:
    """What time it is for the sandbox, always in UTC.

    Given a day, the clock stands still at noon of that day and only `advance` moves it, so that the
    same calls give the same answers. Without one it runs with the computer's clock.
    """

    def __init__(self, today: date | None = None) -> None:
        """Sets the clock.

        Args:
            today: the day to stand still at, or None to run with the computer's clock.
        """
        noon = time(12, tzinfo=timezone.utc)
        self._stands_at = datetime.combine(today, noon) if today else None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The moment, in UTC."""
        return (self._stands_at or datetime.now(timezone.utc)) + self._ahead

    def today(self) -> date:
        """The day, in UTC."""
        return self.now().date()

    def month(self) -> str:
        """The first day of the current month, as YNAB writes a month."""
        return self.today().replace(day=1).isoformat()

    def stamp(self) -> str:
        """The moment as YNAB writes a date-time."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def advance(self, seconds: float) -> None:
        """Moves the clock forward.

        Args:
            seconds: how far, not negative.

        Raises:
            ValueError: the clock would go back.
        """
        if seconds < 0:
            message = "the sandbox's clock only moves forward"
            raise ValueError(message)
        self._ahead += timedelta(seconds=seconds)

    def advance_month(self) -> None:
        """Moves the clock to noon of the first day of the next month."""
        first = next_month(self.month())
        target = datetime.combine(date.fromisoformat(first), time(12, tzinfo=timezone.utc))
        self._ahead += target - self.now()


def next_month(month: str) -> str:
    """The month after a month, both as their first day.

    Args:
        month: the first day of a month, `YYYY-MM-01`.
    """
    return (date.fromisoformat(month) + timedelta(days=31)).replace(day=1).isoformat()


def month_of(day: str) -> str:
    """The month of a day, as the month's first day.

    Args:
        day: a day, `YYYY-MM-DD`.
    """
    return f"{day[:7]}-01"


def year_before(day: date) -> str:
    """The day one year earlier, where YNAB starts when nobody says `since_date`.

    Args:
        day: the day to count from.
    """
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year - 1).isoformat()
