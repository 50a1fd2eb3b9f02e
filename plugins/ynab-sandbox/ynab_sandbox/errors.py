"""Errors: those of the API, worded as YNAB words them, and those of the sandbox itself."""

from __future__ import annotations

from typing import Any

#: YNAB's name and detail of each error id.
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


class SandboxError(Exception):
    """A sandbox cannot be started, stopped, opened or changed; the message says why."""


class ApiError(Exception):
    """An error response."""

    def __init__(
        self, error_id: str, detail: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Take the error id, whose first three digits are the HTTP status."""
        super().__init__(error_id)
        self.error_id = error_id
        self.detail = detail
        self.headers = headers or {}
        self.status = int(error_id[:3])

    def document(self) -> dict[str, Any]:
        """Return the body of the response; an unknown id is its own name and detail."""
        name, words = ERRORS.get(self.error_id, (self.error_id, self.error_id))
        return {"error": {"id": self.error_id, "name": name, "detail": self.detail or words}}
