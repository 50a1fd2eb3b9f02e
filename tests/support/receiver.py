"""A server of this machine that notes the requests it gets, such as notifications and pings."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Receiver:
    """The server and its requests."""

    port: int = 0
    #: What it answers.
    status: int = 200
    #: Set when it may answer.
    may_answer: Event = field(default_factory=Event)
    #: Set with each request.
    received: Event = field(default_factory=Event)
    #: Method, path and body of each request.
    requests: list[tuple[str, str, Any]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def notify(self, path: str) -> str:
        """A URL of Apprise."""
        return f"json://127.0.0.1:{self.port}/{path}"

    @property
    def messages(self) -> list[str]:
        """Title and text of each notification."""
        return [f"{body['title']}\n{body['message']}" for _, _, body in self.requests if body]

    @property
    def pings(self) -> list[str]:
        return [path for method, path, _ in self.requests if method == "GET"]


@contextmanager
def receive() -> Iterator[Receiver]:
    """Receive requests until the end of the block."""
    receiver = Receiver()
    receiver.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            status = receiver.status
            receiver.requests.append((self.command, self.path, body))
            receiver.received.set()
            receiver.may_answer.wait()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Nobody reads the answer any more."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield receiver
        finally:
            receiver.may_answer.set()
            server.shutdown()
            thread.join()
