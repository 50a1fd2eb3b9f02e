"""The tables `syncs` of tenants, as JSON; in the loader's environment.

A command of Meltano's plugin `target-postgres`, for `ynab-pipeline status --tenants`: one process
for all tenants of an environment, with a connection of each tenant's own role.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ynab_pipeline import project, syncs
from ynab_pipeline.connection import connect_to
from ynab_pipeline.database import SWITCH, server_url, with_role
from ynab_pipeline.destination import settings
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.freshness import STALE_AFTER

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Connections at the same time: a server far away takes its time, and none has many to spare.
_CONNECTIONS = 8


def answer(environment: str, name: str, variables: Mapping[str, str], url: str | None) -> syncs.Row:
    """Return what the table of a tenant says, or what went wrong.

    Args:
        environment: The environment of Meltano.
        name: The tenant.
        variables: Those of its env file.
        url: The URL of the project's server, if the environment has one.
    """
    found = settings(variables=variables)
    if url:
        found["project_url"] = with_role(url, found["user"], found["password"])
    so_far = {
        "environment": environment,
        "suffix": name,
        "stale_after": variables.get(STALE_AFTER, ""),
        "schema": found["default_target_schema"],
    }
    return syncs.tell(so_far, lambda: connect_to(found, read_only=True))


def main() -> None:
    """Print the answer for each tenant of those on standard input."""
    tenants: dict[str, dict[str, str]] = json.load(sys.stdin)
    environment, folder = project.tenant()[0], project.named_folder(SWITCH)
    try:
        url = server_url(folder) if folder and folder.exists() else None
    except PipelineError as error:
        found: dict[str, Any] = {name: {"error": str(error)} for name in tenants}
    else:
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            started = {
                name: threads.submit(answer, environment, name, variables, url)
                for name, variables in tenants.items()
            }
            found = {name: each.result() for name, each in started.items()}
    json.dump({"tenants": found}, sys.stdout, default=datetime.isoformat)


if __name__ == "__main__":
    main()
