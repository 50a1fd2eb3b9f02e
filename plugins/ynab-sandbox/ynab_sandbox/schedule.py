"""Scheduled transactions of an invented household, and money moved between its categories."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ynab_sandbox.money import MILLIUNITS
from ynab_sandbox.names import FREQUENCIES
from ynab_sandbox.tables import new_fields

if TYPE_CHECKING:
    from ynab_sandbox.home import Home
    from ynab_sandbox.tables import Fields


def schedule(home: Home) -> None:
    """Schedule a transaction of every frequency; one is split and one is a transfer."""
    shops = home.names.shops
    for number, frequency in enumerate(FREQUENCIES):
        payee, category, low, _ = shops[number % len(shops)]
        scheduled_id = home.put(
            "scheduled_transactions",
            date_first=(home.first + timedelta(days=number)).isoformat(),
            date_next=(home.today + timedelta(days=3 + number)).isoformat(),
            frequency=frequency,
            amount=-low * MILLIUNITS,
            memo=f"Planned: {frequency}",
            flag_color=("", None, "green")[number % 3],
            account_id=home.accounts["checking"],
            payee_id=home.payees[payee],
            category_id=home.categories[category],
        )
        fields = home.fields("scheduled_transactions", scheduled_id)
        if frequency == "monthly":
            _split(home, fields)
        elif frequency == "twiceAMonth":
            savings = home.fields("accounts", home.accounts["savings"])
            fields["payee_id"] = savings["transfer_payee_id"]
            fields["transfer_account_id"] = savings["id"]
            fields["category_id"] = None


def _split(home: Home, fields: Fields) -> None:
    shares = (fields["amount"] // 4, fields["amount"] - fields["amount"] // 4)
    fields["category_id"] = home.special.split
    fields["subtransactions"] = tuple(
        new_fields(
            "scheduled_subtransactions",
            home.random.new_id(),
            scheduled_transaction_id=fields["id"],
            amount=amount,
            category_id=home.categories[shop[1]],
        )
        for amount, shop in zip(shares, home.names.shops, strict=False)
    )


def move_money(home: Home) -> None:
    """Move money between categories in each of the last six months."""
    spendable = [home.categories[shop[1]] for shop in home.names.shops]
    for month in sorted(str(key) for key in home.tables["months"])[-6:]:
        moved_at = f"{month[:8]}02T09:30:00Z"
        shared = {"month": month, "performed_by_user_id": home.user_id}
        note = home.random.choice((None, "Covering the overspending"))
        group = home.put("money_movement_groups", group_created_at=moved_at, note=note, **shared)
        shared |= {"money_movement_group_id": group, "moved_at": moved_at}
        for _ in range(3):
            source, target = home.random.sample(spendable, 2)
            shared |= {"from_category_id": source, "to_category_id": target}
            home.put("money_movements", amount=home.random.randint(1, 40) * MILLIUNITS, **shared)
