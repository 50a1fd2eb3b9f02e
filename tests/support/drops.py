"""The sandbox behind a server that sends its answers drop by drop."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox import Sandbox

DROP = 2


class Handler(BaseHTTPRequestHandler):
    """Answers as the sandbox does, but in chunks of two bytes."""

    protocol_version = "HTTP/1.1"
    sandbox: Sandbox

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        """Answer."""
        url = urlsplit(self.path)
        token = self.headers["Authorization"].removeprefix("Bearer ")
        query = dict(parse_qsl(url.query))
        answer = self.sandbox.answer(url.path.removeprefix("/v1"), query, token)
        self.close_connection = True
        self.send_response(answer.status)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        body = b"".join(answer.body.plain())
        drops = (body[start : start + DROP] for start in range(0, len(body), DROP))
        self.wfile.write(b"".join(b"%x\r\n%b\r\n" % (len(drop), drop) for drop in drops))
        self.wfile.write(b"0\r\n\r\n")


@contextlib.contextmanager
def serve_in_drops(sandbox: Sandbox) -> Iterator[str]:
    """Where it answers, while the context lasts."""
    handler = type("Bound", (Handler,), {"sandbox": sandbox})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
