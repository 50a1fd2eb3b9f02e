"""What a person, or another process, can do to a running sandbox over HTTP.

`POST /sandbox/<operation>` takes a JSON object; `GET /sandbox/state` and `GET /sandbox/requests`
tell. A plan is named by `plan`: its id, its name, or nothing for the first one.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ynab_sandbox.day import live
from ynab_sandbox.errors import ApiError
from ynab_sandbox.tables import KINDS, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.sandbox import Sandbox


def carry_out(sandbox: Sandbox, name: str, method: str, document: object) -> object:
    """Carries out an operation.

    Args:
        sandbox: on which.
        name: the operation.
        method: GET to be told, POST to have something done.
        document: what was sent.

    Raises:
        ApiError: there is no such operation, or it cannot be done.
    """
    table = TELL if method == "GET" else DO
    if name not in table:
        raise ApiError("404.1", f"{name} is none of {', '.join(table)}")
    if method == "GET":
        document = {}
    if not isinstance(document, dict):
        raise ApiError("400", "a JSON object is wanted")
    try:
        if "id" in document:
            document = {**document, "identity": document["id"]}
            del document["id"]
        return table[name](sandbox, **document)
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError("400", str(error)) from error


def _budget(sandbox: Sandbox, name: str | None) -> Budget:
    for budget in sandbox.budgets:
        if name in {None, budget.id, budget.name}:
            return budget
    raise ApiError("404.2", f"there is no budget {name}")


def _state(sandbox: Sandbox) -> Fields:
    return {
        "pid": os.getpid(),
        "now": sandbox.clock.stamp(),
        "token": sandbox.token,
        "requests": len(sandbox.requests),
        "budgets": [
            {
                "id": budget.id,
                "name": budget.name,
                "server_knowledge": budget.server_knowledge,
                **{kind: sum(1 for _ in budget.rows(kind)) for kind in KINDS},
            }
            for budget in sandbox.budgets
        ],
    }


def _requests(sandbox: Sandbox) -> list[Fields]:
    return [asdict(request) for request in sandbox.requests]


def _entities(
    sandbox: Sandbox, kind: str, budget: str | None = None, *, deleted: bool = False
) -> list[Fields]:
    return _budget(sandbox, budget).entities(kind, deleted=deleted)


def _add(sandbox: Sandbox, kind: str, fields: Fields, budget: str | None = None) -> Fields:
    return {"id": _budget(sandbox, budget).add(kind, **fields)}


def _edit(
    sandbox: Sandbox,
    kind: str,
    identity: str,
    fields: Fields,
    budget: str | None = None,
) -> None:
    _budget(sandbox, budget).edit(kind, identity, **fields)


def _delete(sandbox: Sandbox, kind: str, identity: str, budget: str | None = None) -> None:
    _budget(sandbox, budget).delete(kind, identity)


def _forget(sandbox: Sandbox, kind: str, identity: str, budget: str | None = None) -> None:
    _budget(sandbox, budget).forget(kind, identity)


def _live(sandbox: Sandbox, budget: str | None = None) -> list[str]:
    return live(_budget(sandbox, budget))


def _rewind(sandbox: Sandbox, knowledge: int, budget: str | None = None) -> None:
    _budget(sandbox, budget).rewind(knowledge)


def _had_scheduled(sandbox: Sandbox, value: bool, budget: str | None = None) -> None:  # noqa: FBT001 - as JSON has it
    _budget(sandbox, budget).had_scheduled = value


def _add_budget(sandbox: Sandbox, **fields: Any) -> Fields:
    budget = sandbox.add_budget(**fields)
    return {"id": budget.id, "name": budget.name}


def _remove_budget(sandbox: Sandbox, budget: str) -> None:
    sandbox.remove_budget(_budget(sandbox, budget).id)


def _advance(sandbox: Sandbox, seconds: float) -> Fields:
    sandbox.advance(seconds)
    return {"now": sandbox.clock.stamp()}


def _advance_month(sandbox: Sandbox) -> Fields:
    sandbox.advance_month()
    return {"now": sandbox.clock.stamp()}


def _fail(sandbox: Sandbox, fault: str, **options: Any) -> None:
    sandbox.fail(fault, **options)


def _token(sandbox: Sandbox, token: str, answer: str | None = None) -> None:
    sandbox.set_token(token, answer)


def _clear_faults(sandbox: Sandbox) -> None:
    sandbox.clear_faults()


def _clear_requests(sandbox: Sandbox) -> None:
    sandbox.clear_requests()


#: What leaves nothing behind that has to survive a restart.
LASTS_NOT = {"entities", "fail", "clear-requests"}

TELL: dict[str, Callable[..., object]] = {"state": _state, "requests": _requests}
DO: dict[str, Callable[..., object]] = {
    "add": _add,
    "edit": _edit,
    "delete": _delete,
    "forget": _forget,
    "entities": _entities,
    "live": _live,
    "rewind": _rewind,
    "had-scheduled": _had_scheduled,
    "add-budget": _add_budget,
    "remove-budget": _remove_budget,
    "advance": _advance,
    "advance-month": _advance_month,
    "fail": _fail,
    "token": _token,
    "clear-faults": _clear_faults,
    "clear-requests": _clear_requests,
}
