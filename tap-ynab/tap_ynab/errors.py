"""Errors by what they mean for the run. Every message is one line that says what to do.

No message ever holds the token.
"""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError


class YNABError(FatalAPIError):
    """A list of a budget can't be read; the base of all errors but `TransientError`."""


class BadRequestError(YNABError):
    """YNAB does not accept a parameter (400)."""


class NotFoundError(YNABError):
    """YNAB does not know the address (404.2)."""


class AccountError(YNABError):
    """No other request of this run would succeed either."""


class AccessError(AccountError):
    """YNAB refuses the token, or the account behind it."""


class LimitError(AccountError):
    """The hourly limit is reached, and the run is not to wait for it."""


class UnreachableError(AccountError):
    """There is no connection to YNAB."""


class IncompleteError(YNABError):
    """Some lists could not be read; everything else is written.

    Attributes:
        lines: One line for each budget concerned.
    """

    def __init__(self, lines: list[str]) -> None:
        """Keep the lines."""
        super().__init__(" ".join(lines))
        self.lines = lines


class TransientError(RetriableAPIError):
    """The same request may succeed in a moment.

    Attributes:
        retry_after: Seconds that YNAB asks to wait, if it does.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep the message and the wait that YNAB asks for."""
        super().__init__(message)
        self.retry_after = retry_after


class NoConnectionError(TransientError):
    """No connection could be made."""


class TooManyRequestsError(TransientError):
    """YNAB says that its hourly limit is reached (429)."""
