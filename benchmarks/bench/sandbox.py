"""The account of all measurements: a sandbox in a process of its own."""

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
    """A running sandbox.

    Attributes:
        url: the address of its API.
    """

    def __init__(self, url: str) -> None:
        """Take the address of the API."""
        self.url = url

    def operate(self, operation: str, /, **document: object) -> Any:
        """Carry out an operation of the sandbox with these parameters."""
        return self._open("/sandbox/" + operation, json.dumps(document).encode())["data"]

    def state(self) -> Row:
        """Return what is in it."""
        found: Row = self._open("/sandbox/state")["data"]
        return found

    @property
    def budgets(self) -> list[Row]:
        """Its budgets, with counts of what is in them."""
        found: list[Row] = self.state()["budgets"]
        return found

    def count(self, kind: str) -> int:
        """Return how many entities of a kind there are in all budgets."""
        return sum(budget[kind] for budget in self.budgets)

    def rows(self, kind: str) -> dict[str, Row]:
        """Return all entities of a kind in all budgets by id, without deleted ones."""
        budgets = [budget["id"] for budget in self.budgets]
        return {row["id"]: row for budget in budgets for row in self.budget_rows(kind, budget)}

    def budget_rows(self, kind: str, budget: str | None = None) -> list[Row]:
        """Return all entities of a kind in a budget, by default the first one."""
        found: list[Row] = self.operate("entities", kind=kind, budget=budget)
        return found

    def requests(self) -> int:
        """Return how many requests it received since the last call."""
        count: int = self.state()["requests"]
        self.operate("clear-requests")
        return count

    @property
    def transactions(self) -> str:
        """The address of all transactions of the first budget."""
        return f"{self.url}/plans/{self.budgets[0]['id']}/transactions?since_date={EVERYTHING}"

    def answer(self) -> bytes:
        """Return the response with all transactions of the first budget."""
        return self._read(self.transactions)

    def prepare(self) -> None:
        """Have the sandbox make its largest responses, which it keeps until something changes."""
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
    """Give accounts without debts empty maps instead of null; YNAB sends either.

    sqlite-export-for-ynab would stop at a null, and there would be nothing to compare.
    """
    maps = ("debt_interest_rates", "debt_minimum_payments", "debt_escrow_amounts")
    for budget in at.budgets:
        for row in at.budget_rows("accounts", budget["id"]):
            empty: dict[str, Row] = {name: {} for name in maps if row[name] is None}
            if empty:
                at.operate("edit", kind="accounts", id=row["id"], fields=empty, budget=budget["id"])


@contextmanager
def account(tap: Program, transactions: int) -> Iterator[Account]:
    """Run a new sandbox while the context lasts.

    Args:
        tap: the environment in which the sandbox is installed.
        transactions: how many the first of its two budgets has.
    """
    options = ["--transactions", str(transactions), "--rate-limit", "0", "--today", TODAY]
    command = [tap.command("ynab-sandbox"), "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Account(next(iter(process.stdout or ())).strip())
        finally:
            process.terminate()
