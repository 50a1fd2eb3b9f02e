"""Connections to the database of the active environment, for commands in the loader's environment.

Which database that is, Meltano says in the environment variables of the plugin `target-postgres`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from ynab_pipeline import project
from ynab_pipeline.database import active_settings
from ynab_pipeline.destination import describe, is_true, settings
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    Settings = Mapping[str, Any]

#: The schema of the tables unless the loader's settings name another.
SCHEMA = "ynab"
#: Names the schema of the views.
VIEWS = "YNAB_BUDGET_SCHEMA"
_PREFIX = "TARGET_POSTGRES_"
_REQUIRED = ("host", "user", "password")  # port and database have defaults
_PATIENCE = 15  # seconds; without it, minutes for an address at which nobody answers


def connect(*, read_only: bool = False) -> psycopg.Connection[Any]:
    """Connect to the database of the active environment; a project's server is started for it.

    The session is in UTC. As a context manager, the connection commits at the end and is closed.

    Args:
        read_only: Whether PostgreSQL refuses to write.

    Raises:
        PipelineError: If there is no way to it; the message says what to do.
    """
    return connect_to(active_settings(), read_only=read_only)


def schema() -> str:
    """Return the schema of the tables in the active environment."""
    return str(settings().get("default_target_schema") or SCHEMA)


def connect_to(found: Settings, *, read_only: bool = False) -> psycopg.Connection[Any]:
    """Connect to the database that the loader's settings name.

    Args:
        found: The settings.
        read_only: Whether PostgreSQL refuses to write.

    Raises:
        PipelineError: If there is no way to it; the message says what to do.
    """
    wanted = {"application_name": "ynab-pipeline", **parameters(found)}
    if "PGCONNECT_TIMEOUT" not in os.environ:
        wanted.setdefault("connect_timeout", _PATIENCE)
    try:
        connection = psycopg.connect(**wanted, autocommit=True)
        connection.execute("set time zone 'UTC'")
        connection.set_autocommit(False)
        connection.set_read_only(read_only or None)  # None: as the server has it
    except psycopg.Error as error:
        raise failure(error, found) from None
    return connection


def failure(error: psycopg.Error, found: Settings) -> PipelineError:
    """Return an error of the database as one line that says what to do, without the password."""
    tenant = project.tenant_name()
    if tenant and "authentication failed" in str(error):
        words = (
            f"the role {found.get('user')} is gone or has another password than "
            f"tenants/{tenant}.env says: correct that, or remove the tenant and add it again, with "
            ".venv/bin/ynab-pipeline tenants"
        )
    else:
        words = explained(str(error))
    if password := parameters(found).get("password"):
        words = words.replace(str(password), "...")
    return PipelineError(f"database {describe({**found, 'default_target_schema': None})}: {words}")


def parameters(found: Settings) -> dict[str, Any]:
    """Return libpq's parameters, the password among them.

    Args:
        found: The loader's settings.

    Raises:
        PipelineError: If settings are missing or wrong.
    """
    if url := found.get("project_url"):
        return dict(conninfo_to_dict(str(url)))
    if is_true(found.get("ssh_tunnel_enable")):
        raise PipelineError(
            "the database is behind an SSH tunnel that only the loader opens: for this, open one "
            "and set TARGET_POSTGRES_HOST and TARGET_POSTGRES_PORT to its end"
        )
    if url := found.get("sqlalchemy_url"):
        return _of_url(str(url))
    missing = [f"{_PREFIX}{name.upper()}" for name in _REQUIRED if not found.get(name)]
    if missing:
        raise PipelineError(
            f"the database is not configured: set {', '.join(missing)} in .env, as .env.example "
            "says, or choose an environment with a database of the project"
        )
    return {
        "host": found["host"],
        "port": found.get("port") or None,
        "user": found["user"],
        "password": found["password"],
        "dbname": found.get("database") or None,
        **_tls(found),
    }


def libpq_variables(wanted: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables by which libpq takes its parameters."""
    return {
        option.envvar.decode(): str(wanted[name])
        for option in Conninfo.get_defaults()
        if option.envvar and wanted.get(name := option.keyword.decode()) not in {None, ""}
    }


def set_variables(found: Settings) -> None:
    """Set libpq's variables, for a program that this process becomes.

    Args:
        found: The loader's settings.

    Raises:
        PipelineError: If settings are missing or wrong.
    """
    os.environ.update(libpq_variables(parameters(found)))
    os.environ["PGTZ"] = "UTC"  # date-times are stored in UTC


def _of_url(url: str) -> dict[str, Any]:
    # As the loader reads it: libpq wants other characters escaped.
    from sqlalchemy.engine import make_url  # noqa: PLC0415 -- slow, and rarely needed
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        _, found = parsed.get_dialect()().create_connect_args(parsed)
    except (ArgumentError, ValueError):
        raise PipelineError(
            f"{_PREFIX}SQLALCHEMY_URL is not the URL of a database: "
            "postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE is expected, with signs such as "
            "@ and / in a password escaped as %40 and %2F"
        ) from None
    return dict(found)


def _tls(found: Settings) -> dict[str, str]:
    """TLS as the loader does it, with its defaults."""
    wanted = {}
    if is_true(found.get("ssl_enable")):
        wanted["sslmode"] = str(found.get("ssl_mode") or "verify-full")
        wanted["sslrootcert"] = _file("ssl_certificate_authority", "root.crt", found)
    if is_true(found.get("ssl_client_certificate_enable")):
        wanted["sslcert"] = _file("ssl_client_certificate", "cert.crt", found)
        wanted["sslkey"] = _file("ssl_client_private_key", "pkey.key", found)
    return wanted


def _file(name: str, stored: str, found: Settings) -> str:
    """Return the path of a certificate or key, which may be given as text, too."""
    value = str(found.get(name) or "")
    if Path(value).is_file():
        return value
    if not value.startswith("-----BEGIN "):
        raise PipelineError(
            f"{_PREFIX}{name.upper()} must name a file that exists, such as "
            "/etc/ssl/certs/ca-certificates.crt"
        )
    # Where the loader writes it, too.
    path = Path(str(found.get("ssl_storage_directory") or ".secrets"), stored)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(value, encoding="utf-8")
    return str(path)
