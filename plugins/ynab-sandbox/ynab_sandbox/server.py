"""The HTTP server: the API under `/v1`, operations for a person under `/sandbox`."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from ynab_sandbox import operations
from ynab_sandbox.body import Body, of_document
from ynab_sandbox.errors import ApiError
from ynab_sandbox.faults import Wire
from ynab_sandbox.sandbox import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ynab_sandbox.faults import Fault
    from ynab_sandbox.sandbox import Answer, Sandbox

LOOPBACK = "127.0.0.1"
LOCAL_NAMES = {LOOPBACK, "localhost"}
API = "/v1"
ADMIN = "/sandbox/"
#: The longest document that an operation takes, in bytes.
LONGEST = 1 << 24


class Server(ThreadingHTTPServer):
    """Serves one sandbox; stopping it ends every connection."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, port: int, save: Callable[[], None]) -> None:
        """Binds the port.

        Args:
            sandbox: what is served.
            port: the port, 0 for a free one.
            save: called after each operation.
        """
        self.sandbox = sandbox
        self.save = save
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), Handler)

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{LOOPBACK}:{self.server_address[1]}{API}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection, so that stopping can end it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection and closes it."""
        self._connections.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            # To be reset: an orderly end must not come before that.
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing when a client went away; anything else is a mistake to be seen."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Ends all connections and waits until nothing runs any more."""
        self.stopping.set()
        self.shutdown()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def version_string(self) -> str:
        """The `Server` header."""
        return "ynab-sandbox"

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - as inherited
        """The `Date` header, by the sandbox's clock."""
        return format_datetime(self.server.sandbox.clock.now(), usegmt=True)

    def log_message(self, *_: object) -> None:
        """Logs nothing: the sandbox records its requests itself."""

    def do_GET(self) -> None:
        """Answers a GET."""
        url = urlsplit(self.path)
        if url.path.startswith(f"{API}/"):
            self._api(url.path, dict(parse_qsl(url.query, keep_blank_values=True)))
        else:
            self._operate(url.path, None)

    def do_POST(self) -> None:
        """Carries out an operation; the API itself only reads."""
        if self.path.startswith(ADMIN):
            self._operate(self.path, self._document())
        else:
            self._refuse_method()

    def _refuse_method(self) -> None:
        self._document()  # else closing would reset the connection before the answer is read
        self.close_connection = True
        self._send(405, of_document(ApiError("405").body()), {"Allow": "GET"})

    do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _refuse_method  # noqa: N815 - as inherited

    def _api(self, path: str, query: dict[str, str]) -> None:
        sandbox = self.server.sandbox
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers={
                name.lower(): value
                for name, value in self.headers.items()
                if name.lower() != "authorization"
            },
            at=sandbox.clock.stamp(),
        )
        with sandbox.lock:
            sandbox.requests.append(request)
            fault = sandbox.next_fault(self.path)
        answer = sandbox.answer(
            path.removeprefix(API), query, token.strip() if scheme == "Bearer" else None
        )
        request.status = answer.status
        if fault:
            self._play(fault, request, answer)
        else:
            self._send(answer.status, answer.body, answer.headers)

    def _play(self, fault: Fault, request: Request, answer: Answer) -> None:
        self.close_connection = True
        plain = b"".join(answer.body.plain())
        request.fault, request.status = fault.name, 0

        def head(status: int, headers: dict[str, str]) -> None:
            request.status = status
            self._head(status, headers)

        fault.play(Wire(self.connection, self.server.stopping, plain, head))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, status: int, body: Body, headers: dict[str, str]) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            packed = {"Content-Encoding": "gzip", "Content-Length": str(len(body.packed))}
            self._head(status, {**headers, **packed, "Vary": "Accept-Encoding"})
            self._write(body.packed)
            return
        self._head(status, {**headers, "Content-Length": str(body.size)})
        for piece in body.plain():
            self._write(piece)

    def _write(self, content: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(content)

    def _document(self) -> object:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LONGEST:
            self.close_connection = True
            return None
        try:
            return json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            return None

    def _operate(self, path: str, document: object) -> None:
        # A web page that a browser shows can reach this port: it cannot send this content type
        # without asking, and it does not come under a local name.
        host = self.headers.get("Host", "").rpartition(":")[0]
        json_sent = self.headers.get_content_type() == "application/json"
        if host not in LOCAL_NAMES or (document is not None and not json_sent):
            answer = ApiError("403.3", "operations are for this computer, as application/json")
            self._send(403, of_document(answer.body()), {})
            return
        sandbox, name = self.server.sandbox, path.removeprefix(ADMIN)
        try:
            result = operations.carry_out(sandbox, name, self.command, document)
        except ApiError as error:
            self._send(error.status, of_document(error.body()), {})
            return
        if self.command == "POST" and name not in operations.LASTS_NOT:
            self.server.save()
        self._send(200, of_document({"data": result}), {})


@contextlib.contextmanager
def serve(
    sandbox: Sandbox, port: int = 0, save: Callable[[], None] = lambda: None
) -> Iterator[str]:
    """Serves a sandbox on this computer while the context lasts.

    Args:
        sandbox: what is served; it may be read and changed meanwhile.
        port: the port, 0 for a free one.
        save: called after each operation that came over HTTP.

    Yields:
        The API's address, `http://127.0.0.1:PORT/v1`.

    Raises:
        OSError: the port is taken.
    """
    server = Server(sandbox, port, save)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()
