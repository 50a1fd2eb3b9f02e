"""The command `ynab-pipeline-dbt`, the executable of Meltano's utility `dbt`.

It finds the database of the active environment, where `transform/profiles.yml` expects it, and
becomes `dbt`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ynab_pipeline import project, views
from ynab_pipeline.account import TOKEN
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say
from ynab_pipeline.programs import INFORMATION, become, has_option

#: dbt shows no variable of this prefix in its log.
_PASSWORD = "DBT_ENV_SECRET_PGPASSWORD"  # noqa: S105 -- a name


def main() -> None:
    """Find the database and become dbt, with the command line of this process."""
    arguments = sys.argv[1:]
    try:
        os.environ.pop(TOKEN, None)  # of no use to dbt
        folder = str((project.root() or Path()) / "transform")
        for name in ("DBT_PROJECT_DIR", "DBT_PROFILES_DIR"):
            os.environ.setdefault(name, folder)
        if not has_option(arguments, INFORMATION):
            views.prepare(views.refuse_foreign)
            _choose_files()
            if "PGPASSWORD" in os.environ:
                os.environ[_PASSWORD] = os.environ.pop("PGPASSWORD")
        become("dbt", arguments)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline-dbt: {explain(error)}", "error")
        sys.exit(1)


def _choose_files() -> None:
    """Keep what dbt compiles and logs for a tenant apart from that of others."""
    folder, meltano, tenant = project.root(), project.meltano_folder(), project.tenant_name()
    if folder and meltano and tenant:
        os.environ["DBT_TARGET_PATH"] = str(meltano / "transform")
        os.environ["DBT_LOG_PATH"] = str(folder / "logs" / tenant)
