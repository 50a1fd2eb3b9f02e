"""Responses of the API without a server."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any, TypeVar

from tap_ynab.response import Response

R = TypeVar("R", bound=Response)

#: Responses that a fixture closes after each test.
OPEN: list[Response] = []
NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def closed_later(response: R) -> R:
    """Have a response closed after the test."""
    OPEN.append(response)
    return response


def of_text(text: str | bytes, *, chunk: int = 1 << 18) -> Response:
    """Return a response with this body, which arrives in chunks."""
    body = text.encode() if isinstance(text, str) else text
    chunks = (body[at : at + chunk] for at in range(0, len(body), chunk))
    return closed_later(Response(chunks, NOW))


def of_data(**data: Any) -> Response:
    """Return a checked response with this `data`."""
    response = of_text(json.dumps({"data": data}))
    response.check()
    return response


def is_closed(response: Response) -> bool:
    """Tell if no rows can be read any more."""
    try:
        response.text()
    except ValueError:
        return True
    return False
