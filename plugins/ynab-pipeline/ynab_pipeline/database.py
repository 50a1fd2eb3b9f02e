"""The database that a run writes to: the configured one, or the project's own server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from ynab_pipeline import project
from ynab_pipeline.destination import describe, settings
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.files import write_config
from ynab_pipeline.log import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SWITCH = "PROJECT_POSTGRES"
DATABASE = "ynab"


def active_settings(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Return the loader's settings that name its database; a project's server is started.

    Its URL is in `project_url`, and in place of that of the settings. It is the superuser's, or the
    one of the tenant's role.

    Args:
        arguments: The loader's command line.

    Raises:
        PipelineError: If the project's server does not start.
    """
    found = settings(arguments)
    folder = project.named_folder(SWITCH)
    if folder is not None:
        url = server_url(folder)
        if project.tenant_name():
            url = with_role(url, str(found.get("user")), str(found.get("password")))
        found["project_url"] = found["sqlalchemy_url"] = url
        found["ssh_tunnel_enable"] = False
    return found


def choose_database(found: Mapping[str, Any]) -> list[str]:
    """Name the database in a line for a person, and return what it adds to the command line.

    Of several config files the last one wins, and the URL wins over host, port, user, database and
    TLS. Not `--config ENV`: with that the loader also reads the project's .env, which wins over
    everything, so a run meant for the project's server could end on the one that .env names.

    Args:
        found: The settings that name it.
    """
    folder = project.named_folder(SWITCH)
    if folder is None:
        say(f"database: {describe(found)}")
        return []
    say(f"database: {describe(found)} (project PostgreSQL in {folder})")
    # A tenant's URL is not for another one that runs meanwhile.
    own_folder = project.meltano_folder() if project.tenant_name() else None
    override = (own_folder or folder) / "target-postgres.json"
    url = str(found["project_url"]).replace("postgresql:", "postgresql+psycopg:", 1)
    write_config(override, {"sqlalchemy_url": url, "ssh_tunnel": {"enable": False}})
    return ["--config", str(override)]


def server_url(folder: Path) -> str:
    """Start the project's server unless it runs, and return the URL of its database.

    PGHOSTADDR, PGSSLMODE and the rest of the family, which would still apply to it, are taken out
    of the environment.

    Args:
        folder: The server's folder.

    Raises:
        PipelineError: If it does not start.
    """
    try:
        from project_postgres import Server, ServerError  # noqa: PLC0415 -- optional
    except ModuleNotFoundError as error:
        raise PipelineError(
            f"{SWITCH} is set, but {error.name} is not installed here: unset it, or install "
            "plugins/project-postgres"
        ) from error
    try:
        url = Server(folder, DATABASE).start()
    except ServerError as error:
        raise PipelineError(str(error)) from error
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    return url


def with_role(url: str, role: str, password: str) -> str:
    """Return a URL for another role."""
    parts = urlsplit(url)
    address = f"{parts.hostname}:{parts.port}"
    return urlunsplit(
        parts._replace(netloc=f"{quote(role, safe='')}:{quote(password, safe='')}@{address}")
    )
