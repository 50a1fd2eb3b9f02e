"""Pings of a health-check service, which tells people if no run pings it any more."""

from __future__ import annotations

import ipaddress
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit, urlunsplit

from ynab_pipeline.log import say

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The variable with the URL.
PING = "YNAB_PIPELINE_PING"

#: Seconds for all of it.
_LIMIT = 10.0
_LATE = f"no answer within {_LIMIT:g} seconds"


def ping(variables: Mapping[str, str], *, has_failed: bool) -> None:
    """Request the URL after a success, and its subpage `fail` after a failure.

    Says in one line, without the URL, if that does not work.

    Args:
        variables: The variables of the project.
        has_failed: Whether the run has failed.
    """
    if not (text := variables.get(PING, "").strip()):
        return
    url = _checked(text)
    if url is None:
        say(f"{PING} is no https URL; http is for this machine only. Nothing is pinged.", "warning")
        return
    if has_failed:
        url = url._replace(path=f"{url.path.rstrip('/')}/fail")
    results: list[str] = []
    # The limit of urllib is for each byte.
    request = Thread(target=_request, args=[urlunsplit(url), results], daemon=True)
    request.start()
    request.join(_LIMIT)
    result = results[0] if results else _LATE
    if result:
        say(f"{PING} got no ping: {result}", "warning")


def _checked(text: str) -> SplitResult | None:
    """Return a URL, or None if it is none that may be requested."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        return None
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError:
        return None
    is_safe = url.scheme == "https" or (url.scheme == "http" and _is_loopback(host))
    return url if host and is_safe else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _request(url: str, results: list[str]) -> None:
    """Request a URL, and note what went wrong: an empty text if nothing did."""
    from http.client import HTTPException, responses  # noqa: PLC0415 -- slow to import
    from urllib.error import HTTPError  # noqa: PLC0415 -- likewise
    from urllib.request import urlopen  # noqa: PLC0415 -- likewise

    try:
        with urlopen(url, timeout=_LIMIT):  # noqa: S310 -- the scheme is checked
            results.append("")
    except HTTPError as error:
        # Not with the reason of the server, which may quote the URL.
        results.append(f"{error.code} {responses.get(error.code, '')}".rstrip())
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        # Texts of others may quote the URL.
        text = reason.strerror if isinstance(reason, OSError) else None
        is_late = isinstance(reason, TimeoutError)
        results.append(_LATE if is_late else text or type(reason).__name__)
