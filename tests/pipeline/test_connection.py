"""Connections to the database of the active environment, and what is said if there is none."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from ynab_pipeline import connection
from ynab_pipeline.errors import PipelineError

from tests.support.pipeline import LOADER_PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project_postgres import Server

    from tests.support.pipeline import Database

PASSWORD = "hunter2-and-more"  # noqa: S105 opens nothing
SETTINGS = {"HOST": "127.0.0.1", "USER": "ada", "PASSWORD": PASSWORD}


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    return Configure(monkeypatch)


class Configure:
    """Sets what Meltano sets for the plugin `target-postgres`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set nothing yet."""
        self._monkeypatch = monkeypatch

    def __call__(self, **settings: str) -> None:
        for name, value in settings.items():
            self._monkeypatch.setenv(f"TARGET_POSTGRES_{name}", value)

    def at(self, database: Database, **settings: str) -> None:
        """Name a database on the tests' server, and its superuser."""
        found = conninfo_to_dict(database.url)
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
        named = {setting: str(found[name]) for name, setting in names.items()}
        self(**{**named, "DATABASE": str(found["dbname"]), **settings})


def refused() -> str:
    with pytest.raises(PipelineError) as error:
        connection.connect()
    line = str(error.value)
    assert PASSWORD not in line
    assert "\n" not in line
    return line


def test_the_database_of_the_settings(configure: Configure, database: Database) -> None:
    configure.at(database, SSL_ENABLE="false")
    with connection.connect() as session:
        session.execute("create table kept ()")
        zone = session.execute("show timezone").fetchone()
        name = session.execute("show application_name").fetchone()
    assert (zone, name) == (("UTC",), ("ynab-pipeline",))
    assert database.query("select * from kept") == []
    assert connection.schema() == "ynab"
    configure(DEFAULT_TARGET_SCHEMA="ada")
    assert connection.schema() == "ada"


def test_a_connection_that_only_reads(configure: Configure, database: Database) -> None:
    configure.at(database)
    with (
        connection.connect(read_only=True) as session,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        session.execute("create table kept ()")


def test_a_url_is_read_as_the_loader_reads_it(configure: Configure, database: Database) -> None:
    with psycopg.connect(database.url) as session:
        session.execute("drop role if exists odd")
        session.execute("create role odd superuser login password 'a@b?c/d%'")
    found = conninfo_to_dict(database.url)
    address = f"127.0.0.1:{found['port']}/{found['dbname']}?application_name=mine"
    configure(SQLALCHEMY_URL=f"postgresql+psycopg://odd:a%40b?c%2Fd%25@{address}")
    with connection.connect() as session:
        assert session.info.user == "odd"
        assert session.execute("show application_name").fetchone() == ("mine",)


def test_the_projects_server_is_started_and_has_to_prove_itself(
    configure: Configure, project_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(**SETTINGS, SQLALCHEMY_URL="postgresql://u:pw@192.0.2.1/db")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PROJECT_POSTGRES", str(project_server.folder))
    project_server.stop()
    with connection.connect() as session:
        assert session.info.port == project_server.port
        assert session.info.get_parameters()["require_auth"] == "scram-sha-256"


@pytest.mark.parametrize("left_out", [("HOST",), ("USER", "PASSWORD")])
def test_settings_that_are_missing(configure: Configure, left_out: tuple[str, ...]) -> None:
    configure(**{name: "" if name in left_out else value for name, value in SETTINGS.items()})
    missing = ", ".join(f"TARGET_POSTGRES_{name}" for name in left_out)
    assert f"set {missing} in .env" in refused()


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2-and-more", "hunter2-and-more", "postgresql://u:p@h:xx/d"]
)
def test_a_url_that_is_none(configure: Configure, url: str) -> None:
    configure(SQLALCHEMY_URL=url)
    assert refused().startswith("TARGET_POSTGRES_SQLALCHEMY_URL is not the URL of a database: ")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            {"PASSWORD": PASSWORD},
            'password authentication failed for user "postgres": check TARGET_POSTGRES_USER and',
        ),
        ({"USER": "nobody"}, "check TARGET_POSTGRES_USER and TARGET_POSTGRES_PASSWORD"),
        (
            {"DATABASE": "nowhere"},
            'database "nowhere" does not exist: create it with CREATE DATABASE, or set',
        ),
        ({"HOST": "no-such-host.invalid"}, "check TARGET_POSTGRES_HOST"),
        ({"PORT": "1"}, "Connection refused: see that the server runs, and check"),
        ({"SSL_ENABLE": "true"}, "TARGET_POSTGRES_SSL_CERTIFICATE_AUTHORITY must name a file"),
        (
            {"SSL_ENABLE": "true", "SSL_CERTIFICATE_AUTHORITY": __file__},
            "server does not support SSL, but SSL was required: turn TLS on at the server",
        ),
        (
            {"SSL_ENABLE": "true", "SSL_MODE": "on", "SSL_CERTIFICATE_AUTHORITY": __file__},
            "check TARGET_POSTGRES_SSL_MODE and",
        ),
    ],
)
def test_a_setting_that_is_wrong(
    configure: Configure, database: Database, wrong: dict[str, str], reason: str
) -> None:
    configure.at(database, **wrong)
    assert reason in refused()


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ("nologin", "is not permitted to log in: create that role with LOGIN, or set"),
        ("login connection limit 0", "too many connections for role"),
        ("login", "permission denied for database"),
    ],
)
def test_a_role_that_may_not_enter(
    configure: Configure, database: Database, rights: str, reason: str
) -> None:
    name = conninfo_to_dict(database.url)["dbname"]
    with psycopg.connect(database.url) as session:
        session.execute("drop role if exists ada")
        session.execute(f"create role ada password '{PASSWORD}' {rights}".encode())
        session.execute(f"revoke connect on database {name} from public".encode())
    configure.at(database, USER="ada", PASSWORD=PASSWORD)
    assert reason in refused()


@contextmanager
def server_that_answers(reply: bytes) -> Iterator[int]:
    """The port of a server that sends this to each client, and no more."""

    def answer() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                client.recv(100)
                client.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"N", "the connection was lost: see that the server runs"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "received invalid response to SSL negotiation"),
    ],
)
def test_a_server_that_is_no_postgresql(
    configure: Configure, reply: bytes, reason: str, tmp_path: Path
) -> None:
    with server_that_answers(reply) as port:
        configure(**SETTINGS, PORT=str(port))
        assert reason in refused()
        ca = tmp_path / "ca.crt"
        ca.touch()
        configure(SSL_ENABLE="true", SSL_CERTIFICATE_AUTHORITY=str(ca))
        assert "SSL" in refused()


#: Prints the key and the certificate of a server. The loader's environment has what it takes.
CERTIFICATE = """
import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
now = datetime.datetime.now(datetime.timezone.utc)
day = datetime.timedelta(days=1)
certificate = (
    x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    .not_valid_before(now - day)
    .not_valid_after(now + day)
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    .sign(key, hashes.SHA256())
)
encoding = serialization.Encoding.PEM
form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
print(key.private_bytes(encoding, form, none).decode())
print(certificate.public_bytes(encoding).decode())
"""


def certificate(path: Path, python: str) -> Path:
    """Write a file with a new key and certificate of localhost."""
    made = subprocess.run([python, "-c", CERTIFICATE], capture_output=True, check=True)
    path.write_bytes(made.stdout)
    return path


@contextmanager
def server_with_tls(key_and_certificate: Path) -> Iterator[int]:
    """The port of a server that agrees to TLS, and then says nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(key_and_certificate)

    def answer() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, suppress(OSError):
                client.recv(8)
                client.sendall(b"S")
                context.wrap_socket(client, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_certificate_that_is_wrong(
    configure: Configure, installed: Callable[[str], str], tmp_path: Path
) -> None:
    python = installed(str(LOADER_PROGRAMS / "python"))
    own, other = (certificate(tmp_path / name, python) for name in ("own.pem", "other.pem"))
    with server_with_tls(own) as port:
        configure(**SETTINGS, PORT=str(port), SSL_ENABLE="true")
        configure(SSL_CERTIFICATE_AUTHORITY=str(other))
        assert "certificate verify failed: check TARGET_POSTGRES_SSL_MODE" in refused()
        configure(SSL_CERTIFICATE_AUTHORITY=str(own))
        line = refused()
        assert 'server certificate for "localhost" does not match host name "127.0.0.1"' in line
        assert line.endswith("and that the certificate is for TARGET_POSTGRES_HOST")
        configure(HOST="localhost")
        assert "the connection was lost" in refused()
