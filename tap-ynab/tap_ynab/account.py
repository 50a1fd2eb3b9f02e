"""The budgets that the token sees: the first request of each run."""

from __future__ import annotations

import re
import typing as t
from contextlib import closing
from functools import cached_property

from tap_ynab.errors import AccountError, NotFoundError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_ynab.client import YNABClient

    Budget = dict[str, t.Any]

_ID = re.compile(r"[0-9a-f-]{1,36}")


class Account:
    """The budgets of a run, which YNAB lists as plans."""

    def __init__(self, client: YNABClient, budget_ids: Sequence[str]) -> None:
        """Request nothing yet.

        Args:
            client: Sends the request.
            budget_ids: Ids of the budgets to read; all if empty.
        """
        self._client = client
        self._wanted = [budget_id.strip().lower() for budget_id in budget_ids]

    @cached_property
    def all_budgets(self) -> list[Budget]:
        """Every budget that the token sees, with its accounts, for no additional request.

        Raises:
            AccountError: What the server lists is no budget.
        """
        try:
            with closing(self._client.get("/plans", include_accounts="true")) as response:
                found: list[t.Any] = list(response.rows("plans"))
        except NotFoundError:
            return []
        if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in found):
            raise AccountError("/plans: the answer lists a budget without an id. Check api_url.")
        return found

    @property
    def is_known(self) -> bool:
        """Whether the budgets have been requested."""
        return "all_budgets" in vars(self)

    @cached_property
    def budgets(self) -> list[Budget]:
        """Budgets to read.

        Raises:
            AccountError: The token does not see one of `budget_ids`.
        """
        found = {budget["id"]: budget for budget in self.all_budgets}
        if unknown := [budget_id for budget_id in self._wanted if budget_id not in found]:
            seen = ", ".join(f"{b['id']} ({b.get('name')})" for b in self.all_budgets)
            # Anything but an id may be a token in the wrong place.
            named = (one if _ID.fullmatch(one) else "that is no id" for one in unknown)
            raise AccountError(
                f"budget_ids: the token sees no budget {', '.join(named)}. It sees: "
                f"{seen or 'none'}."
            )
        return [found[budget_id] for budget_id in self._wanted] or self.all_budgets

    @property
    def budget_ids(self) -> list[str]:
        """Ids of the budgets to read."""
        return [budget["id"] for budget in self.budgets]

    def budget(self, budget_id: str) -> Budget:
        """Return a budget, as YNAB lists it."""
        return next(budget for budget in self.budgets if budget["id"] == budget_id)

    def label(self, budget_id: str) -> str:
        """Return a budget's name for the log; with its id, if another has the same name."""
        name = str(self.budget(budget_id).get("name"))
        same = [one for one in self.budgets if str(one.get("name")) == name]
        return name if len(same) == 1 else f"{name} ({budget_id})"

    @property
    def has_all_budgets(self) -> bool:
        """Whether the run reads all budgets of the account, and there are any."""
        return bool(self.budgets) and not self._wanted

    @cached_property
    def account_types(self) -> dict[str, str | None]:
        """Type of each account by its id."""
        lists = (budget.get("accounts") for budget in self.budgets)
        accounts = (one for some in lists if isinstance(some, list) for one in some)
        return {str(a.get("id")): a.get("type") for a in accounts if isinstance(a, dict)}
