"""The token goes to https or to this machine, and no message repeats a setting's value."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import pytest
import requests
from singer_sdk.exceptions import ConfigValidationError
from tap_ynab.client import is_loopback
from tap_ynab.tap import TapYNAB

SECRET = "s3cr3t-t0ken-of-mine"  # noqa: S105 the one that must not show up

#: Addresses of which parsers have disagreed, mostly from Orange Tsai, "A New Era of SSRF" (2017),
#: and Claroty and Snyk, "Exploiting URL Parsing Confusion" (2022).
CONFUSING = [
    # Credentials: who is the host?
    "http://127.0.0.1@evil.test",
    "http://localhost@evil.test",
    "http://127.0.0.1:80@evil.test",
    "http://127.0.0.1:80@evil.test:80",
    "http://127.0.0.1:80:80@evil.test",
    "http://evil.test@127.0.0.1",
    "http://evil.test:80@127.0.0.1:80/",
    "http://a@127.0.0.1@evil.test",
    "http://foo@evil.test:80@127.0.0.1/",
    "http://foo@127.0.0.1 @evil.test/",
    "http://127.0.0.1%40evil.test",
    "http://evil.test%40127.0.0.1",
    "http://@127.0.0.1",
    "http://:@127.0.0.1",
    # Fragments and queries
    "http://evil.test#@127.0.0.1",
    "http://evil.test?@127.0.0.1",
    "http://evil.test#@127.0.0.1/",
    "http://127.0.0.1#@evil.test",
    "http://127.0.0.1?@evil.test",
    "http://127.0.0.1#.evil.test",
    "http://127.0.0.1;.evil.test",
    "http://127.0.0.1:80#@evil.test:80/",
    "http://evil.test%23@127.0.0.1",
    "http://evil.test%3F@127.0.0.1",
    "http://127.0.0.1/v1?a=b",
    "http://127.0.0.1/v1#a",
    # Backslashes and slashes
    "http://evil.test\\@127.0.0.1",
    "http://127.0.0.1\\@evil.test",
    "http://127.0.0.1\\.evil.test",
    "http://evil.test\\127.0.0.1",
    "http:\\\\127.0.0.1",
    "http:/\\127.0.0.1",
    "http:///evil.test",
    "http:///127.0.0.1",
    "http:////127.0.0.1",
    "http:/127.0.0.1",
    "http:127.0.0.1",
    "http:evil.test",
    "http:///127.0.0.1@evil.test",
    "http://evil.test/@127.0.0.1",
    "http://evil.test:80\\@127.0.0.1",
    "http://evil.test%5C@127.0.0.1",
    "http://evil.test%2F@127.0.0.1",
    "http://127.0.0.1%2F.evil.test",
    # No scheme, or another one
    "//127.0.0.1",
    "//evil.test",
    "127.0.0.1",
    "localhost:80",
    "://127.0.0.1",
    "http//127.0.0.1",
    "http",
    "http:",
    "http://",
    "http+unix://127.0.0.1",
    "file:///etc/passwd",
    "ftp://127.0.0.1",
    "javascript:127.0.0.1",
    "httpss://evil.test",
    # Other ways to write an address
    "http://127.1",
    "http://127.0.1",
    "http://0x7f.1",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://017700000001",
    "http://2130706433",
    "http://127.0.0.1.",
    "http://127.000.000.001",
    "http://0",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::1]",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::ffff:8.8.8.8]",
    "http://[::127.0.0.1]",
    "http://[64:ff9b::7f00:1]",
    "http://[::1%25eth0]",
    "http://[::1%eth0]",
    "http://[fe80::1%25lo]",
    "http://[::1].evil.test",
    "http://[::1]evil.test",
    "http://[::1@evil.test]",
    "http://evil.test[::1]",
    "http://[127.0.0.1]",
    "http://[localhost]",
    "http://[evil.test]",
    "http://[::1",
    "http://::1",
    "http://::1]",
    "http://[]",
    # Names that look like it
    "http://127.0.0.1.evil.test",
    "http://localhost.evil.test",
    "http://127.0.0.1.nip.io",
    "http://localhost.",
    "http://localhost..",
    "http://.localhost",
    "http://LOCALHOST",
    "http://LocalHost/v1",
    "http://ip6-localhost",
    "http://localhost.localdomain",
    "http://127.0.0.1-evil.test",
    # White space and control characters
    "http://127.0.0.1\t.evil.test",
    "http://evil.test\t@127.0.0.1",
    "http://127.0.0.1\n.evil.test",
    "http://127.0.0.1\r\nHost: evil.test",
    "http://127.0.0.1 .evil.test",
    "http://127.0.0.1 evil.test",
    "http://evil.test \x00@127.0.0.1",
    "ht\ntp://127.0.0.1",
    " http://127.0.0.1",
    "\x01http://127.0.0.1",
    "http://127.0.0.1\n",
    "http://127.0.0.1/\n",
    "http:// 127.0.0.1",
    "http://evil.test%00@127.0.0.1",
    "http://127.0.0.1%00.evil.test",
    "http://127.0.0.1%0d%0aevil.test",
    "http://127.0.0.1\x00.evil.test",
    "http://127.0.0.1\x0b.evil.test",
    "http://127.0.0.1\xa0.evil.test",
    "http://127.0.0.1\ufeff.evil.test",
    # Unicode
    "http://127\u30020\u30020\u30021",
    "http://127\uff0e0\uff0e0\uff0e1",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://\u2460\u2461\u2466.0.0.1",
    "http://\u24dbocalhost",
    "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54",
    "http://localho\u017ft",
    "http://127.0.0.1\uff0f.evil.test",
    "http://127.0.0.1\u2100.evil.test",
    "http://evil.test\uff03@127.0.0.1",
    "http://evil.test\uff0f@127.0.0.1",
    "http://evil.test\uff20127.0.0.1",
    "http://\u200b127.0.0.1",
    "http://\u202e127.0.0.1",
    "http://[::\uff11]",
    # Percent-encoding
    "http://%31%32%37.0.0.1",
    "http://127%2e0%2e0%2e1",
    "http://%6c%6f%63alhost",
    "http://127.0.0.1%2eevil.test",
    "http://%65vil.test",
    # Ports
    "http://127.0.0.1:",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:-1",
    "http://127.0.0.1:+80",
    "http://127.0.0.1:\uff180",
    "http://127.0.0.1:80:80",
    "http://127.0.0.1:80a",
    "http://127.0.0.1: 80",
    "http://127.0.0.1:evil.test",
    "http://evil.test:127.0.0.1",
    "http://127.0.0.1:00000000000000080",
    "http://127.0.0.1:80.evil.test",
    # Letter case
    "HTTP://127.0.0.1",
    "HTTP://evil.test",
    "hTtP://api.ynab.com/v1",
    # Other hosts
    "http://api.ynab.com/v1",
    "http://192.168.1.1",
    "http://169.254.169.254",
    "http://*",
    "http://*.127.0.0.1",
    "http://-",
    "http://" + "a" * 300,
]
ACCEPTED = [
    "http://127.0.0.1",
    "http://127.0.0.1:8080/v1",
    "http://127.1.2.3/v1/",
    "http://localhost:8080",
    "http://LOCALHOST/v1",
    "http://[::1]:8080/v1",
    "HTTP://127.0.0.1",
    "https://api.ynab.com/v1",
    "https://api.ynab.com:443/v1",
    "https://192.168.1.1/a/b-c_d.e~f%20g",
    "HTTPS://API.YNAB.COM/V1",
]
REFUSED = [
    "https://",
    "https:///v1",
    "https:api.ynab.com",
    "https://api.ynab.com:",
    "https://api.ynab.com:65536",
    "https://.",
    "https://api..ynab.com",
    "https://-\u200b",
    f"https://{SECRET}@api.ynab.com/v1",
    f"https://user:{SECRET}@api.ynab.com/v1",
    f"https://api.ynab.com/v1?token={SECRET}",
    f"https://api.ynab.com/v1#{SECRET}",
    f"https://api.ynab.com/v1 {SECRET}",
    f"http://127.0.0.1:80/v1/\\{SECRET}",
    f"http://user:{SECRET}@127.0.0.1/v1",
    SECRET,
    "",
]


class ReachedError(Exception):
    """The host to which a request is about to connect."""


@pytest.fixture
def unconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the HTTP client connect to nothing, and name the host."""

    def connect(address: tuple[str, int], *_: object, **__: object) -> None:
        raise ReachedError(address[0])

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)


def mistakes(**config: object) -> list[str]:
    """What the tap says about its settings; nothing if they are right."""
    try:
        TapYNAB(config={"access_token": SECRET, **config})
    except ConfigValidationError as error:
        return error.errors
    return []


def is_here(url: str) -> bool:
    """Whether the HTTP client itself, given an address, connects to this machine or to nothing."""
    session = requests.Session()
    session.trust_env = False
    try:
        session.get(url + "/plans")
    except ReachedError as reached:
        with suppress(ValueError):
            return ip_address(str(reached)).is_loopback
        return str(reached) == "localhost"
    except requests.RequestException:
        return True
    raise AssertionError


@pytest.mark.usefixtures("unconnected")
@pytest.mark.parametrize("url", [*CONFUSING, *ACCEPTED], ids=ascii)
def test_plain_http_goes_to_this_machine_or_nowhere(url: str) -> None:
    lines = mistakes(api_url=url)
    if lines or url.lower().startswith("https:"):
        return
    assert is_here(url)
    assert is_loopback(url)


@pytest.mark.usefixtures("unconnected")
@pytest.mark.parametrize("url", CONFUSING, ids=ascii)
def test_what_is_taken_for_this_machine_is_this_machine(url: str) -> None:
    """Also of an address that the settings refuse: it decides about proxies."""
    assert is_here(url) or not is_loopback(url)


@pytest.mark.parametrize("url", ACCEPTED)
def test_a_plain_address_is_accepted(url: str) -> None:
    assert mistakes(api_url=url) == []


@pytest.mark.parametrize("url", [*REFUSED, *CONFUSING], ids=ascii)
def test_a_refused_address_is_not_repeated(url: str) -> None:
    if url in REFUSED:
        assert mistakes(api_url=url)
    for line in mistakes(api_url=url):
        assert line.startswith("api_url must ")
        assert "https://" in line
        assert "evil" not in line
        assert SECRET not in line


@pytest.mark.parametrize(
    ("token", "hint"),
    [
        (f"Bearer {SECRET}", "Bearer"),
        (f"bearer\t{SECRET}\n", "Bearer"),
        (f'"{SECRET}"', "quotes"),
        (f"'{SECRET}'", "quotes"),
        (f"\u201c{SECRET}\u201d", "quotes"),
        (f"\u2018{SECRET}\u2019", "quotes"),
        (f"\u00ab{SECRET}\u00bb", "quotes"),
        (f"`{SECRET}`", "quotes"),
        (f"{SECRET}\u201d", "quotes"),
        (f'"Bearer {SECRET}"', "quotes"),
        (f"{SECRET} ", None),
        (f"\u2026{SECRET}", "not a token"),
        (f"{SECRET} {SECRET}", "not a token"),
    ],
)
def test_a_token_with_more_around_it(token: str, hint: str | None) -> None:
    lines = mistakes(access_token=token)
    assert len(lines) == (hint is not None)
    for line in lines:
        assert str(hint) in line
        assert SECRET not in line


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("since_date", "since_date must be a date such as 2015-01-31"),
        ("request_timeout", "request_timeout must be a whole number from 1 to 86400"),
        ("max_retry_time", "max_retry_time must be a whole number from 0 to 86400"),
        ("requests_per_hour", "requests_per_hour must be a whole number, at least 1"),
        ("wait_for_limit", "wait_for_limit must be true or false"),
        ("use_export", "use_export must be true or false"),
        ("stream_maps", "stream_maps must be an object as `tap-ynab --about` describes it"),
        ("batch_config", "batch_config must be an object as `tap-ynab --about` describes it"),
        ("flattening_enabled", "flattening_enabled must be true or false"),
    ],
)
def test_a_token_in_the_place_of_another_setting_is_not_repeated(name: str, wanted: str) -> None:
    assert mistakes(**{name: SECRET}) == [wanted]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request_timeout", 0),
        ("request_timeout", 10**400),
        ("request_timeout", 1e300),
        ("request_timeout", float("nan")),
        ("request_timeout", float("inf")),
        ("request_timeout", True),
        ("max_retry_time", -1),
        ("max_retry_time", 10**30),
        ("requests_per_hour", 1.5),
        ("budget_ids", [5]),
        ("budget_ids", [None]),
        ("user_agent", "two\nlines"),
        ("user_agent", "\u263a"),
        ("user_agent", 5),
    ],
)
def test_a_value_that_would_fail_later_is_refused_at_once(name: str, value: object) -> None:
    [line] = mistakes(**{name: value})
    assert line.startswith(f"{name} must be ")


def test_a_setting_that_is_null_is_not_set() -> None:
    names = [*TapYNAB.config_jsonschema["properties"]]
    empty = dict.fromkeys(names) | {"access_token": SECRET}
    tap = TapYNAB(config=empty)
    assert tap.config["request_timeout"] == 90
    assert tap.config["api_url"] == "https://api.ynab.com/v1"
