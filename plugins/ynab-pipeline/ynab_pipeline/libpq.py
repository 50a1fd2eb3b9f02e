"""The way of PostgreSQL's programs to the database of the active environment, as JSON.

In the loader's environment, as a command of Meltano's plugin `target-postgres`, for
`ynab-pipeline backup` and `restore`, which run beside Meltano.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any

from ynab_pipeline import project
from ynab_pipeline.connection import SCHEMA, VIEWS, connect_to, libpq_variables, parameters, schema
from ynab_pipeline.database import active_settings
from ynab_pipeline.destination import describe
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say

_BUDGET = "budget"
_PER_MAJOR = 10_000  # of the number that libpq has for a server's version

#: All schemas of people that this role may use, and whether there is a table or a view in each.
_SCHEMAS = """
SELECT nspname, EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid)
FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND (nspname = ANY(%(schemas)s) OR has_schema_privilege(oid, 'USAGE'))
ORDER BY nspname
"""
#: What would be dropped along with the tables.
_DEPENDANTS = """
WITH own AS (
    SELECT oid FROM pg_class
    WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY(%(schemas)s)))
SELECT DISTINCT other.oid::regclass::text
FROM (
    SELECT ev_class, refobjid FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid
    WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass
    UNION ALL SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'
) AS uses (oid, used)
JOIN pg_class AS other USING (oid)
WHERE used IN (SELECT oid FROM own) AND other.oid NOT IN (SELECT oid FROM own)
ORDER BY 1
"""


def program(name: str, *, uses_tls: bool, version: int = 0) -> str:
    """Return the path of one of PostgreSQL's client programs.

    Args:
        name: Such as `psql`.
        uses_tls: Whether it is to use TLS, which the project's programs lack.
        version: The major version of the server that it must be able to dump.

    Raises:
        PipelineError: If there is none.
    """
    if not uses_tls:
        try:
            from project_postgres.programs import program as own  # noqa: PLC0415 -- optional

            path = own(name)
        except (ModuleNotFoundError, RuntimeError):
            pass
        else:
            if not version or _major(path) >= version:
                return path
    if path := shutil.which(name) or "":
        return path
    why = "cannot use TLS" if uses_tls else "is not there, or older than the server"
    raise PipelineError(
        f"{name} is not installed, and the project's {why}: install PostgreSQL's client"
    )


def _major(path: str) -> int:
    text = subprocess.run([path, "--version"], capture_output=True, encoding="utf-8", check=True)
    found = re.search(r"(\d+)", text.stdout.rpartition(")")[2])
    return int(found[1]) if found else 0


def _found() -> dict[str, Any]:
    settings = active_settings()
    tables = schema()
    views = os.environ.get(VIEWS) or (_BUDGET if tables == SCHEMA else None)
    own = [name for name in (tables, views) if name]
    with connect_to(settings, read_only=True) as session:
        uses_tls = bool(session.pgconn.ssl_in_use)
        version = session.info.server_version // _PER_MAJOR
        there: dict[str, bool] = dict(session.execute(_SCHEMAS, {"schemas": own}).fetchall())
        dependants = session.execute(_DEPENDANTS, {"schemas": own}).fetchall()
    wanted = parameters(settings)
    given = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    environment, suffix = project.tenant()
    return {
        "root": str(project.root()),
        "environment": environment,
        "suffix": suffix,
        "account": project.account(),
        "place": describe({**settings, "default_target_schema": None}),
        "version": version,
        "tables": tables,
        "views": views,
        "schemas": there,
        "dependants": [name for (name,) in dependants],
        "variables": given | libpq_variables(wanted),
        "psql": program("psql", uses_tls=uses_tls),
        "pg_dump": program("pg_dump", uses_tls=uses_tls, version=version),
        "pg_restore": program("pg_restore", uses_tls=False),
    }


def main() -> None:
    """Print the way to the database of the active environment, with its password."""
    try:
        json.dump(_found(), sys.stdout)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline: {explain(error)}", "error")
        sys.exit(1)


if __name__ == "__main__":
    main()
