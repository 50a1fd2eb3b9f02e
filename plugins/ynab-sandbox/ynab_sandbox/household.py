"""An invented household: accounts, payees, categories, months, and what is budgeted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ynab_sandbox.changes import Change
from ynab_sandbox.clock import month_of
from ynab_sandbox.home import Home
from ynab_sandbox.money import MILLIUNITS
from ynab_sandbox.names import INFLOW, INTEREST, OFF_BUDGET, STARTING_BALANCE, UNCATEGORIZED
from ynab_sandbox.schedule import move_money, schedule
from ynab_sandbox.spending import Spending
from ynab_sandbox.sums import add_months, settle
from ynab_sandbox.tables import Special

if TYPE_CHECKING:
    from datetime import date

    from ynab_sandbox.home import Size
    from ynab_sandbox.names import Names
    from ynab_sandbox.tables import Fields

#: What is budgeted is rounded up to this.
STEP = 5 * MILLIUNITS
#: The loan's rate in thousandths of a percent, and its monthly amounts in milliunits.
DEBT = {"interest_rates": 3650, "minimum_payments": 1_450_000, "escrow_amounts": 310_000}


def invent(names: Names, size: Size, seed: object, today: date) -> Home:
    """Invent a household."""
    home = Home(names, size, seed, today)
    _add_payees(home)
    _add_accounts(home)
    _add_categories(home)
    _add_months(home)
    change = _change(home)
    for fields in Spending(home).transactions():
        change.put("transactions", fields["id"], fields)
    settle(change)
    _assign_money(home)
    schedule(home)
    move_money(home)
    _number(home)
    return home


def _add_payees(home: Home) -> None:
    shops = [shop[0] for shop in home.names.shops]
    bills = [bill[0] for bill in home.names.bills]
    for name in (STARTING_BALANCE, INTEREST, home.names.salary[0], *bills, *shops):
        home.payees[name] = home.put("payees", name=name)
    for name in shops[:3]:
        north, east = home.random.uniform(35, 48), home.random.uniform(-120, 12)
        place = {"latitude": f"{north:.6f}", "longitude": f"{east:.6f}"}
        home.put("payee_locations", payee_id=home.payees[name], **place)


def _add_accounts(home: Home) -> None:
    for role, (name, kind) in home.names.accounts.items():
        payee = home.put("payees", name=f"Transfer : {name}")
        home.accounts[role] = home.put(
            "accounts",
            name=name,
            type=kind,
            on_budget=role not in OFF_BUDGET,
            closed=role == "closed",
            transfer_payee_id=payee,
            direct_import_linked=role in {"checking", "card"},
            last_reconciled_at=f"{home.today - timedelta(days=30)}T08:15:30.000Z",
            **_debt(home, role),
        )
        home.fields("payees", payee)["transfer_account_id"] = home.accounts[role]
    home.fields("accounts", home.accounts["checking"])["note"] = "Joint account 👫"


def _debt(home: Home, role: str) -> Fields:
    if role == "loan":
        return {f"debt_{name}": {home.first.isoformat(): DEBT[name]} for name in DEBT}
    return {f"debt_{name}": {} for name in DEBT} if role == "card" else {}


def _add_categories(home: Home) -> None:
    _add_group(home, "Internal Master Category", {INFLOW: {}, UNCATEGORIZED: {}}, internal=True)
    _add_group(home, "Credit Card Payments", {home.names.accounts["card"][0]: {}})
    for group, goals in home.names.groups.items():
        _add_group(home, group, goals)
    _add_group(home, "Hidden Categories", {"Old Gym": {}}, hidden=True)
    home.fields("categories", home.categories["Old Gym"])["note"] = "Cancelled"
    internal_ids = home.categories[INFLOW], home.categories[UNCATEGORIZED]
    home.special = Special(*internal_ids, split=home.random.new_id())


def _add_group(home: Home, group: str, goals: dict[str, Fields], **flags: bool) -> None:
    group_id = home.put("category_groups", name=group, **flags)
    for name, goal in goals.items():
        fields = {"category_group_id": group_id, "name": name, **flags, **_goal(home, goal)}
        home.categories[name] = home.put("categories", **fields)


def _goal(home: Home, goal: Fields) -> Fields:
    fields = {name: value for name, value in goal.items() if name.startswith("goal_")}
    if fields:
        fields["goal_target"] *= MILLIUNITS
        fields["goal_creation_month"] = home.first.isoformat()
    if "year_ahead" in goal:
        day = (home.today + timedelta(days=300)).isoformat()
        fields["goal_target_month"] = fields["goal_target_date"] = day
    if "snoozed" in goal:
        fields["goal_snoozed_at"] = f"{home.today.replace(day=1)}T07:00:00Z"
    return fields


def _add_months(home: Home) -> None:
    change = _change(home)
    for month in (home.first.isoformat(), change.month):
        add_months(change, month)
    for key, row in home.tables["months"].items():
        row.fields["note"] = "Summer trip 🏖" if str(key)[5:7] == "07" else None
        row.fields["age_of_money"] = home.random.randint(18, 60)


def _change(home: Home) -> Change:
    today = home.today.isoformat()
    return Change(home.tables, home.special, today, month_of(today), home.random.new_id)


def _assign_money(home: Home) -> None:
    """Budget for each month about what it took, and most of what is left for savings."""
    change = _change(home)
    rows = home.tables["month_categories"]
    for month in home.tables["months"]:
        left = rows[str(month), home.special.inflow].fields["activity"]
        for category_id in home.categories.values():
            key = (str(month), category_id)
            spent = -rows[key].fields["activity"]
            if spent > 0 and category_id not in {home.special.inflow, home.special.uncategorized}:
                budgeted = -(-spent // STEP) * STEP
                change.update("month_categories", key, budgeted=budgeted)
                left -= budgeted
        if left > 0:
            key = (str(month), home.categories[home.names.savings])
            budgeted = rows[key].fields["budgeted"] + left * 9 // 10
            change.update("month_categories", key, budgeted=budgeted)
    settle(change)


def _number(home: Home) -> None:
    """Spread the `server_knowledge` over the entities: later ones changed later."""
    for table in home.tables.values():
        for number, row in enumerate(table.values()):
            row.knowledge = 1 + number * (home.size.knowledge - 1) // len(table)
