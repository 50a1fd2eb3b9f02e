"""Faults: what can go wrong between YNAB and its clients, played on the connection.

A status (`429`, `500`, `502`, `503`, `504` or any other) has YNAB's error body, or `body` and
`content_type`; 502 and 504 come from the edge and are HTML. The other faults are the functions in
`FAULTS`; their parameters after `wire` are their options.
"""

from __future__ import annotations

import gzip
import inspect
import json
import select
import socket
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ynab_sandbox.body import GZIP, PIECE
from ynab_sandbox.errors import ApiError

if TYPE_CHECKING:
    import re
    import threading
    from collections.abc import Callable

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
#: How often a stalled response looks whether the server stops, in seconds.
TICK = 0.1
EDGE = {"502": "502 Bad Gateway", "504": "504 Gateway Time-out"}
#: The size of the chunks of a chunked response, in bytes.
CHUNK = 512


@dataclass
class Wire:
    """The connection on which a fault is played, with the body that it is to spoil."""

    connection: socket.socket
    stopping: threading.Event
    plain: bytes
    head: Callable[[int, dict[str, str]], None]

    def send(self, status: int, content: bytes, **headers: str) -> None:
        """Send a whole response; in names of headers, `_` stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.head(status, {"Content-Length": str(len(content)), **named})
        self.connection.sendall(content)


def status(  # noqa: PLR0913 - each is a part of a response
    wire: Wire,
    status: int,
    *,
    body: str | None = None,
    content_type: str = "application/json",
    retry_after: str | int | None = None,
    detail: str | None = None,
) -> None:
    """Respond with a status, by default with YNAB's error body."""
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    if body is None and str(status) in EDGE:
        body, content_type = HTML.format(EDGE[str(status)]), "text/html"
    if body is None:
        body = json.dumps(ApiError(str(status), detail).document())
    wire.send(status, body.encode(), Content_Type=content_type, **headers)


def refuse(_: Wire) -> None:
    """Close the connection without a response."""


def reset(wire: Wire, *, after: int | None = None) -> None:
    """Reset the connection before the headers, or after so many bytes of the body."""
    if after is not None:
        wire.head(200, {"Content-Length": str(len(wire.plain))})
        wire.connection.sendall(wire.plain[:after])
    # Without lingering, the end of the connection is a reset instead of an orderly close.
    wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(wire: Wire, *, at: str | float = 0.5, chunked: bool = False) -> None:
    """End the body too early: at a share of it, after its `first` or before its `last` byte."""
    size = len(wire.plain)
    end = {"first": 1, "last": size - 1}.get(str(at))
    part = wire.plain[: int(float(at) * size) if end is None else end]
    if not chunked:
        wire.head(200, {"Content-Length": str(size)})
        wire.connection.sendall(part)
        return
    wire.head(200, {"Transfer-Encoding": "chunked"})
    for start in range(0, len(part), CHUNK):
        chunk = part[start : start + CHUNK]
        wire.connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))


def half_json(wire: Wire) -> None:
    """Respond with half a document as if it were whole."""
    wire.send(200, wire.plain[: len(wire.plain) // 2])


def garbage(wire: Wire) -> None:
    """Respond with a document that has other bytes in the middle."""
    middle = len(wire.plain) // 2
    wire.send(200, wire.plain[:middle] + b"\x00<!--\xff-->" + wire.plain[middle:])


def html(wire: Wire, *, body: str = HTML.format("Down for maintenance")) -> None:
    """Respond with a web page and status 200."""
    wire.send(200, body.encode(), Content_Type="text/html")


def stall(wire: Wire) -> None:
    """Send the headers, then nothing until the client leaves or the server stops."""
    wire.head(200, {"Content-Length": str(len(wire.plain))})
    while not wire.stopping.is_set():
        if select.select([wire.connection], [], [], TICK)[0] and not wire.connection.recv(1):
            break


def bad_gzip(wire: Wire) -> None:
    """Respond with broken gzip."""
    packed = gzip.compress(wire.plain)
    middle = len(packed) // 2
    broken = packed[:middle] + b"\xff" * (len(packed) - middle)
    wire.send(200, broken, Content_Encoding="gzip")


def redirect(wire: Wire, *, location: str, status: int = 302) -> None:
    """Redirect the client to another address."""
    wire.send(status, b"", Location=location)


def bomb(wire: Wire, *, size: int = 1 << 30) -> None:
    """Respond with a little gzip that expands to a document of `size` bytes."""
    packer = zlib.compressobj(wbits=GZIP)
    packed = packer.compress(b'{"data":')
    for rest in range(size - len('{"data":{}}'), 0, -PIECE):
        packed += packer.compress(b" " * min(rest, PIECE))
    packed += packer.compress(b"{}}") + packer.flush()
    wire.send(200, packed, Content_Encoding="gzip")


def slow(wire: Wire, *, pieces: int = 10, pause: float = 0.1) -> None:
    """Respond with the right body in pieces, with a pause in seconds before each."""
    wire.head(200, {"Content-Length": str(len(wire.plain))})
    step = -(-len(wire.plain) // pieces)
    for start in range(0, len(wire.plain), step):
        if wire.stopping.wait(pause):
            break
        wire.connection.sendall(wire.plain[start : start + step])


_CONNECTION = (refuse, reset, cut, stall, slow)
_CONTENT = (status, half_json, garbage, html, bad_gzip, redirect, bomb)
FAULTS: dict[str, Callable[..., None]] = {
    play.__name__.replace("_", "-"): play for play in (*_CONNECTION, *_CONTENT)
}


@dataclass
class Fault:
    """A fault for the next `times` requests in whose path and query `path` is found."""

    name: str
    path: re.Pattern[str]
    times: int
    options: dict[str, object]

    def __post_init__(self) -> None:
        """Check name and options."""
        if self.name.isdigit():
            self.options = {"status": int(self.name), **self.options}
            self.name = "status"
        if self.name not in FAULTS:
            raise ValueError(f"{self.name} is neither a status nor one of {', '.join(FAULTS)}")
        try:
            inspect.signature(FAULTS[self.name]).bind(None, **self.options)
        except TypeError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def play(self, wire: Wire) -> None:
        """Play the fault on a connection, which is of no use afterwards."""
        FAULTS[self.name](wire, **self.options)
