"""The budgets that the token sees: the first request of each run."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from contextlib import closing
from functools import cached_property

from tap_ynab.errors import AccountError, NotFoundError
from tap_ynab.json_text import LONGEST

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_ynab.client import YNABClient

    Budget = dict[str, t.Any]

_ID = re.compile(r"[0-9a-f-]{1,36}")
#: Budgets of an account, each of which takes at least a request of the 200 an hour.
MOST_BUDGETS = 1000
#: Characters of a budget's name that the log shows.
LONGEST_NAME = 100


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
        """Every budget that the token sees, with its accounts, for no additional request."""
        return [budget for budget in self._listed if is_budget_id(budget.get("id"))]

    @cached_property
    def _listed(self) -> list[Budget]:
        try:
            with closing(self._client.get("/plans", include_accounts="true")) as response:
                if response.size > LONGEST:
                    raise AccountError(
                        f"A list of budgets of more than {LONGEST >> 20} MiB is none of YNAB's. "
                        "Check api_url."
                    )
                listed = list(response.rows("plans"))
        except NotFoundError:
            return []
        if len(listed) > MOST_BUDGETS:
            raise AccountError(
                f"A list of more than {MOST_BUDGETS} budgets is none of YNAB's. Check api_url."
            )
        return listed

    @property
    def is_known(self) -> bool:
        """True if the budgets have been requested."""
        return "_listed" in vars(self)

    @cached_property
    def budgets(self) -> list[Budget]:
        """Budgets to read.

        Raises:
            AccountError: The token does not see one of `budget_ids`.
        """
        # Of two with the same id, the last one counts, as it does for a loader.
        found = {budget["id"]: budget for budget in self.all_budgets}
        if unknown := [budget_id for budget_id in self._wanted if budget_id not in found]:
            seen = ", ".join(f"{b['id']} ({_name(b)})" for b in self.all_budgets)
            # Anything but an id may be a token in the wrong place.
            named = (one if _ID.fullmatch(one) else "that is no id" for one in unknown)
            raise AccountError(
                f"budget_ids: the token sees no budget {', '.join(named)}. It sees: "
                f"{seen or 'none'}."
            )
        return [found[budget_id] for budget_id in self._wanted or found]

    @property
    def budget_ids(self) -> list[str]:
        """Ids of the budgets to read."""
        return [budget["id"] for budget in self.budgets]

    def budget(self, budget_id: str) -> Budget:
        """Return a budget, as YNAB lists it."""
        return next(budget for budget in self.budgets if budget["id"] == budget_id)

    def label(self, budget_id: str) -> str:
        """Return a budget's name for the log; with its id, if another has the same name."""
        return self._labels[budget_id]

    @cached_property
    def _labels(self) -> dict[str, str]:
        names = {one["id"]: _name(one) for one in self.budgets}
        same = Counter(names.values())
        return {i: name if same[name] == 1 else f"{name} ({i})" for i, name in names.items()}

    @property
    def has_all_budgets(self) -> bool:
        """True if the run reads all budgets of the account, and there are any."""
        return bool(self.budgets) and not self._wanted and not self.has_unreadable_budgets

    @property
    def has_unreadable_budgets(self) -> bool:
        """True if there are budgets with an id that no request could hold."""
        return len(self.all_budgets) < len(self._listed)

    @cached_property
    def account_types(self) -> dict[str, str | None]:
        """Type of each account by its id."""
        lists = (budget.get("accounts") for budget in self.budgets)
        accounts = (one for some in lists if isinstance(some, list) for one in some)
        return {str(a.get("id")): a.get("type") for a in accounts if isinstance(a, dict)}


def is_budget_id(value: object) -> bool:
    """Tell if a value is an id that an address can hold: YNAB's are UUIDs."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\w-]{1,100}", value, re.ASCII))


def _name(budget: Budget) -> str:
    name = str(budget.get("name"))
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
