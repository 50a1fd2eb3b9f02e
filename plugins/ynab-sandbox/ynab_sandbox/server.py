"""The HTTP server: the API below `/v1`, operations below `/sandbox`."""

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

from ynab_sandbox.body import Body, of_document
from ynab_sandbox.errors import ApiError
from ynab_sandbox.faults import Wire
from ynab_sandbox.operations import OPERATIONS, carry_out
from ynab_sandbox.sandbox import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ynab_sandbox.faults import Fault
    from ynab_sandbox.sandbox import Answer, Sandbox

LOOPBACK = "127.0.0.1"
LOCAL_NAMES = {LOOPBACK, "localhost"}
API = "/v1"
OPERATE = "/sandbox/"
#: The longest document for an operation, in bytes.
LONGEST = 1 << 24


class Server(ThreadingHTTPServer):
    """Serves one sandbox; the end of it is the end of every connection."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, port: int, save: Callable[[], None]) -> None:
        """Listen."""
        self.sandbox = sandbox
        self.save = save
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `stop` can end it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection."""
        self._connections.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            # A connection that is to be reset must not be shut down in order before.
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent if the client is gone; print any other error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End all connections, and wait for their threads."""
        self.stopping.set()
        self.shutdown()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def version_string(self) -> str:
        """Return the header `Server`."""
        return "ynab-sandbox"

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - as inherited
        """Return the header `Date`, by the sandbox's clock."""
        return format_datetime(self.server.sandbox.clock.now(), usegmt=True)

    def log_message(self, *_: object) -> None:
        """Log nothing: the sandbox records its requests."""

    def do_GET(self) -> None:
        """Respond to a GET."""
        url = urlsplit(self.path)
        if url.path.startswith(f"{API}/"):
            self._api(url.path, dict(parse_qsl(url.query, keep_blank_values=True)))
        else:
            self._operate(url.path)

    def do_POST(self) -> None:
        """Carry out an operation; the API itself only reads."""
        if self.path.startswith(OPERATE):
            self._operate(self.path)
        else:
            self._refuse_method()

    def _refuse_method(self) -> None:
        self._document()  # unread, it would make the end of the connection a reset
        self.close_connection = True
        self._send(405, of_document(ApiError("405").document()), {"Allow": "GET"})

    do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _refuse_method  # noqa: N815 - as inherited

    def _api(self, path: str, query: dict[str, str]) -> None:
        sandbox = self.server.sandbox
        headers = {name.lower(): value for name, value in self.headers.items()}
        scheme, _, token = headers.pop("authorization", "").partition(" ")
        request = Request(self.command, path, query, headers, at=sandbox.clock.timestamp())
        fault = sandbox.record(request, self.path)
        given = token.strip() if scheme == "Bearer" else None
        answer = sandbox.answer(path.removeprefix(API), query, given)
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
            pieces = iter([body.packed])
        else:
            self._head(status, {**headers, "Content-Length": str(body.size)})
            pieces = body.plain()
        if self.command != "HEAD":
            self.wfile.writelines(pieces)

    def _document(self) -> object:
        """Return the JSON that was sent; None if it is none."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LONGEST:
            self.close_connection = True
            return None
        try:
            return json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            return None

    def _operate(self, path: str) -> None:
        document = self._document()
        name = path.removeprefix(OPERATE)
        reads = name in OPERATIONS and OPERATIONS[name].reads
        try:
            self._check_origin()
            allowed = name if reads or self.command == "POST" else path
            result = carry_out(self.server.sandbox, allowed, document)
        except ApiError as error:
            self._send(error.status, of_document(error.document()), {})
            return
        if not reads:
            self.server.save()
        self._send(200, of_document({"data": result}), {})

    def _check_origin(self) -> None:
        """Refuse web pages: they cannot send JSON unasked, and have no local name."""
        host = self.headers.get("Host", "").rpartition(":")[0]
        is_json = self.headers.get_content_type() == "application/json"
        if host not in LOCAL_NAMES or (self.command == "POST" and not is_json):
            raise ApiError("403.3", "operations are for this computer, as application/json")


@contextlib.contextmanager
def serve(
    sandbox: Sandbox, port: int = 0, save: Callable[[], None] = lambda: None
) -> Iterator[str]:
    """Serve a sandbox on this computer while the context lasts, and yield the URL of the API."""
    server = Server(sandbox, port, save)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}{API}"
    finally:
        server.stop()
        thread.join()
