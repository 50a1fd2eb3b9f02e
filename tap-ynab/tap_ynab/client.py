"""Talking to YNAB: one GET at a time, with its token, its waits and its errors.

Where data enters. `sync` asks here and reads the answers row by row.
"""

from __future__ import annotations

import json
import logging
import typing as t
from contextlib import ExitStack
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

import backoff
import requests
from singer_sdk.authenticators import BearerTokenAuthenticator
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from tap_ynab.errors import (
    AccessError,
    AccountError,
    BadRequestError,
    LimitError,
    NoConnectionError,
    NotFoundError,
    TooManyRequestsError,
    TransientError,
    UnreachableError,
    YNABError,
)
from tap_ynab.response import Response

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from backoff.types import Details

    from tap_ynab.limit import HourlyLimit

logger = logging.getLogger("tap-ynab.client")

CHUNK = 1 << 18
CONNECT_TIMEOUT = 10.0
LONGEST_WAIT = 60.0
#: Seconds between two requests, and for how long at most, where YNAB refuses more for this hour
#: and does not say when it will answer again.
LIMIT_PROBE, LONGEST_LIMIT = 600.0, 3900.0

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


class YNABClient:
    """GETs from one account, retried while that may help."""

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
        """Prepare for requests; none is sent yet.

        Args:
            api_url: Base address, such as https://api.ynab.com/v1.
            access_token: Personal access token, or one from OAuth.
            user_agent: What to call ourselves.
            request_timeout: Seconds without a byte after which a request is given up.
            max_retry_time: Seconds after which a request is not tried again.
            limit: Asked before each request.
        """
        self.api_url = api_url.rstrip("/")
        self.request_timeout = request_timeout
        self.max_retry_time = max_retry_time
        self.limit = limit
        self._session = requests.Session()
        # Through `auth`, not a header: a header would give way to a machine's ~/.netrc.
        self._session.auth = BearerTokenAuthenticator(token=access_token)
        self._session.headers["User-Agent"] = user_agent or f"tap-ynab/{version('tap-ynab')}"
        # A proxy would carry the token of a plain loopback address through a network.
        self._session.trust_env = not is_loopback(self.api_url)

    def get(self, path: str, tries: int | None = None, **params: str | int | None) -> Response:
        """Answer to `GET {api_url}{path}`; parameters that are None are not sent.

        Args:
            path: Below the base address.
            tries: How often to try at most, where there is another way.
            params: Parameters of the query.

        Raises:
            AccountError: No other request would succeed either.
            NotFoundError: There is no such thing.
            TransientError: YNAB did not answer within the time for retries.
            YNABError: YNAB refuses the request.
        """
        retrying = backoff.on_exception(
            _waits,
            TransientError,
            patience=self.max_retry_time,
            max_tries=tries,
            jitter=None,
            on_backoff=_log_wait,
            logger=None,
        )
        end = monotonic() + LONGEST_LIMIT
        while True:
            try:
                return retrying(self._get)(path, params)
            except TooManyRequestsError as error:  # noqa: PERF203 a request takes longer
                if monotonic() > end:
                    raise LimitError(f"{error}, for more than an hour. Run again later.") from error
                self.limit.wait(error.retry_after or LIMIT_PROBE, "YNAB answers 429")
            except NoConnectionError as error:
                raise UnreachableError(f"{error}. Check the network and api_url.") from error

    def _get(self, path: str, params: dict[str, str | int | None]) -> Response:
        self.limit.take()
        try:
            with self._session.get(
                self.api_url + path,
                params=params,
                timeout=(CONNECT_TIMEOUT, self.request_timeout),
                # The token goes nowhere but where it was sent.
                allow_redirects=False,
                stream=True,
            ) as answer:
                return self._whole(path, answer)
        # urllib3's own come through where requests forgets to wrap them.
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _lost(path, error) from error

    def _whole(self, path: str, answer: requests.Response) -> Response:
        """The answer once its body has arrived, so that what follows is about rows alone."""
        response = Response(self._chunks(answer), _date(answer))
        with ExitStack() as stack:
            stack.callback(response.close)
            if answer.status_code != HTTPStatus.OK:
                raise error_of(path, answer, response.text())
            try:
                _ = response.server_knowledge
            except TransientError as error:
                raise TransientError(f"{path}: {error}") from error
            stack.pop_all()  # from here on whoever reads the rows closes it
        return response

    def _chunks(self, answer: requests.Response) -> Iterator[bytes]:
        # A timeout is about one read; drop by drop an answer could take for ever.
        end = monotonic() + 10 * self.request_timeout
        for chunk in answer.iter_content(CHUNK):
            yield chunk
            if monotonic() > end:
                raise requests.ReadTimeout


def error_of(path: str, answer: requests.Response, body: str) -> Exception:
    """What an answer that is no success means, judged by its status and the error's id."""
    status = answer.status_code
    try:
        detail = json.loads(body)["error"]
        code, said = str(detail["id"]), str(detail["detail"])
    except (ValueError, KeyError, TypeError):
        code, said = str(status), str(answer.reason)
    line = f"{path}: {status} {' '.join(said.split())[:200]}"
    if refusal := REFUSALS.get(code, REFUSALS.get(str(status))):
        return AccessError(refusal)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequestsError(line, _seconds(answer.headers.get("Retry-After")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(line, _seconds(answer.headers.get("Retry-After")))
    if answer.is_redirect:
        host = urlsplit(answer.headers["Location"]).hostname
        return AccountError(
            f"{path}: the server redirects to {host}, for which the token was not meant. Set "
            "api_url to the address that answers."
        )
    kinds = {"404.2": NotFoundError, "400": BadRequestError}
    return kinds.get(code, YNABError)(f"{line}. Check api_url; if it is right, please report this.")


def _lost(path: str, error: Exception) -> Exception:
    """What happened on the wire, without the addresses of objects that requests would add."""
    if isinstance(error, requests.ReadTimeout):
        return TransientError(f"{path}: no answer in time")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return TransientError(f"{path}: the answer could not be unpacked")
    if isinstance(error, requests.exceptions.SSLError):
        return UnreachableError(
            f"{path}: no trusted connection (TLS). Check api_url and this machine's certificates."
        )
    inner = error.args[0] if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(
        getattr(inner, "reason", None), (NewConnectionError, NameResolutionError)
    ):
        return NoConnectionError(f"{path}: no connection")
    return TransientError(f"{path}: the connection was closed or reset, or the answer broke off")


def is_loopback(url: str) -> bool:
    """Whether the address never leaves this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _waits(patience: float) -> Generator[float, TransientError, None]:
    """Seconds to wait before each new try: what YNAB asks for, or twice the last, jittered.

    Ends where the next wait would go beyond `patience` seconds since the beginning.
    """
    end, planned = monotonic() + patience, 1.0
    error = yield 0.0
    while True:
        seconds = planned / 2 + backoff.full_jitter(planned / 2)
        if error.retry_after is not None:
            seconds = error.retry_after
        if monotonic() + seconds > end:
            return
        error = yield seconds
        planned = min(2 * planned, LONGEST_WAIT)


def _log_wait(details: Details) -> None:
    logger.warning(
        "%s. Trying again in %.1f s (try %d).",
        details.get("exception"),
        details.get("wait"),
        details["tries"] + 1,
    )


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
