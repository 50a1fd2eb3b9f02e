"""HTTP to YNAB: one GET at a time, with the token, retries and errors.

Between `retry`, which decides on another try, and `response`, which holds the body.
"""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import ExitStack
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from importlib.metadata import version
from ipaddress import ip_address
from math import isnan
from urllib.parse import urlsplit

import requests
from singer_sdk.authenticators import BearerTokenAuthenticator
from urllib3.exceptions import (
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from tap_ynab.deadline import DeadlineAdapter
from tap_ynab.errors import (
    AccessError,
    AccountError,
    BadRequestError,
    NoConnectionError,
    NotFoundError,
    TooManyRequestsError,
    TransientError,
    UnreachableError,
    YNABError,
)
from tap_ynab.response import Response
from tap_ynab.retry import RetryPolicy

if t.TYPE_CHECKING:
    from tap_ynab.rate_limit import HourlyLimit

CHUNK = 1 << 18
#: Bytes of the body of an error that are read.
LONGEST_ERROR = 1 << 16
CONNECT_TIMEOUT = 10.0
#: Years of a header Date that is believed.
PLAUSIBLE_YEARS = range(2018, 3000)
#: The address of a budget, which no message repeats: the log names the budget.
_BUDGET = re.compile(r"^/plans/[^/]+")
#: Addresses of responses in which lists are one level lower than in others.
_NESTED = re.compile(r"/plans/[^/]+(/months/[^/]+)?")

_RENEWAL = (
    "https://app.ynab.com/settings/developer and put it where the old one is: "
    "YNAB_PERSONAL_ACCESS_TOKEN in .env, or in tenants/NAME.env for a tenant; outside this Meltano "
    "project, access_token or TAP_YNAB_ACCESS_TOKEN."
)
#: Advice for each 401 and 403, by the id of YNAB's error.
REFUSALS = {
    "401": f"YNAB does not accept the token. Make a new one at {_RENEWAL}",
    "403.1": "The YNAB subscription of this account has lapsed. Renew it at "
    "https://app.ynab.com/settings and run again.",
    "403.2": "The YNAB trial of this account has ended. Subscribe at "
    "https://app.ynab.com/settings and run again.",
    "403.3": "The token's scope does not allow reading. Make a personal access token at "
    f"{_RENEWAL}",
    "403.4": "YNAB says that this account has reached its data limit. Ask YNAB's support what "
    "to remove, and run again.",
}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow no redirect: not even to its address, before which requests reads the whole body.

        The token goes nowhere but where it was sent.
        """


class YNABClient:
    """GET requests to the API of one account."""

    def __init__(  # noqa: PLR0913 each is a setting of the tap
        self,
        *,
        api_url: str,
        access_token: str,
        user_agent: str | None = None,
        request_timeout: float,
        max_retry_time: float,
        limit: HourlyLimit,
    ) -> None:
        """Prepare a session; no request is sent yet.

        Args:
            api_url: Base address, such as https://api.ynab.com/v1.
            access_token: Personal access token, or one from OAuth.
            user_agent: Name of the program in requests.
            request_timeout: Seconds without a byte after which a request is given up; a whole
                response may take ten times as long.
            max_retry_time: Seconds for which a request is tried, unless it has its own policy.
            limit: Counts each request, and waits if there are too many.
        """
        self.api_url = api_url.rstrip("/")
        self.request_timeout = request_timeout
        self.max_retry_time = max_retry_time
        self.limit = limit
        #: Requests sent so far, retries included.
        self.requests = 0
        self._token = access_token
        self._session = _Session()
        self._session.mount("https://", DeadlineAdapter())
        self._session.mount("http://", DeadlineAdapter())
        # Through `auth`, not a header: a header would give way to a machine's ~/.netrc.
        self._session.auth = BearerTokenAuthenticator(token=access_token)
        self._session.headers["User-Agent"] = user_agent or f"tap-ynab/{version('tap-ynab')}"
        # A proxy would carry the token of a plain loopback address through a network.
        self._session.trust_env = not is_loopback(self.api_url)

    def get(self, path: str, tries: int | None = None, **params: str | int | None) -> Response:
        """Return the response to `GET {api_url}{path}`.

        Args:
            path: Below the base address.
            tries: Number of tries; as many as `max_retry_time` allows if None.
            params: Parameters of the query; those that are None are not sent.

        Raises:
            AccountError: No other request would succeed either.
            NotFoundError: YNAB does not know the address.
            TransientError: YNAB did not answer within the tries.
            YNABError: YNAB refuses the request.
        """
        policy = RetryPolicy(self.max_retry_time, tries)
        return policy.call(lambda: self._get(path, params), self.limit.wait)

    def _get(self, path: str, params: dict[str, str | int | None]) -> Response:
        self.limit.take()
        self.requests += 1
        try:
            with self._session.get(
                self.api_url + path,
                params=params,
                timeout=(CONNECT_TIMEOUT, self.request_timeout),
                allow_redirects=False,
                stream=True,
            ) as http_response:
                return self._download(path, http_response)
        # Errors of urllib3 and of http.client come through where requests forgets to wrap them; a
        # ValueError or an OverflowError for the length of a chunk.
        except (
            requests.RequestException,
            HTTPError,
            HTTPException,
            OSError,
            ValueError,
            OverflowError,
        ) as error:
            raise _lost(path, error) from error

    def _download(self, path: str, http_response: requests.Response) -> Response:
        """Return the response with its whole body, so that reading rows can't fail any more."""
        if http_response.status_code != HTTPStatus.OK:
            body = b""
            for chunk in http_response.iter_content(LONGEST_ERROR):
                if len(body := body + chunk) >= LONGEST_ERROR:
                    break
            # A server may quote the token in its error.
            http_response.reason = str(http_response.reason).replace(self._token, "(token)")
            text = body.decode("utf-8", "replace").replace(self._token, "(token)")
            raise error_of(path, http_response, text)
        chunks = http_response.iter_content(CHUNK)
        list_level = 4 if _NESTED.fullmatch(path) else 3
        response = Response(chunks, _date(http_response), list_level=list_level)
        with ExitStack() as stack:
            stack.callback(response.close)
            try:
                response.check()
            except TransientError as error:
                raise TransientError(f"{place(path)}: {error}") from error
            stack.pop_all()  # the reader of its rows closes it
        return response


def place(path: str) -> str:
    """Return the address for a message: `/accounts`, not `/plans/<id>/accounts`."""
    return _BUDGET.sub("", path) or "plan export"


def error_of(path: str, http_response: requests.Response, body: str) -> Exception:
    """Return the error that a response without success stands for.

    Args:
        path: The address.
        http_response: The response; its status and the id of the error in its body count.
        body: Its body, which holds YNAB's description of the error, or anything.
    """
    status = http_response.status_code
    try:
        detail = json.loads(body)["error"]
        code, text = str(detail["id"]), str(detail["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        code, text = str(status), str(http_response.reason)
    # Half a surrogate pair, which JSON can escape, is no text that a loader could take.
    text = text.encode("utf-8", "replace").decode()
    line = f"{place(path)}: {status} {' '.join(text.split())[:200]}"
    if refusal := REFUSALS.get(code, REFUSALS.get(str(status))):
        return AccessError(refusal)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequestsError(line, _seconds(http_response.headers.get("Retry-After")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(line, _seconds(http_response.headers.get("Retry-After")))
    if http_response.is_redirect:
        return AccountError(
            f"{place(path)}: the server redirects to {_host(http_response.headers['Location'])}, "
            "which must not get the token. Set api_url to the address that answers."
        )
    kinds = {"404.2": NotFoundError, "400": BadRequestError}
    return kinds.get(code, YNABError)(f"{line}. Check api_url; if it is right, please report this.")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "another address"
    except ValueError:
        return "another address"


def _lost(path: str, error: Exception) -> Exception:
    """Return the error for a lost connection, without addresses of Python objects."""
    where = place(path)
    inner = error.args[0] if error.args else None
    if isinstance(error, requests.ReadTimeout) or isinstance(inner, ReadTimeoutError):
        return TransientError(f"{where}: no answer in time")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return TransientError(f"{where}: the answer could not be unpacked")
    if isinstance(error, requests.exceptions.SSLError):
        return UnreachableError(
            f"{where}: no trusted connection (TLS). Check api_url and this machine's certificates."
        )
    if isinstance(error, requests.ConnectTimeout) or isinstance(
        getattr(inner, "reason", None), (NewConnectionError, NameResolutionError)
    ):
        return NoConnectionError(f"{where}: no connection")
    return TransientError(f"{where}: the connection was closed or reset, or the answer broke off")


def is_loopback(url: str) -> bool:
    """Tell whether a request to an address stays on this machine."""
    try:
        # As the session does it: other parsers find other hosts in odd addresses.
        host = urlsplit(requests.Request("GET", url).prepare().url).hostname
        # Who can give this name to another machine can read the token here, too.
        return host == "localhost" or ip_address(host or "").is_loopback
    except (requests.RequestException, ValueError):
        return False


def _date(http_response: requests.Response) -> datetime:
    """Return the server's time (UTC), which its months follow, or ours if it sends none."""
    found = _moment(http_response.headers.get("Date", ""))
    return found if found and found.year in PLAUSIBLE_YEARS else datetime.now(timezone.utc)


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which holds a number or a date."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        at = _moment(retry_after)
        return max(0.0, (at - datetime.now(timezone.utc)).total_seconds()) if at else None
    return None if isnan(seconds) else max(0.0, seconds)


def _moment(text: str) -> datetime | None:
    """Return the time (UTC) in a header; None if it holds none."""
    try:
        at = parsedate_to_datetime(text)
        # Without a zone, as for -0000, it is in UTC, too.
        return at.replace(tzinfo=at.tzinfo or timezone.utc).astimezone(timezone.utc)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
