"""What can go wrong with YNAB, by what it means for the run.

Every message is one line that says what to do. None ever holds the token.
"""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError


class YNABError(FatalAPIError):
    """Nothing to retry; the base of all others but `TransientError`."""


class AccessError(YNABError):
    """YNAB refuses the token or the account behind it: no request will succeed."""


class BadRequestError(YNABError):
    """YNAB does not accept a parameter (400)."""


class NotFoundError(YNABError):
    """YNAB knows no such thing (404.2)."""


class TransientError(RetriableAPIError):
    """The same request may well succeed in a moment.

    Attributes:
        retry_after: Seconds that YNAB asks to wait, if it does.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep the message and the wait that YNAB asked for."""
        super().__init__(message)
        self.retry_after = retry_after
