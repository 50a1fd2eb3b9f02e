"""Clients give the password to nobody who cannot prove to be the server."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from project_postgres.programs import program

if TYPE_CHECKING:
    from collections.abc import Callable

    from project_postgres import Server

# Of the protocol: requests to encrypt, answered by "no", and requests for a password.
ENCRYPTION = {struct.pack("!I", code) for code in (80877103, 80877104)}
CLEARTEXT = struct.pack("!cII", b"R", 8, 3)
MD5 = struct.pack("!cII4s", b"R", 12, 5, b"salt")
NONE = struct.pack("!cII", b"R", 8, 0) + struct.pack("!cIc", b"Z", 5, b"I")


def ask(listener: socket.socket, request: bytes) -> bytes:
    """Answer one client with a request for its password, and return what it sends then."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as stream:
        connection.settimeout(30)
        while True:
            startup = stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
            if startup[:4] not in ENCRYPTION:
                break
            connection.sendall(b"N")
        connection.sendall(request)
        return connection.recv(1024)


def with_psycopg(server: Server) -> Callable[[], str]:
    """Connects to an address that is asked for now."""
    url = server.url

    def connect() -> str:
        with pytest.raises(psycopg.OperationalError) as error:
            psycopg.connect(url)
        return str(error.value)

    return connect


def with_psql(server: Server) -> Callable[[], str]:
    """Likewise, as `project-postgres psql` does."""
    environment = {"PATH": os.defpath, **server.libpq_variables}

    def connect() -> str:
        return subprocess.run(
            [program("psql"), "-Xc", "select 1"],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        ).stderr

    return connect


def reader_with_psycopg(server: Server) -> Callable[[], str]:
    """Likewise, as a reader."""
    url = server.reader()

    def connect() -> str:
        with pytest.raises(psycopg.OperationalError) as error:
            psycopg.connect(url)
        return str(error.value)

    return connect


def test_a_stranger_on_the_port_of_a_stopped_server_learns_nothing(
    new_server: Callable[[], Server],
) -> None:
    server = new_server()
    server.start()
    port = server.port
    ways = [way(server) for way in (with_psycopg, with_psql, reader_with_psycopg)]
    server.stop()
    with socket.create_server(("127.0.0.1", port)) as listener, ThreadPoolExecutor(1) as stranger:
        for connect in ways:
            for request in (CLEARTEXT, MD5, NONE):
                received = stranger.submit(ask, listener, request)
                assert "scram-sha-256" in connect()
                assert received.result(timeout=60) == b""


def test_a_way_in_without_it_would_tell(shared: Server) -> None:
    """Otherwise the test above would show nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as stranger:
        received = stranger.submit(ask, listener, CLEARTEXT)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                shared.url.partition("?")[0], port=listener.getsockname()[1], connect_timeout=2
            )
        password = psycopg.conninfo.conninfo_to_dict(shared.url)["password"]
        assert str(password).encode() in received.result(timeout=60)
