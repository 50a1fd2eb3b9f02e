"""The errors that the API answers with, worded as YNAB words them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ynab_sandbox.tables import Fields

#: Per error id: the name and the detail that YNAB gives.
ERRORS = {
    "400": ("bad_request", "The request could not be understood"),
    "401": ("not_authorized", "Unauthorized"),
    "403.1": ("subscription_lapsed", "The subscription for this account has lapsed"),
    "403.2": ("trial_expired", "The trial for this account has expired"),
    "403.3": ("unauthorized_scope", "The supplied access token has an insufficient scope"),
    "403.4": ("data_limit_reached", "The request will exceed one or more data limits"),
    "404.1": ("not_found", "The specified URI does not exist"),
    "404.2": ("resource_not_found", "Resource not found"),
    "405": ("method_not_allowed", "The sandbox only reads: GET is the only method"),
    "429": ("too_many_requests", "Too many requests"),
    "500": ("internal_server_error", "An internal error occurred"),
    "502": ("bad_gateway", "Bad gateway"),
    "503": ("service_unavailable", "Service unavailable"),
    "504": ("gateway_timeout", "Gateway timeout"),
}


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, error_id: str, detail: str | None = None) -> None:
        """Makes the error.

        Args:
            error_id: one of `ERRORS`.
            detail: what happened, if more is known than YNAB's own words.
        """
        super().__init__(error_id)
        self.error_id = error_id
        self.status = int(error_id[:3])
        self.detail = detail
        self.retry_after: int | None = None

    def body(self) -> Fields:
        """The document that is answered."""
        return error_body(self.error_id, self.detail)


def error_body(error_id: str, detail: str | None = None) -> Fields:
    """An error as YNAB writes it.

    Args:
        error_id: its id; unknown ones get the id as their name.
        detail: what happened; by default YNAB's own words.
    """
    name, words = ERRORS.get(error_id, (error_id, error_id))
    return {"error": {"id": error_id, "name": name, "detail": detail or words}}
