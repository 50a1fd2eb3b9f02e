"""Freshness of the tables of all tenants: `ynab-pipeline status --tenants`.

Meltano takes seconds to start: it is started once for each environment, not for each tenant.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ynab_pipeline import meltano, workspace
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.freshness import FRESH, STALE_AFTER
from ynab_pipeline.project import tenant_folder
from ynab_pipeline.status import OLD, UNKNOWN, judge, show_unknown
from ynab_pipeline.status_page import document, printable, span
from ynab_pipeline.tenants import env_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ynab_pipeline.freshness import Run
    from ynab_pipeline.history import History
    from ynab_pipeline.tenants.env_file import Tenant

    Json = dict[str, Any]

_DATABASE = "MELTANO_DATABASE_URI"
#: What is needed to read a tenant's tables.
_USED = re.compile(rf"TARGET_POSTGRES_|{STALE_AFTER}$")
_UNKNOWN_STATE = "unknown"
_HEADING = ("tenant", "last success", "budgets", "state")


def run(options: argparse.Namespace) -> int:
    """Print a line for each tenant, and return the worst exit code."""
    try:
        root = workspace.find_root().resolve()
        found = env_file.for_all(root, options.environment)
        documents = _documents(root, found)
    except PipelineError as error:
        return show_unknown(error, as_json=options.json)
    code = max(map(_code, documents.values()))
    if options.json:
        state = max(documents.values(), key=_code)["state"]
        print(json.dumps({"state": state, "tenants": documents}, indent=2))
    else:
        print(_table(documents))
    return code


def _documents(root: Path, found: Mapping[str, Tenant | PipelineError]) -> dict[str, Json]:
    """Return the answer for each tenant, as `status --json` has it.

    Raises:
        PipelineError: If Meltano cannot read the project.
    """
    from ynab_pipeline.history import History  # noqa: PLC0415 -- slow to import

    history = History()
    answers: dict[str, Json] = {}
    by_environment: dict[str, list[Tenant]] = {}
    for name, tenant in found.items():
        if isinstance(tenant, PipelineError):
            answers[name] = {"error": str(tenant)}
        else:
            by_environment.setdefault(tenant.environment, []).append(tenant)
    for environment, tenants in by_environment.items():
        answers |= _answers(environment, tenants)
    return {name: _judged(root, found[name], answers[name], history) for name in found}


def _answers(environment: str, tenants: Iterable[Tenant]) -> dict[str, Json]:
    """Return what the tables `syncs` of tenants of an environment say, by tenant."""
    variables = {
        tenant.name: {name: tenant.values[name] for name in tenant.values if _USED.match(name)}
        for tenant in tenants
    }
    try:
        process = meltano.start_command("tenants", environment)
        return dict(meltano.answer(process, json.dumps(variables))["tenants"])
    except PipelineError as error:
        return {name: {"error": str(error)} for name in variables}


def _judged(root: Path, tenant: Tenant | PipelineError, answer: Json, history: History) -> Json:
    if "error" in answer or isinstance(tenant, PipelineError):
        return {"state": _UNKNOWN_STATE, "error": answer["error"]}
    try:
        return document(**judge(answer, runs_of(root, tenant, history), history.schedule()))
    except PipelineError as error:
        return {"state": _UNKNOWN_STATE, "error": str(error)}


def runs_of(root: Path, tenant: Tenant, history: History) -> list[Run]:
    """Return the runs of a tenant, as `History.runs` does.

    Raises:
        PipelineError: If its database of Meltano's does not answer.
    """
    path = tenant_folder(root, tenant.name) / "meltano.db"
    database = tenant.values.get(_DATABASE) or (f"sqlite:///{path}" if path.exists() else None)
    return history.runs(tenant.environment, tenant.name, database) if database else []


def _code(found: Json) -> int:
    return {FRESH: 0, _UNKNOWN_STATE: UNKNOWN}.get(found["state"], OLD)


def _table(documents: Mapping[str, Json]) -> str:
    rows = [_HEADING, *(_row(name, found) for name, found in documents.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{name:{widths[0]}}  {success:{widths[1]}}  {budgets:>{widths[2]}}  {state}"
        for name, success, budgets, state in rows
    )


def _row(name: str, found: Json) -> tuple[str, str, str, str]:
    """Return the cells of a tenant; of several budgets, the oldest success counts."""
    name = ascii(name)[1:-1]
    if "error" in found:
        return name, "", "", f"{_UNKNOWN_STATE}: {printable(found['error'])}"
    budgets = [budget for budget in found["budgets"] if budget["state"] != "left"]
    ages = [budget["age_seconds"] for budget in budgets]
    oldest = None if not ages or None in ages else timedelta(seconds=max(ages))
    success = f"{span(oldest)} ago" if oldest is not None else "never"
    return name, success, str(len(budgets)), _state(found, budgets)


def _state(found: Json, budgets: Iterable[Json]) -> str:
    errors = [
        found["account_error"],
        *(run["error"] or run["state"] for run in found["failed_runs"]),
        *(f"{budget['name']}: {budget['last_error']}" for budget in budgets if _has_failed(budget)),
    ]
    error = next(filter(None, errors), None)
    return f"{found['state']}: {printable(str(error))}" if error else str(found["state"])


def _has_failed(budget: Json) -> bool:
    return bool(budget["last_run"] == "failed")
