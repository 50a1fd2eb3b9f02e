"""An ordinary day in a household: a few edits and a deletion, for whoever wants to see a delta."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields


def live(budget: Budget) -> list[str]:
    """Lets a day go by.

    Args:
        budget: the plan of the household.

    Returns:
        What happened, a sentence each.
    """
    plain = [row for row in budget.entities("transactions") if _is_plain(row)]
    # Each day finds other ones; both are moved by the counter, so that days can be repeated.
    old = plain[budget.server_knowledge % (len(plain) // 10)]
    wrong = plain[-1 - budget.server_knowledge % (len(plain) // 10)]
    like = next(row for row in reversed(plain) if row["category_id"] and row is not wrong)
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
    """Whether a transaction is neither split nor a transfer, and somebody was paid."""
    return not row["subtransactions"] and not row["transfer_account_id"] and bool(row["payee_id"])
