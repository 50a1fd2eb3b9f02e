"""Gives up a response that drips: a timeout is that of one read, and each byte begins a new one.

Used by `client`. Holds for headers and body, chunked or packed, as all of them are read here.
"""

from __future__ import annotations

import io
import logging
import typing as t
from http.client import HTTPResponse
from time import monotonic

from requests.adapters import HTTPAdapter

if t.TYPE_CHECKING:
    from socket import SocketIO, socket

    from typing_extensions import Buffer
    from urllib3 import HTTPConnectionPool

#: Timeouts that a whole response may take.
TIMEOUTS = 10
#: Bytes to read at once.
BUFFER = 1 << 18

# Of odd headers it would log a traceback.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


class _Stream(io.RawIOBase):
    """The bytes of a connection, until a time."""

    def __init__(self, connection: SocketIO, end: float) -> None:
        self._connection = connection
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        if monotonic() > self._end:
            raise TimeoutError("timed out")
        return self._connection.readinto(buffer)

    def readall(self) -> bytes:
        # For a chunk of -1 bytes, which is no chunk.
        raise OSError("a read without an end")

    def close(self) -> None:
        self._connection.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            stream = _Stream(t.cast("SocketIO", self.fp.detach()), monotonic() + TIMEOUTS * timeout)
            self.fp = io.BufferedReader(stream, BUFFER)


class DeadlineAdapter(HTTPAdapter):
    """Requests of which each response has to be there after ten timeouts."""

    def get_connection_with_tls_context(self, *args: t.Any, **kwargs: t.Any) -> HTTPConnectionPool:
        """Return the connections to a host."""
        found = super().get_connection_with_tls_context(*args, **kwargs)
        pool = t.cast("HTTPConnectionPool", found)
        kind: t.Any = pool.ConnectionCls
        if kind.response_class is not _Response:
            pool.ConnectionCls = type(kind.__name__, (kind,), {"response_class": _Response})
        return pool
