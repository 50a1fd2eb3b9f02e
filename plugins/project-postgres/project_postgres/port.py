"""The TCP port of the loopback interface that the server listens on."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from project_postgres import files

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
_ANY = 0
# The first message of PostgreSQL's protocol that needs no user: "do you speak TLS?"
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def choose(path: Path) -> int:
    """Return the remembered port if it is free, else a free one, which is then remembered.

    Args:
        path: The file that holds it.
    """
    remembered = _remembered(path)
    if remembered != _ANY and free(remembered):
        return remembered
    port = _bind(_ANY)
    files.write(path, f"{port}\n")
    return port


def free(port: int) -> bool:
    """Tell whether a server could listen on a port."""
    try:
        _bind(port)
    except OSError:
        return False
    return True


def answers(port: int) -> bool:
    """Tell whether a PostgreSQL server without TLS, such as this one, answers on a port."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) == b"N"
    except OSError:
        return False


def _remembered(path: Path) -> int:
    try:
        port = int(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return _ANY
    return port if port in range(1 << 16) else _ANY


def _bind(port: int) -> int:
    with socket.socket() as listener:
        # As PostgreSQL does: connections of an earlier run that linger do not make a port taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        bound: int = listener.getsockname()[1]
    return bound
