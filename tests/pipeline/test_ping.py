"""Pings of a health-check service whose answer is not as it should be."""

from __future__ import annotations

from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest
from ynab_pipeline.ping import PING, ping

SECRET = "ahW4phei"  # noqa: S105 -- opens nothing


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (f"404 No check at /{SECRET} \x1b[31m", "404 Not Found"),
        (f"799 /{SECRET}", "799"),
        (f"302 Found\r\nLocation: file:///{SECRET}", "302 Found"),
    ],
)
def test_the_reason_of_the_server_is_not_logged(
    capfd: pytest.CaptureFixture[str], status: str, words: str
) -> None:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        ping({PING: f"http://127.0.0.1:{server.server_address[1]}/{SECRET}"}, has_failed=False)
        thread.join()
    assert capfd.readouterr().err == f"{PING} got no ping: {words}\n"
