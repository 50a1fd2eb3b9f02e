"""Operations on a running sandbox, each declared once: over HTTP, by command, in Python.

The parameters of an operation are those of the Python function behind it, the object aside. A
`**fields` of the function is one object called `fields`. Operations of a budget also take
`budget`: its id or name, or nothing for the first one.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from inspect import Parameter, getdoc, signature
from typing import TYPE_CHECKING, Any

from ynab_sandbox.budget import Budget
from ynab_sandbox.errors import ApiError
from ynab_sandbox.sandbox import Sandbox
from ynab_sandbox.tables import KINDS, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many transactions a day takes: one to edit, one to delete, one to repeat.
FEWEST = 3


@dataclass(frozen=True)
class Operation:
    """Something that can be done to a running sandbox."""

    name: str
    function: Callable[..., Any]  # takes a sandbox or budget, then the parameters
    show: Callable[[Any], object] = lambda result: result  # turns the result into what is shown
    is_of_budget: bool = False
    reads: bool = False  # changes nothing

    @property
    def help(self) -> str:
        """The first line of the function's documentation."""
        return (getdoc(self.function) or "").partition("\n")[0]

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The function's parameters by the names that HTTP and command line use."""
        _, *parameters = signature(self.function).parameters.values()
        return {parameter.name.rstrip("_"): parameter for parameter in parameters}

    def run(self, sandbox: Sandbox, document: Fields) -> object:
        """Carry out the operation."""
        given = dict(document)
        target = sandbox.budget(given.pop("budget", None)) if self.is_of_budget else sandbox
        positional: list[object] = [target]
        named: Fields = {}
        for name, parameter in self.parameters.items():
            if parameter.kind is Parameter.VAR_KEYWORD:
                named |= given.pop(name, {})
            elif name in given and parameter.kind is not Parameter.POSITIONAL_ONLY:
                named[name] = given.pop(name)
            elif name in given:
                positional.append(given.pop(name))
            elif parameter.default is parameter.empty:
                raise TypeError(f"{self.name} needs {name}")
        if given:
            raise TypeError(f"{self.name} does not take {', '.join(given)}")
        return self.show(self.function(*positional, **named))


def live(budget: Budget) -> list[str]:
    """Let a day pass: a purchase, an edit of an old transaction, a deletion.

    Each of the three has a transaction of its own, and a sentence in what is returned.
    """
    plain = [row for row in budget.entities("transactions") if _is_plain(row)]
    if len(plain) < FEWEST:
        raise ValueError("there are too few transactions")
    # The counter moves on with each day, so each day finds other transactions.
    position = budget.server_knowledge % max(1, len(plain) // 10)
    old, wrong = plain[position], plain[-1 - position]
    like = next(row for row in reversed(plain) if row is not wrong)
    budget.add(
        "transactions",
        memo="Bought today",
        amount=-23_450,
        **{name: like[name] for name in ("account_id", "payee_id", "category_id")},
    )
    budget.edit("transactions", old["id"], memo="Found the receipt")
    budget.delete("transactions", wrong["id"])
    return [
        f"{like['payee_name']} was paid 23.45 today.",
        f"A transaction of {old['date']} at {old['payee_name']} got a memo.",
        f"A transaction of {wrong['date']} at {wrong['payee_name']} was deleted.",
    ]


def _is_plain(row: Fields) -> bool:
    """Return whether a transaction is a simple one, with an account, payee and category."""
    is_split_or_transfer = row["subtransactions"] or row["transfer_account_id"]
    names = ("account_name", "payee_name", "category_name")
    return not is_split_or_transfer and all(row[name] for name in names)


def _state(sandbox: Sandbox) -> Fields:
    """Show what is in the sandbox."""
    budgets: list[Fields] = []
    for budget in sandbox.budgets:
        head = {name: getattr(budget, name) for name in ("id", "name", "server_knowledge")}
        budgets.append({**head, **{kind: len(list(budget.rows(kind))) for kind in KINDS}})
    state = {"pid": os.getpid(), "now": sandbox.clock.timestamp(), "token": sandbox.token}
    return {**state, "requests": len(sandbox.requests), "budgets": budgets}


def _requests(sandbox: Sandbox) -> list[Fields]:
    """Show the requests that the sandbox received."""
    with sandbox.lock:
        return [asdict(request) for request in sandbox.requests]


def _had_scheduled(budget: Budget, value: bool) -> None:  # noqa: FBT001 - as JSON has it
    """Set whether the budget ever had scheduled transactions; if not, the API says 404.2."""
    budget.had_scheduled = value


_ALL = (
    Operation("add", Budget.add, show=lambda id_: {"id": id_}, is_of_budget=True),
    Operation("edit", Budget.edit, is_of_budget=True),
    Operation("delete", Budget.delete, is_of_budget=True),
    Operation("forget", Budget.forget, is_of_budget=True),
    Operation("entities", Budget.entities, is_of_budget=True, reads=True),
    Operation("live", live, is_of_budget=True),
    Operation("rewind", Budget.rewind, is_of_budget=True),
    Operation("had-scheduled", _had_scheduled, is_of_budget=True),
    Operation(
        "add-budget", Sandbox.add_budget, show=lambda budget: {"id": budget.id, "name": budget.name}
    ),
    Operation("remove-budget", Sandbox.remove_budget),
    Operation("advance", Sandbox.advance, show=lambda now: {"now": now}),
    Operation("advance-month", Sandbox.advance_month, show=lambda now: {"now": now}),
    Operation("token", Sandbox.set_token),
    Operation("fail", Sandbox.fail),
    Operation("clear-faults", Sandbox.clear_faults),
    Operation("clear-requests", Sandbox.clear_requests),
    Operation("state", _state, reads=True),
    Operation("requests", _requests, reads=True),
)
OPERATIONS = {operation.name: operation for operation in _ALL}


def carry_out(sandbox: Sandbox, name: str, document: object) -> object:
    """Carry out an operation that was asked for over HTTP."""
    if name not in OPERATIONS:
        raise ApiError("404.1", f"{name} is none of {', '.join(OPERATIONS)}")
    if not isinstance(document, dict):
        raise ApiError("400", "a JSON object is wanted")
    try:
        return OPERATIONS[name].run(sandbox, document)
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError("400", str(error.args[0] if error.args else error)) from error
