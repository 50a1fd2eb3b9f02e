"""An ordinary day in a household: a purchase, an edit and a deletion, to show a delta."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields

FEWEST = 3


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
