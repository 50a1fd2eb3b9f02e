"""Ports of this machine."""

from __future__ import annotations

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """A port that is free, and below those that the system gives to clients and to port 0."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 no secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
