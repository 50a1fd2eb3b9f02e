"""Errors of YNAB by what they mean, and addresses as messages show them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from math import inf
from urllib.parse import urlsplit

import pytest
import requests
from tap_ynab.client import REFUSALS, _date, error_of, is_loopback, place
from tap_ynab.errors import (
    AccessError,
    AccountError,
    BadRequestError,
    NotFoundError,
    TooManyRequestsError,
    TransientError,
    YNABError,
)

PATH = "/plans/b0a1/payees"


def error_body(code: str, detail: str = "what YNAB says") -> str:
    return json.dumps({"error": {"id": code, "name": "a_name", "detail": detail}})


def error(status: int, body: str = "", **headers: str) -> Exception:
    response = requests.Response()
    response.status_code = status
    response.reason = "Reason"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return error_of(PATH, response, body)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/plans", "/plans"),
        ("/plans/b0a1", "plan export"),
        ("/plans/b0a1/payees", "/payees"),
        ("/plans/b0a1/months/2026-11-01", "/months/2026-11-01"),
        ("/plans/b0a1/plans/x", "/plans/x"),
    ],
)
def test_addresses_are_shown_without_the_budget(path: str, shown: str) -> None:
    assert place(path) == shown


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "400", BadRequestError),
        (404, "404.2", NotFoundError),
        (404, "404.1", YNABError),
        (409, "409", YNABError),
        (403, "403.9", YNABError),
        (204, "204", YNABError),
        (500, "500", TransientError),
        (503, "503", TransientError),
        (429, "429", TooManyRequestsError),
    ],
)
def test_the_kind_of_an_error_and_ynabs_words(status: int, code: str, kind: type) -> None:
    found = error(status, error_body(code, "what\n YNAB  says"))
    assert type(found) is kind
    assert str(found).startswith(f"/payees: {status} what YNAB says")
    assert "b0a1" not in str(found)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "401"), (401, "401.9"), *((403, f"403.{n}") for n in range(1, 5))]
)
def test_a_refusal_says_what_to_do(status: int, code: str) -> None:
    found = error(status, error_body(code))
    assert type(found) is AccessError
    assert str(found) == REFUSALS[code if code in REFUSALS else "401"]


@pytest.mark.parametrize(
    "body",
    ["", "<html>Bad gateway</html>", "[]", "null", '{"error": "text"}', '{"error": {"id": "x"}}'],
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequestError), (401, AccessError), (404, YNABError), (502, TransientError)],
)
def test_a_body_of_another_kind_leaves_the_status_to_tell(
    body: str, status: int, kind: type
) -> None:
    found = error(status, body)
    assert type(found) is kind
    assert kind is AccessError or str(found).startswith(f"/payees: {status} Reason")


@pytest.mark.parametrize(
    "body",
    ["[" * 50_000, '{"error": {"id": 1e999, "detail": [[]]}}', f"[{'1' * 9_000}]", '{"error":'],
)
def test_no_body_of_an_error_stops_the_run(body: str) -> None:
    assert isinstance(error(503, body), TransientError)


def test_half_a_character_is_replaced() -> None:
    str(error(500, error_body("500", "half \ud83d pair"))).encode()


def test_a_long_description_is_cut() -> None:
    assert len(str(error(500, error_body("500", "x" * 5000)))) < 300


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0.5", 0.5),
        ("0", 0),
        ("-5", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("-1e400", 0),
        ("1e400", inf),
        ("inf", inf),
        ("999999999", 999_999_999),
        ("nan", None),
        ("Wed, 21 Oct 2015 07:28:00 -99999999999", None),
        (f"Wed, {'9' * 5000} Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +1400", 0),
        (":::", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_ynab_asks_for(status: int, value: str, seconds: float | None) -> None:
    found = error(status, Retry_After=value)
    assert isinstance(found, TransientError)
    assert found.retry_after == seconds


def test_a_date_to_come_back_at_is_as_many_seconds_away() -> None:
    found = error(429, Retry_After="Fri, 31 Dec 9999 23:59:59 GMT")
    assert isinstance(found, TransientError)
    assert found.retry_after is not None
    assert found.retry_after > 10**9
    assert error(503).retry_after is None  # type: ignore[attr-defined] # a TransientError


@pytest.mark.parametrize("zone", ["", " -0000"])
def test_a_date_without_a_time_zone_does_not_stop_the_run(zone: str) -> None:
    assert isinstance(error(429, Retry_After=f"Wed, 21 Oct 2015 07:28:00{zone}"), TransientError)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_names_the_host_that_must_not_get_the_token(status: int) -> None:
    found = error(status, Location="https://elsewhere.example/v1?token=1")
    assert type(found) is AccountError
    assert "redirects to elsewhere.example, which" in str(found)


@pytest.mark.parametrize("address", ["http://[", "//[x", "", "http://", "\x80"])
def test_a_redirect_to_no_address_is_an_error(address: str) -> None:
    assert isinstance(error(302, Location=address), AccountError)


def test_a_redirect_on_the_same_host_does_not_name_none() -> None:
    assert "None" not in str(error(301, Location="/v2/plans"))


# The server's clock


def date_of(header: str | None) -> datetime:
    response = requests.Response()
    if header is not None:
        response.headers["Date"] = header
    return _date(response)


@pytest.mark.parametrize(
    ("header", "date"),
    [
        ("Sat, 21 Nov 2026 12:00:00 GMT", "2026-11-21T12:00:00+00:00"),
        ("Sat, 21 Nov 2026 12:00:00", "2026-11-21T12:00:00+00:00"),
        ("Sat, 21 Nov 2026 12:00:00 -0000", "2026-11-21T12:00:00+00:00"),
        ("Mon, 30 Nov 2026 20:00:00 -0500", "2026-12-01T01:00:00+00:00"),
        ("Fri, 01 Jan 2999 00:00:00 GMT", "2999-01-01T00:00:00+00:00"),
    ],
)
def test_the_date_is_that_of_the_server(header: str, date: str) -> None:
    assert date_of(header).isoformat() == date


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "soon", "0", ":", "Sat, 99 Nov 2026 12:00:00 GMT", "9" * 5000),
        *("Mon, 01 Jan 0001 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +1400"),
        *("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -1200"),
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Sat, 21 Nov 2026 12:00:00 +99999999",
    ],
)
def test_without_a_date_to_believe_it_is_ours(header: str | None) -> None:
    assert abs(date_of(header) - datetime.now(timezone.utc)) < timedelta(hours=1)


# Addresses of this machine


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.255.254:80", "[::1]", "[::1]:8080", "localhost:1", "LOCALHOST"]
)
def test_addresses_of_this_machine(host: str) -> None:
    assert is_loopback(f"http://{host}/v1")


@pytest.mark.parametrize(
    "host",
    [
        "api.ynab.com",
        "10.0.0.1",
        "0.0.0.0",  # noqa: S104 an address to tell apart
        "[fe80::1]",
        "128.0.0.1",
        "127.0.0.1.example",
        "localhost.example",
        "127.0.0.1@evil.example",
        "localhost:80@evil.example",
        "evil.example#@127.0.0.1",
        "evil.example?@127.0.0.1",
        "",
    ],
)
def test_addresses_of_other_machines(host: str) -> None:
    assert not is_loopback(f"http://{host}/v1")


def test_an_address_of_this_machine_is_one_to_requests_as_well() -> None:
    url = "http://evil.example\\@127.0.0.1/v1"
    connected = urlsplit(str(requests.Request("GET", url).prepare().url)).hostname
    assert is_loopback(url) == (connected == "127.0.0.1")
