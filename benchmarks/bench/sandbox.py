"""The account that everything is measured against: a sandbox in a process of its own."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.programs import Program

#: Where the sandbox's clock stands, so that the same size is the same account, byte for byte.
TODAY = "2026-11-21"
TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but invented data
EVERYTHING = "1970-01-01"

Row = dict[str, Any]


class Account:
    """A sandbox account while it runs.

    Attributes:
        url: the API's base address.
    """

    def __init__(self, url: str) -> None:
        """Knows where it is.

        Args:
            url: the API's base address.
        """
        self.url = url

    def operate(self, operation: str, /, **document: object) -> Any:
        """Does something to it, as a person in YNAB's app would.

        Args:
            operation: its name.
            document: what it takes.
        """
        return self._open("/sandbox/" + operation, json.dumps(document).encode())["data"]

    def state(self) -> Row:
        """What is in it."""
        found: Row = self._open("/sandbox/state")["data"]
        return found

    @property
    def budgets(self) -> list[Row]:
        """Its budgets."""
        found: list[Row] = self.state()["budgets"]
        return found

    def count(self, kind: str) -> int:
        """How many there are, in all budgets.

        Args:
            kind: such as `transactions`.
        """
        return sum(budget[kind] for budget in self.budgets)

    def rows(self, kind: str) -> dict[str, Row]:
        """All there are, in all budgets, by id; what was deleted is not among them.

        Args:
            kind: such as `transactions`.
        """
        budgets = [budget["id"] for budget in self.budgets]
        return {row["id"]: row for budget in budgets for row in self.budget_rows(kind, budget)}

    def budget_rows(self, kind: str, budget: str | None = None) -> list[Row]:
        """Those of one budget.

        Args:
            kind: such as `transactions`.
            budget: its id; by default the first one.
        """
        found: list[Row] = self.operate("entities", kind=kind, budget=budget)
        return found

    def requests(self) -> int:
        """How many requests it got since this was asked last."""
        count: int = self.state()["requests"]
        self.operate("clear-requests")
        return count

    @property
    def transactions(self) -> str:
        """The address of all transactions of the first budget."""
        return f"{self.url}/plans/{self.budgets[0]['id']}/transactions?since_date={EVERYTHING}"

    def answer(self) -> bytes:
        """What stands there."""
        return self._read(self.transactions)

    def prepare(self) -> None:
        """Lets the sandbox make its largest answers, which it keeps until something changes."""
        for address in (self.transactions, self.transactions.partition("?")[0]):
            self._read(address)
        self.requests()

    def _open(self, path: str, document: bytes | None = None) -> Row:
        found: Row = json.loads(self._read(self.url.removesuffix("/v1") + path, document))
        return found

    def _read(self, url: str, document: bytes | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = Request(url, data=document, headers=headers)  # noqa: S310 - this machine's own
        with urlopen(request) as answer:  # noqa: S310 - likewise
            content: bytes = answer.read()
        return content


def without_null_maps(at: Account) -> None:
    """Has accounts without debts send empty maps, as YNAB does, where it could also send null.

    sqlite-export-for-ynab would stop at a null, and there would be nothing to compare.

    Args:
        at: the account.
    """
    maps = ("debt_interest_rates", "debt_minimum_payments", "debt_escrow_amounts")
    for budget in at.budgets:
        for row in at.budget_rows("accounts", budget["id"]):
            empty: dict[str, Row] = {name: {} for name in maps if row[name] is None}
            if empty:
                at.operate("edit", kind="accounts", id=row["id"], fields=empty, budget=budget["id"])


@contextmanager
def account(tap: Program, transactions: int) -> Iterator[Account]:
    """A fresh account, while the context lasts.

    Args:
        tap: where the sandbox is installed.
        transactions: how many the first of its two budgets has.
    """
    options = ["--transactions", str(transactions), "--rate-limit", "0", "--today", TODAY]
    command = [tap.command("ynab-sandbox"), "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Account(next(iter(process.stdout or ())).strip())
        finally:
            process.terminate()
