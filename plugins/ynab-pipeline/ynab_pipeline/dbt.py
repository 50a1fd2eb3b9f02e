"""The command `ynab-pipeline-dbt`, the executable of Meltano's utility `dbt`.

It finds the database of the active environment, where `transform/profiles.yml` expects it, and
becomes `dbt`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from psycopg.pq import Conninfo

from ynab_pipeline import project
from ynab_pipeline.account import TOKEN
from ynab_pipeline.connection import SCHEMA, VIEWS, parameters, schema
from ynab_pipeline.database import active_settings
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say
from ynab_pipeline.programs import INFORMATION, become, has_option

#: dbt shows no variable of this prefix in its log.
_PASSWORD = "DBT_ENV_SECRET_PGPASSWORD"  # noqa: S105 -- a name


def main() -> None:
    """Name the database and become dbt, with the command line of this process."""
    arguments = sys.argv[1:]
    try:
        os.environ.pop(TOKEN, None)  # of no use to dbt
        folder = str((project.root() or Path()) / "transform")
        for name in ("DBT_PROJECT_DIR", "DBT_PROFILES_DIR"):
            os.environ.setdefault(name, folder)
        if not has_option(arguments, INFORMATION):
            _choose_schema()
            _choose_files()
            _choose_database()
        become("dbt", arguments)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline-dbt: {explain(error)}", "error")
        sys.exit(1)


def _choose_schema() -> None:
    """Refuse to write views of one tenant over those of another."""
    if schema() != SCHEMA and VIEWS not in os.environ:
        raise PipelineError(
            f"the tables are in the schema {schema()}, so the views need one of their own: set "
            f"{VIEWS}, to budget if this is the only account in the database"
        )


def _choose_files() -> None:
    """Keep what dbt compiles and logs for a tenant apart from that of others."""
    folder, meltano, tenant = project.root(), project.meltano_folder(), project.tenant_name()
    if folder and meltano and tenant:
        os.environ["DBT_TARGET_PATH"] = str(meltano / "transform")
        os.environ["DBT_LOG_PATH"] = str(folder / "logs" / tenant)


def _choose_database() -> None:
    """Set libpq's variables, from which profiles.yml and the driver take the connection."""
    wanted = {name: value for name, value in parameters(active_settings()).items() if value}
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in Conninfo.get_defaults()
        if option.envvar
    }
    for name in ("host", "port", "user", "dbname"):
        os.environ.pop(variables[name], None)
    for name, value in wanted.items():
        if name == "password":
            os.environ[_PASSWORD] = str(value)
        elif name in variables:
            os.environ[variables[name]] = str(value)
    os.environ["PGTZ"] = "UTC"  # date-times are stored in UTC
