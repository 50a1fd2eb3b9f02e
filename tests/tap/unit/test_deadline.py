"""A response that drips, so that no read of it is too late, is given up after ten timeouts."""

from __future__ import annotations

import gzip
import socket
import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from tap_ynab.client import YNABClient
from tap_ynab.errors import AccountError, BadRequestError, TransientError
from tap_ynab.rate_limit import HourlyLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT = 0.05
BODY = b'{"data": {"payees": [{"id": "p1"}], "server_knowledge": 7}}'
PACKED = gzip.compress(BODY)
SIZE = len(BODY)


@contextmanager
def client(send: Callable[[socket.socket, threading.Event], None]) -> Iterator[YNABClient]:
    """A client of a server that sends something on each connection."""
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                try:
                    send(connection, stopping)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield YNABClient(
                api_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
                access_token="token-of-mine",  # noqa: S106 opens nothing
                request_timeout=TIMEOUT,
                max_retry_time=0,
                limit=HourlyLimit(10, waits=False, sent={}, before_wait=lambda: None),
            )
        finally:
            stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def send(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(head)
        while not stopping.wait(TIMEOUT / 5):
            connection.sendall(drop)

    return send


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status line": (b"", b"H"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "header": (OK, b"x"),
    "headers": (OK, b"a: b\r\n"),
    "body": (OK + b"\r\n", b" "),
    "body of known length": (OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "body of an error": (b"HTTP/1.1 500 Error\r\n\r\n", b" "),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n", b" "),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    "gzip": (OK + b"Content-Encoding: gzip\r\n\r\n" + PACKED[:12], b"\x00"),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_what_drips_is_given_up(drip: str) -> None:
    with client(dripping(*DRIPS[drip])) as ynab:
        begin = monotonic()
        with pytest.raises(TransientError, match=r"^/payees: "):
            ynab.get("/plans/b1/payees")
        assert monotonic() - begin < 60 * TIMEOUT


def test_what_is_slower_than_a_timeout_but_comes_arrives() -> None:
    def send(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(
            OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED)
        )
        for at in range(0, len(PACKED), 16):
            stopping.wait(TIMEOUT / 2)
            connection.sendall(PACKED[at : at + 16])

    with client(send) as ynab:
        response = ynab.get("/plans/b1/payees")
        assert list(response.rows("payees")) == [{"id": "p1"}]
        response.close()


def test_an_error_does_not_quote_the_token() -> None:
    def send(connection: socket.socket, _: threading.Event) -> None:
        body = b'{"error": {"id": "400", "detail": "no Bearer token-of-mine here"}}'
        connection.sendall(b"HTTP/1.1 400 token-of-mine\r\nConnection: close\r\n\r\n" + body)

    with client(send) as ynab, pytest.raises(BadRequestError, match=r"no Bearer \(token\) here"):
        ynab.get("/plans/b1/payees")


def test_a_redirect_is_not_read() -> None:
    """Its body could be endless."""
    head = b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\n\r\n"
    with client(dripping(head + b" " * (1 << 17), b" ")) as ynab:
        begin = monotonic()
        with pytest.raises(AccountError, match="redirects to other"):
            ynab.get("/plans/b1/payees")
        assert monotonic() - begin < 10 * TIMEOUT


HEADERS = {
    "no colon": b"nonsense\r\n",
    "no name": b": x\r\n",
    "space": b" \r\nx y: z\r\n",
    "binary": b"X-\xff\x00: \xfe\xff\r\n",
    "cookie": b'Set-Cookie: a="; expires=never; max-age=\xff; version=x\r\nSet-Cookie: =\r\n',
    "encoding": b"Content-Type: application/json; charset=nonsense\r\n",
    "unknown coding": b"Content-Encoding: nonsense\r\n",
    "date": b"Date: nonsense\r\n",
    "length": b"Content-Length: nonsense\r\n",
    "negative length": b"Content-Length: -5\r\n",
    "endless length": b"Content-Length: " + b"9" * 5000 + b"\r\n",
    "long": b"X-Long: " + b"x" * 60_000 + b"\r\n",
}


@pytest.mark.parametrize("header", HEADERS)
def test_odd_headers_do_no_harm(header: str, caplog: pytest.LogCaptureFixture) -> None:
    def send(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(OK + HEADERS[header] + b"Connection: close\r\n\r\n" + BODY)

    with client(send) as ynab:
        response = ynab.get("/plans/b1/payees")
        assert list(response.rows("payees")) == [{"id": "p1"}]
        response.close()
    assert not caplog.records


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"X-Long: " + b"x" * 70_000 + b"\r\n",
        b"a: b\r\n" * 101,
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: " + b"gzip, " * 50 + b"gzip\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
    ],
)
def test_headers_that_the_body_belies_are_an_error(
    headers: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def send(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(OK + headers + b"Connection: close\r\n\r\n" + BODY)

    with client(send) as ynab, pytest.raises(TransientError, match=r"^/payees: "):
        ynab.get("/plans/b1/payees")
    assert not caplog.records


@pytest.mark.parametrize("size", [b"-1", b"-5", b"f" * 500, b"-" + b"f" * 500, b"x", b"", b" 1_0"])
def test_a_chunk_of_no_length_is_an_error(size: bytes) -> None:
    def send(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\n" + BODY)
        stopping.wait(TIMEOUT * 2)

    with client(send) as ynab, pytest.raises(TransientError, match=r"^/payees: "):
        ynab.get("/plans/b1/payees")
