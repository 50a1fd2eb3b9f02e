"""transform/views.sql: what dbt has compiled, in an order in which it can be applied."""

from __future__ import annotations

import json
import os
import subprocess
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from tests.support.environment import CLOCK
from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipeline import Database

TRANSFORM = PROJECT / "transform"
VIEWS = TRANSFORM / "views.sql"
DBT_PROGRAMS = PROJECT / ".meltano/utilities/dbt/venv/bin"
HEAD = """\
-- The views of transform/ for people without dbt, as dbt has compiled them from the schema "ynab".
-- Apply it as often as you like. transform/README.md says more.
begin;
set local client_min_messages = warning;
create schema if not exists "budget";
"""


def compiled(folder: Path) -> str:
    """Compile the models with dbt, without a database, and return views.sql."""
    subprocess.run(
        [
            DBT_PROGRAMS / "dbt",
            "--quiet",
            "compile",
            *("--no-introspect", "--no-populate-cache", "--select", "resource_type:model"),
        ],
        env={
            "PATH": os.defpath,
            **CLOCK,
            "DBT_PROJECT_DIR": str(TRANSFORM),
            "DBT_PROFILES_DIR": str(TRANSFORM),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            **dict.fromkeys(("PGHOST", "PGUSER", "PGDATABASE"), "none"),
        },
        check=True,
        timeout=300,
    )
    return written(json.loads((folder / "target/manifest.json").read_text(encoding="utf-8")))


def written(manifest: dict[str, Any]) -> str:
    """Return views.sql from dbt's manifest."""
    models = {key: node for key, node in manifest["nodes"].items() if key.startswith("model.")}
    uses = {
        key: sorted(used for used in node["depends_on"]["nodes"] if used in models)
        for key, node in sorted(models.items())
    }
    views = []
    for key in TopologicalSorter(uses).static_order():
        node = models[key]
        name = f'"{node["schema"]}"."{node["name"]}"'
        sql = "\n".join(line.rstrip() for line in node["compiled_code"].strip().splitlines())
        comments = [f"comment on view {name} is {_text(node['description'])};"]
        comments += [
            f'comment on column {name}."{column["name"]}" is {_text(column["description"])};'
            for column in node["columns"].values()
        ]
        views.append("\n".join([f"create or replace view {name} as", f"{sql};", *comments]))
    return "\n\n".join([HEAD, *views, "commit;\n"])


def apply_views(database: Database) -> None:
    """Make the views, as someone without dbt does."""
    database.execute(VIEWS.read_text(encoding="utf-8"))


def _text(value: str) -> str:
    return "'" + value.strip().replace("'", "''") + "'"
