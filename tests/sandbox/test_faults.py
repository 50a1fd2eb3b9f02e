"""Every fault as it arrives at the client, and the sound response after it."""

from __future__ import annotations

import json
import socket
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    import requests
    from ynab_sandbox import Sandbox

PATH = "/plans"


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10)


def raw(url: str, path: str = PATH) -> tuple[bytes, bytes, bool]:
    """Return head and body as they arrive, and whether the connection was reset."""
    received, was_reset = b"", False
    with closing(connect(url)) as wire:
        wire.sendall(
            f"GET /v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            "Authorization: Bearer sandbox-token\r\n\r\n".encode()
        )
        try:
            while part := wire.recv(65536):
                received += part
        except ConnectionResetError:
            was_reset = True
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body, was_reset


@pytest.fixture
def sound(sandbox: Sandbox) -> bytes:
    return b"".join(sandbox.answer(PATH, {}, "sandbox-token").body.plain())


@pytest.fixture(autouse=True)
def _sound_afterwards(url: str, sound: bytes) -> object:
    yield
    assert raw(url)[1] == sound


@pytest.mark.parametrize(
    ("status", "error_id"), [(429, "429"), (500, "500"), (503, "503"), (418, "418")]
)
def test_statuses(
    sandbox: Sandbox, url: str, session: requests.Session, status: int, error_id: str
) -> None:
    sandbox.fail(status, times=2)

    answers = [session.get(url + PATH, timeout=10) for _ in range(3)]

    assert [each.status_code for each in answers] == [status, status, 200]
    assert answers[0].json()["error"]["id"] == error_id
    assert "Retry-After" not in answers[0].headers
    assert [each.status for each in sandbox.requests] == [status, status, 200]


@pytest.mark.parametrize("status", [502, 504])
def test_the_edge_answers_html(
    sandbox: Sandbox, url: str, session: requests.Session, status: int
) -> None:
    sandbox.fail(status)

    answer = session.get(url + PATH, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert answer.text.startswith("<html>")


def test_retry_after_and_bodies_by_hand(
    sandbox: Sandbox, url: str, session: requests.Session
) -> None:
    sandbox.fail(429, retry_after=7)
    sandbox.fail("status", status=503, body="busy", content_type="text/plain")

    first, second = (session.get(url + PATH, timeout=10) for _ in range(2))

    assert first.headers["Retry-After"] == "7"
    assert first.json() == {
        "error": {"id": "429", "name": "too_many_requests", "detail": "Too many requests"}
    }
    assert (second.status_code, second.text) == (503, "busy")


def test_only_matching_paths_fail(sandbox: Sandbox, url: str, session: requests.Session) -> None:
    sandbox.fail(500, path="/payees")
    budget = f"{url}/plans/{sandbox.budgets[0].id}"

    assert session.get(f"{budget}/accounts", timeout=10).status_code == 200
    assert session.get(f"{budget}/payees", timeout=10).status_code == 500


def test_refuse(sandbox: Sandbox, url: str) -> None:
    sandbox.fail("refuse")

    assert raw(url) == (b"", b"", False)
    assert sandbox.requests[0].status == 0


def test_reset(sandbox: Sandbox, url: str, sound: bytes) -> None:
    sandbox.fail("reset")
    sandbox.fail("reset", after=10)

    assert raw(url)[1:] == (b"", True)
    _, body, was_reset = raw(url)
    assert was_reset
    assert sound.startswith(body)
    assert len(body) <= 10


@pytest.mark.parametrize("at", ["first", "last", 0.25, 0])
def test_cut(sandbox: Sandbox, url: str, sound: bytes, at: str | float) -> None:
    length = {"first": 1, "last": len(sound) - 1, 0.25: len(sound) // 4, 0: 0}[at]
    sandbox.fail("cut", at=at)
    sandbox.fail("cut", at=at, chunked=True)

    head, body, _ = raw(url)
    chunked_head, chunked, _ = raw(url)

    assert f"Content-Length: {len(sound)}".encode() in head
    assert body == sound[:length]
    assert b"Transfer-Encoding: chunked" in chunked_head
    assert not chunked.endswith(b"0\r\n\r\n")


def test_wrong_bodies(sandbox: Sandbox, url: str, sound: bytes) -> None:
    for fault in ("half-json", "html", "garbage"):
        sandbox.fail(fault)
        head, body, _ = raw(url)
        assert head.startswith(b"HTTP/1.1 200")
        assert f"Content-Length: {len(body)}".encode() in head
        with pytest.raises(ValueError, match=r"."):
            json.loads(body)
        assert body != sound


def test_bad_gzip(sandbox: Sandbox, url: str) -> None:
    sandbox.fail("bad-gzip")

    head, body, _ = raw(url)

    assert b"Content-Encoding: gzip" in head
    with pytest.raises(zlib.error):
        zlib.decompress(body, wbits=31)


def test_redirect(sandbox: Sandbox, url: str) -> None:
    sandbox.fail("redirect", location="http://198.51.100.1/steal")

    head, _, _ = raw(url)

    assert head.startswith(b"HTTP/1.1 302")
    assert b"Location: http://198.51.100.1/steal" in head


def test_bomb(sandbox: Sandbox, url: str) -> None:
    sandbox.fail("bomb", size=5_000_000)

    _, body, _ = raw(url)

    assert len(body) < 50_000
    document = zlib.decompress(body, wbits=31)
    assert len(document) == 5_000_000
    assert json.loads(document) == {"data": {}}


def test_slow_is_right_in_the_end(sandbox: Sandbox, url: str, sound: bytes) -> None:
    sandbox.fail("slow", pieces=5, pause=0.001)

    assert raw(url)[1] == sound


def test_stall_lasts_until_the_client_goes(sandbox: Sandbox, url: str) -> None:
    sandbox.fail("stall")
    with closing(connect(url)) as wire:
        wire.sendall(
            b"GET /v1/plans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-token\r\n\r\n"
        )
        assert wire.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("fault", "options"),
    [("explode", {}), ("cut", {"where": 1}), ("redirect", {}), ("429", {"after": 1})],
)
def test_wrong_faults_are_refused_at_once(
    sandbox: Sandbox, fault: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=fault if fault != "429" else "status"):
        sandbox.fail(fault, **options)
