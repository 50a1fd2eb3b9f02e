"""The database that a run writes to: the configured one, or the project's own server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ynab_pipeline import project
from ynab_pipeline.destination import describe, settings
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.files import write_config
from ynab_pipeline.log import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SWITCH = "PROJECT_POSTGRES"
DATABASE = "ynab"


def choose_database(arguments: Sequence[str]) -> list[str]:
    """Name the database in a line for a person, and return what it adds to the command line.

    Args:
        arguments: The loader's command line.

    Raises:
        PipelineError: If the project's server does not start.
    """
    folder = project.named_folder(SWITCH)
    if folder is None:
        say(f"database: {describe(settings(arguments))}")
        return []
    added = ["--config", str(_use_server(folder))]
    database = describe(settings([*arguments, *added]))
    say(f"database: {database} (project PostgreSQL in {folder})")
    return added


def _use_server(folder: Path) -> Path:
    """Start the server unless it runs, and return a config file that points the loader at it.

    Of several files the last one wins, and the URL wins over host, port, user, database and TLS.
    Not `--config ENV`: with that the loader also reads the project's .env, which wins over
    everything, so a run meant for this server could end on the one that .env names.
    """
    try:
        from project_postgres import Server, ServerError  # noqa: PLC0415 -- optional
    except ModuleNotFoundError as error:
        raise PipelineError(
            f"{SWITCH} is set, but {error.name} is not installed here: unset it, or install "
            "plugins/project-postgres"
        ) from error
    try:
        url = Server(folder, DATABASE).start().replace("postgresql:", "postgresql+psycopg:", 1)
    except ServerError as error:
        raise PipelineError(str(error)) from error
    override = folder / "target-postgres.json"
    write_config(override, {"sqlalchemy_url": url, "ssh_tunnel": {"enable": False}})
    # PGHOSTADDR, PGSSLMODE and the rest of the family would still apply to the URL.
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    return override
