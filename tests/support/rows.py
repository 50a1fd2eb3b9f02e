"""What the tables must hold: the sandbox's own entities, field by field."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

BUDGET_STREAMS = (
    "accounts",
    "category_groups",
    "categories",
    "payees",
    "payee_locations",
    "transactions",
    "scheduled_transactions",
    "months",
    "month_categories",
    "money_movements",
    "money_movement_groups",
)
#: What YNAB has; the tap's own history of runs, the stream `syncs`, comes to that.
STREAMS = ("budgets", *BUDGET_STREAMS)
#: Of these YNAB gives no deltas.
FULL_STREAMS = {"budgets", "payee_locations", "money_movements", "money_movement_groups"}
DELTA_STREAMS = set(STREAMS) - FULL_STREAMS
FORMATTED = ("_formatted", "_currency")
#: What YNAB takes from another row when one is read. In one that has not changed since, it may be
#: old; not so in transactions, which the tap puts right.
JOINED = {
    "categories": {"category_group_name"},
    "month_categories": {
        "category_group_name",
        "name",
        "note",
        "hidden",
        "internal",
        "category_group_id",
    },
}

Row = dict[str, Any]


class Alive(Protocol):
    """A database, or what stands for it."""

    def alive(self, stream: str) -> dict[str, Row]:
        """Rows that count, by id."""


def assert_equal(database: Alive, sandbox: Sandbox, *, old_names: bool = False) -> None:
    """Each stream's live rows are the sandbox's live entities."""
    assert set(database.alive("budgets")) == {budget.id for budget in sandbox.budgets}
    for stream in BUDGET_STREAMS:
        wanted = {
            row["id"]: row for budget in sandbox.budgets for row in wanted_rows(budget, stream)
        }
        rows = database.alive(stream)
        old = JOINED.get(stream, set()) if old_names else set()
        assert rows.keys() == wanted.keys(), (
            f"{stream}: {len(wanted.keys() - rows.keys())} are missing, "
            f"{len(rows.keys() - wanted.keys())} are too many"
        )
        for identity, fields in wanted.items():
            stored = {name: plain(rows[identity][name]) for name in fields}
            stored, wanted_now = without(old, stored), without(old, fields)
            other = {n: (stored[n], v) for n, v in wanted_now.items() if stored[n] != v}
            assert not other, (stream, identity, "column: (stored, wanted)", other)


def without(names: set[str], value: Any) -> Any:
    """A row, or what is nested in it, without these fields."""
    if isinstance(value, dict):
        return {name: without(names, v) for name, v in value.items() if name not in names}
    return [without(names, item) for item in value] if isinstance(value, list) else value


def wanted_rows(budget: Budget, stream: str) -> list[Row]:
    """The rows of a stream, with what the tap adds to YNAB's fields."""
    types = {account["id"]: account["type"] for account in budget.entities("accounts")}
    rows = []
    for entity in json.loads(json.dumps(budget.entities(stream))):
        row = {name: value for name, value in entity.items() if not name.endswith(FORMATTED)}
        row["budget_id"] = budget.id
        if stream == "months":
            row["id"] = f"{budget.id}|{row['month']}"
        if stream == "month_categories":
            row["category_id"] = row["id"]
            row["id"] = f"{budget.id}|{row['month']}|{row['id']}"
        if stream == "transactions":
            row["is_split"] = bool(row["subtransactions"])
            row["account_type"] = types[row["account_id"]]
        rows.append({name: moment(name, value) for name, value in row.items()})
    return rows


def moment(name: str, value: object) -> object:
    """A date-time as PostgreSQL gives it back; anything else as it is."""
    if isinstance(value, str) and name.endswith("_at"):
        return value.replace(".000", "").removesuffix("Z")
    return value


def plain(value: object) -> object:
    """A value of a column as JSON has it."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
