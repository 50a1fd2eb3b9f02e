"""Talking to YNAB: one GET at a time, with its token, its waits and its errors.

Where data enters. `sync` asks here and reads the answers row by row.
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
import typing as t
from contextlib import ExitStack
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from importlib.metadata import version
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

import backoff
import ijson
import requests
from singer_sdk.authenticators import BearerTokenAuthenticator
from urllib3.exceptions import HTTPError

from tap_ynab.errors import (
    AccessError,
    BadRequestError,
    NotFoundError,
    TransientError,
    YNABError,
)

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from backoff.types import Details

logger = logging.getLogger("tap-ynab.client")

CHUNK = 1 << 16
IN_MEMORY = 1 << 20
#: A body may not grow beyond this when unpacked; 500,000 transactions are a fifth of it.
MAX_BODY = 2 << 30
CONNECT_TIMEOUT = 10.0
LONGEST_WAIT = 60.0

#: The end of nearly every answer. A quote inside a string would be escaped, so where this
#: matches, the document is whole.
_KNOWLEDGE_LAST = re.compile(rb'(?<!\\)"server_knowledge"\s*:\s*(\d+)\s*}\s*}\s*\Z')
#: U+0000 and lone surrogates: JSON can escape them, PostgreSQL can't store them.
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

#: What to do about what YNAB says with a 401 or 403, by the id of the error.
REFUSALS = {
    "401": "YNAB does not accept the token. Make a new one at "
    "https://app.ynab.com/settings/developer and set access_token to it.",
    "403.1": "The YNAB subscription of this account has lapsed. Renew it at "
    "https://app.ynab.com/settings and run again.",
    "403.2": "The YNAB trial of this account has ended. Subscribe at "
    "https://app.ynab.com/settings and run again.",
    "403.3": "The token's scope does not allow reading. Make a personal access token at "
    "https://app.ynab.com/settings/developer and set access_token to it.",
    "403.4": "YNAB says that this account has reached its data limit. Ask YNAB's support what "
    "to remove, and run again.",
}


class Response:
    """An answer of the API whose whole body has arrived, and where it was checked, is JSON.

    Rows are parsed as they are asked for, from a file that has no name, so that no answer is
    too large for memory and nothing is left behind whatever ends the process.
    """

    def __init__(self, body: t.IO[bytes], *, date: datetime, unstorable: bool) -> None:
        """Keep the body, the server's own time (UTC), and whether it holds unstorable text."""
        self._body = body
        self._unstorable = unstorable
        self.date = date

    def close(self) -> None:
        """Give the body's space back; its rows can't be read again."""
        self._body.close()

    @property
    def month(self) -> str:
        """First day of the month that YNAB's amounts are of, in UTC."""
        return f"{self.date:%Y-%m}-01"

    def rows(self, path: str) -> Iterator[dict[str, t.Any]]:
        """Objects of the list at `path` below `data`, for example `accounts`.

        Numbers that are not integers arrive as `Decimal`.
        """
        self._body.seek(0)
        row = None
        for row in ijson.items(self._body, f"data.{path}.item"):
            yield storable(row) if self._unstorable else row
        if row is None and not self._holds_list(path):
            raise YNABError(f"YNAB's answer holds no list of {path}. Check api_url.")

    def _holds_list(self, path: str) -> bool:
        """Whether a list without rows is an empty list, not an answer of another kind."""
        self._body.seek(0)
        return any(
            prefix == f"data.{path}" and event == "start_array"
            for prefix, event, _ in ijson.parse(self._body)
        )

    @cached_property
    def server_knowledge(self) -> int | None:
        """YNAB's counter at the time of the answer; None where it has none.

        Raises:
            TransientError: The body is not a whole JSON document.
        """
        self._body.seek(0, 2)
        self._body.seek(max(0, self._body.tell() - 256))
        if tail := _KNOWLEDGE_LAST.search(self._body.read()):
            return int(tail[1])
        self._body.seek(0)
        try:
            # To the end, whatever was found: only that proves the document whole.
            found = [
                value
                for prefix, _, value in ijson.parse(self._body)
                if prefix == "data.server_knowledge"
            ]
        except ijson.JSONError as error:
            raise TransientError("YNAB's answer was not JSON, or broke off") from error
        return found[0] if found else None


class YNABClient:
    """GETs from one account, retried while that may help."""

    def __init__(
        self,
        *,
        api_url: str,
        access_token: str,
        user_agent: str | None = None,
        request_timeout: float,
        max_retry_time: float,
    ) -> None:
        """Prepare for requests; none is sent yet.

        Args:
            api_url: Base address, such as https://api.ynab.com/v1.
            access_token: Personal access token, or one from OAuth.
            user_agent: What to call ourselves.
            request_timeout: Seconds without a byte after which a request is given up.
            max_retry_time: Seconds after which a request is not tried again.
        """
        self.api_url = api_url.rstrip("/")
        self.request_timeout = request_timeout
        self._session = requests.Session()
        # Through `auth`, not a header: a header would give way to a machine's ~/.netrc.
        self._session.auth = BearerTokenAuthenticator(token=access_token)
        self._session.headers["User-Agent"] = user_agent or f"tap-ynab/{version('tap-ynab')}"
        # A proxy would carry the token of a plain loopback address through a network.
        self._session.trust_env = not is_loopback(self.api_url)
        self._retrying = backoff.on_exception(
            _waits,
            TransientError,
            max_time=max_retry_time,
            jitter=None,
            on_backoff=_log_wait,
            logger=None,
        )

    def get(self, path: str, **params: str | int | None) -> Response:
        """Answer to `GET {api_url}{path}`; parameters that are None are not sent.

        Raises:
            AccessError: The token or its account is refused.
            NotFoundError: There is no such thing.
            TransientError: YNAB did not answer within the time for retries.
            YNABError: YNAB refuses the request.
        """
        return self._retrying(self._get)(path, params)

    def _get(self, path: str, params: dict[str, str | int | None]) -> Response:
        try:
            with self._session.get(
                self.api_url + path,
                params=params,
                timeout=(CONNECT_TIMEOUT, self.request_timeout),
                # The token goes nowhere but where it was sent.
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._spool(path, response)
        # urllib3's own come through where requests forgets to wrap them.
        except (requests.RequestException, HTTPError, OSError) as error:
            raise TransientError(f"{path}: {_plainly(error)}") from error

    def _spool(self, path: str, response: requests.Response) -> Response:
        """Take the whole body, so that what follows is about rows alone."""
        with ExitStack() as stack:
            body = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
            unstorable = self._copy(path, response, body)
            if response.status_code != HTTPStatus.OK:
                body.seek(0)
                raise error_of(path, response, body.read(CHUNK))
            spooled = Response(body, date=_date(response), unstorable=unstorable)
            try:
                _ = spooled.server_knowledge
            except TransientError as error:
                raise TransientError(f"{path}: {error}") from error
            stack.pop_all()  # from here on whoever reads the rows closes it
            return spooled

    def _copy(self, path: str, response: requests.Response, body: t.IO[bytes]) -> bool:
        """Write the body down, within bounds of size and time; tell if it is unstorable as is."""
        unstorable, carry, deadline = False, b"", monotonic() + 10 * self.request_timeout
        for chunk in response.iter_content(CHUNK):
            body.write(chunk)
            unstorable = unstorable or bool(_UNSTORABLE.search(carry + chunk))
            carry = chunk[-6:]
            if body.tell() > MAX_BODY:
                raise YNABError(f"{path}: an answer of more than {MAX_BODY >> 20} MiB is no budget")
            if monotonic() > deadline:
                raise requests.Timeout
        return unstorable


def error_of(path: str, response: requests.Response, body: bytes) -> Exception:
    """What an answer that is no success means, judged by its status and the error's id."""
    status = response.status_code
    try:
        detail = json.loads(body)["error"]
        code, said = str(detail["id"]), str(detail["detail"])
    except (ValueError, KeyError, TypeError):
        code, said = str(status), str(response.reason)
    line = f"{path}: {status} {' '.join(said.split())[:200]}"
    if refusal := REFUSALS.get(code, REFUSALS.get(str(status))):
        return AccessError(refusal)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(line, _seconds(response.headers.get("Retry-After")))
    if code == "404.2":
        return NotFoundError(line)
    if status == HTTPStatus.BAD_REQUEST:
        return BadRequestError(line)
    if response.is_redirect:
        host = urlsplit(response.headers["Location"]).hostname
        return YNABError(
            f"{path}: the server redirects to {host}, which the token was not meant for. "
            "Set api_url to the address that answers."
        )
    return YNABError(f"{line}. Check api_url; if it is right, this is worth reporting.")


def is_loopback(url: str) -> bool:
    """Whether the address never leaves this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def storable(value: t.Any) -> t.Any:
    """The value without what PostgreSQL can't store in text and jsonb, at any depth."""
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return text.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(nested) for key, nested in value.items()}
    if isinstance(value, list):
        return [storable(nested) for nested in value]
    return value


def _waits() -> Generator[float, TransientError, None]:
    """Seconds to wait: what YNAB asks for, or else doubled each time, and jittered."""
    error = yield 0.0
    planned = 1.0
    while True:
        error = yield error.retry_after or backoff.full_jitter(planned / 2) + planned / 2
        planned = min(2 * planned, LONGEST_WAIT)


def _log_wait(details: Details) -> None:
    logger.warning(
        "%s. Trying again in %.1f s (try %d).",
        details.get("exception"),
        details.get("wait"),
        details["tries"] + 1,
    )


def _plainly(error: Exception) -> str:
    """What happened on the wire, without the addresses of objects that requests adds."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "the answer could not be unpacked"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted connection (TLS)"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer broke off"
    return "no connection, or it was reset"


def _date(response: requests.Response) -> datetime:
    """Time by the server's clock, which its months follow; by ours where it sends none."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc)
    except (KeyError, ValueError):
        return datetime.now(timezone.utc)


def _seconds(retry_after: str | None) -> float | None:
    """Seconds in a Retry-After header, which holds a number or a date."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())
