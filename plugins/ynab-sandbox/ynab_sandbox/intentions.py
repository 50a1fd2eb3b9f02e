"""What an invented household intends: scheduled transactions, and money moved where needed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ynab_sandbox import names as words
from ynab_sandbox.money import MILLIUNITS
from ynab_sandbox.tables import new_fields

if TYPE_CHECKING:
    from ynab_sandbox.household import Inventor
    from ynab_sandbox.ledger import Special
    from ynab_sandbox.tables import Fields


def schedule(home: Inventor, special: Special) -> None:
    """Schedules a transaction of every frequency, one of them split and one a transfer.

    Args:
        home: the household so far.
        special: the categories that YNAB itself makes.
    """
    shops = home.names.shops
    for number, frequency in enumerate(words.FREQUENCIES):
        payee, category, low, _ = shops[number % len(shops)]
        ahead = (home.today + timedelta(days=3 + number)).isoformat()
        identity = home.put(
            "scheduled_transactions",
            date_first=(home.first + timedelta(days=number)).isoformat(),
            date_next=ahead,
            frequency=frequency,
            amount=-low * MILLIUNITS,
            memo=f"Planned: {frequency}",
            flag_color=("", None, "green")[number % 3],
            account_id=home.accounts["checking"],
            payee_id=home.payees[payee],
            category_id=home.categories[category],
        )
        fields = home.tables["scheduled_transactions"][identity].fields
        if frequency == "monthly":
            _split(home, fields, special)
        elif frequency == "twiceAMonth":
            savings = home.tables["accounts"][home.accounts["savings"]].fields
            fields["payee_id"] = savings["transfer_payee_id"]
            fields["transfer_account_id"] = savings["id"]
            fields["category_id"] = None


def _split(home: Inventor, fields: Fields, special: Special) -> None:
    shares = (fields["amount"] // 4, fields["amount"] - fields["amount"] // 4)
    fields["category_id"] = special.split
    fields["subtransactions"] = tuple(
        new_fields(
            "scheduled_subtransactions",
            home.new_id(),
            scheduled_transaction_id=fields["id"],
            amount=amount,
            category_id=home.categories[shop[1]],
        )
        for amount, shop in zip(shares, home.names.shops, strict=False)
    )


def move_money(home: Inventor) -> None:
    """Moves money between categories in the last six months.

    Args:
        home: the household so far.
    """
    spendable = [home.categories[shop[1]] for shop in home.names.shops]
    for month in sorted(str(key) for key in home.tables["months"])[-6:]:
        stamp = f"{month[:8]}02T09:30:00Z"
        group = home.put(
            "money_movement_groups",
            group_created_at=stamp,
            month=month,
            note=home.random.choice((None, "Covering the overspending")),
            performed_by_user_id=home.user_id,
        )
        for _ in range(3):
            source, target = home.random.sample(spendable, 2)
            home.put(
                "money_movements",
                month=month,
                moved_at=stamp,
                money_movement_group_id=group,
                performed_by_user_id=home.user_id,
                from_category_id=source,
                to_category_id=target,
                amount=home.random.randint(1, 40) * MILLIUNITS,
            )
