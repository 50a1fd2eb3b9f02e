"""What can go wrong with YNAB, by what it means for the run.

Every message is one line that says what to do. None ever holds the token.
"""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError


class YNABError(FatalAPIError):
    """A budget, or a part of it, can't be read; the base of all others but `TransientError`."""


class BadRequestError(YNABError):
    """YNAB does not accept a parameter (400)."""


class NotFoundError(YNABError):
    """YNAB knows no such thing (404.2)."""


class AccountError(YNABError):
    """No further request of this run would succeed."""


class AccessError(AccountError):
    """YNAB refuses the token or the account behind it."""


class LimitError(AccountError):
    """YNAB's hourly limit is reached, and the run is not to wait for the next hour."""


class UnreachableError(AccountError):
    """There is no connection to YNAB."""


class TransientError(RetriableAPIError):
    """The same request may well succeed in a moment.

    Attributes:
        retry_after: Seconds that YNAB asks to wait, if it does.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep the message and the wait that YNAB asked for."""
        super().__init__(message)
        self.retry_after = retry_after


class NoConnectionError(TransientError):
    """YNAB could not be asked, or the connection ended before the answer did."""


class TooManyRequestsError(TransientError):
    """YNAB's hourly limit is reached (429)."""
