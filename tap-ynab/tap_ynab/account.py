"""What the token sees: the first request of each run, and what follows from it."""

from __future__ import annotations

import typing as t
from contextlib import closing
from functools import cached_property

from tap_ynab.errors import AccountError, NotFoundError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_ynab.client import YNABClient

    Budget = dict[str, t.Any]


class Account:
    """The budgets of a run, as YNAB lists them under the name of plans."""

    def __init__(self, client: YNABClient, budget_ids: Sequence[str]) -> None:
        """Ask for nothing yet; without ids, all budgets are meant."""
        self._client = client
        self._wanted = [budget_id.strip().lower() for budget_id in budget_ids]

    @cached_property
    def all_budgets(self) -> list[Budget]:
        """Every budget that the token sees, each with its accounts, which cost no request more."""
        try:
            with closing(self._client.get("/plans", include_accounts="true")) as response:
                return list(response.rows("plans"))
        except NotFoundError:
            return []

    @property
    def is_known(self) -> bool:
        """Whether YNAB has been asked."""
        return "all_budgets" in vars(self)

    @cached_property
    def budgets(self) -> list[Budget]:
        """Budgets to be read.

        Raises:
            AccountError: One that was asked for is not there.
        """
        found = {budget["id"]: budget for budget in self.all_budgets}
        if unknown := [budget_id for budget_id in self._wanted if budget_id not in found]:
            seen = ", ".join(f"{b['id']} ({b['name']})" for b in self.all_budgets)
            raise AccountError(
                f"budget_ids: the token sees no budget {', '.join(unknown)}. It sees: "
                f"{seen or 'none'}."
            )
        return [found[budget_id] for budget_id in self._wanted] or self.all_budgets

    @property
    def budget_ids(self) -> list[str]:
        """Ids of the budgets to be read."""
        return [budget["id"] for budget in self.budgets]

    @property
    def is_whole(self) -> bool:
        """Whether these are all budgets there are, and there are any."""
        return bool(self.budgets) and not self._wanted

    @cached_property
    def account_types(self) -> dict[str, str]:
        """Type of each account by its id."""
        accounts = (budget.get("accounts") or () for budget in self.budgets)
        return {account["id"]: account["type"] for some in accounts for account in some}

    def require(self, budget_id: str) -> None:
        """Make sure that a budget is there, where a list of it is not.

        Raises:
            NotFoundError: It is gone.
        """
        self._client.get(f"/plans/{budget_id}/settings").close()
