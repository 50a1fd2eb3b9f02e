"""Transactions of an invented household: exactly as many as its size says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from ynab_sandbox.money import MILLIUNITS
from ynab_sandbox.names import INTEREST, OFF_BUDGET, STARTING_BALANCE
from ynab_sandbox.tables import Fields, new_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.home import Home

FLAGS = ("red", "orange", "yellow", "green", "blue", "purple", "")
MEMOS = ("weekly shop", "birthday", "with friends 🍜", "returned one", "split with Zoë")
#: Purchases a month that the salary is enough for; with more of them the salary is larger.
PURCHASES = 45
#: Balances to start with, by role of the account, in whole currency units.
STARTING_BALANCES = {"checking": 3200, "savings": 5000, "cash": 80, "card": -640, "closed": 150}
STARTING_BALANCES |= {"loan": -240_000, "asset": 310_000}
#: For how many days a transaction is uncleared, and then cleared but not reconciled.
UNCLEARED_DAYS, CLEARED_DAYS = 4, 30
#: Shares of purchases.
BY_CARD, BY_CASH, FLAGGED, WITH_MEMO, ENTERED = 0.6, 0.1, 0.04, 0.08, 0.4


class Spending:
    """Invents the transactions of a household whose accounts, categories and payees exist."""

    def __init__(self, home: Home) -> None:
        """Take the household."""
        self.home = home
        self.random = home.random
        months = len(home.tables["months"])
        self.scale = max(1, home.size.transactions // (months * PURCHASES))

    def transactions(self) -> list[Fields]:
        """Return the transactions, by date."""
        wanted = self.home.size.transactions
        chosen: list[Fields] = []
        for event in self._events():
            if len(chosen) + len(event) <= wanted:
                chosen += event
        while len(chosen) < wanted:
            chosen.append(self._purchase())
        self._match(chosen)
        chosen.sort(key=lambda fields: str(fields["date"]))
        return chosen

    def _events(self) -> Iterator[list[Fields]]:
        """Yield what happens besides purchases, the most telling first, then the latest."""
        yield from self._beginnings()
        for month in sorted(self.home.tables["months"], reverse=True):
            start = date.fromisoformat(str(month))
            for event in self._month(start):
                if all(fields["date"] <= self.home.today.isoformat() for fields in event):
                    yield event

    def _beginnings(self) -> Iterator[list[Fields]]:
        home, today = self.home, self.home.today
        for role in home.accounts:
            category_id = None if role in OFF_BUDGET else home.special.inflow
            amount = STARTING_BALANCES[role] * MILLIUNITS
            yield [self._make(home.first, amount, role, STARTING_BALANCE, category_id=category_id)]
        if "closed" in home.accounts:
            moved = home.first + timedelta(days=20)
            yield self._transfer(moved, 150 * MILLIUNITS, "closed", "checking")
        yield from (self._split(today - timedelta(days=days)) for days in (2, 40))
        refund = self._purchase(today - timedelta(days=9))
        yield [{**refund, "amount": -refund["amount"], "memo": "returned one"}]
        # A bill that was a scheduled transaction before.
        bill = self._bill(today - timedelta(days=15), *home.names.bills[0][:3])
        yield [{**bill, "id": f"{bill['id']}_{bill['date']}"}]
        yield [self._make(today - timedelta(days=1), -7250, role="card", approved=False)]

    def _month(self, start: date) -> Iterator[list[Fields]]:
        employer, salary = self.home.names.salary
        amount, inflow = salary * self.scale * MILLIUNITS, self.home.special.inflow
        for day in (start, start.replace(day=15)):
            yield [self._make(day, amount, payee=employer, category_id=inflow)]
        if self.home.names.loan:
            paid, received = self._transfer(start.replace(day=2), 1_450_000, "checking", "loan")
            paid["category_id"] = self.home.categories[self.home.names.loan]
            received["debt_transaction_type"] = "payment"
            yield [paid, received]
            interest = {"category_id": None, "debt_transaction_type": "interest"}
            yield [self._make(start.replace(day=3), -690_000, "loan", INTEREST, **interest)]
        # Shares of the income in thousandths, which makes them milliunits.
        income = 2 * salary * self.scale
        card = income * self.random.randint(150, 182)
        yield self._transfer(start.replace(day=25), card, "checking", "card")
        savings = income * self.random.randint(1, 5) * 15
        yield self._transfer(start.replace(day=16), savings, "checking", "savings")
        yield self._transfer(start.replace(day=6), income * 25, "checking", "cash")
        for payee, category, bill, number in self.home.names.bills:
            yield [self._bill(start.replace(day=number), payee, category, bill)]
        yield self._split(start.replace(day=self.random.randint(1, 28)))

    def _make(
        self, day: date, amount: int, role: str = "checking", payee: str = "", **fields: object
    ) -> Fields:
        """Return a transaction, cleared according to its age."""
        home, age = self.home, (self.home.today - day).days
        cleared = "reconciled" if age >= CLEARED_DAYS else "cleared"
        made = new_fields(
            "transactions",
            self.random.new_id(),
            date=max(day, home.first).isoformat(),
            amount=amount,
            cleared="uncleared" if age < UNCLEARED_DAYS else cleared,
            account_id=home.accounts[role],
            payee_id=home.payees.get(payee),
            category_id=home.special.uncategorized,
        )
        return {**made, **fields}

    def _transfer(self, day: date, amount: int, source: str, target: str) -> list[Fields]:
        paid = self._make(day, -amount, role=source, category_id=None)
        received = self._make(day, amount, role=target, category_id=None)
        for side, other in ((paid, received), (received, paid)):
            self._link(side, other, other["account_id"])
        return [paid, received]

    def _link(self, side: Fields, other: Fields, account_id: str) -> None:
        """Make a transaction or subtransaction a transfer; the other side is in the account."""
        side["payee_id"] = self.home.fields("accounts", account_id)["transfer_payee_id"]
        side["transfer_account_id"] = account_id
        side["transfer_transaction_id"] = other["id"]

    def _bill(self, day: date, payee: str, category: str, amount: int) -> Fields:
        exact = -amount * MILLIUNITS + self.random.randint(-900, 900) * 10
        return self._make(day, exact, payee=payee, category_id=self.home.categories[category])

    def _split(self, day: date) -> list[Fields]:
        """Return a purchase in two categories with cash back: the last line is a transfer."""
        home = self.home
        first, second = self.random.sample(home.names.shops, 2)
        shares = [-self.random.randint(500, 4000) * 10 for _ in range(2)] + [-20 * MILLIUNITS]
        made = self._make(day, sum(shares), payee=first[0], category_id=home.special.split)
        back = self._make(day, 20 * MILLIUNITS, role="cash", category_id=None)
        lines = [
            new_fields(
                "subtransactions", home.random.new_id(), transaction_id=made["id"], amount=share
            )
            for share in shares
        ]
        lines[0].update(category_id=home.categories[first[1]], memo=MEMOS[0])
        lines[1].update(category_id=home.categories[second[1]])
        self._link(lines[2], back, back["account_id"])
        self._link(back, lines[2], made["account_id"])
        made["subtransactions"] = tuple(lines)
        return [made, back]

    def _purchase(self, day: date | None = None) -> Fields:
        chance, shops = self.random.random, self.home.names.shops
        payee, category, low, high = shops[int(chance() * len(shops))]
        span = (self.home.today - self.home.first).days
        day = day or self.home.first + timedelta(days=int(chance() * (span + 1)))
        amount = -int((low + chance() * chance() * (high - low)) * 100) * 10
        which = chance()
        role = "card" if which < BY_CARD else "cash" if which > 1 - BY_CASH else "checking"
        made = self._make(day, amount, role, payee, category_id=self.home.categories[category])
        self._decorate(made, payee, role)
        return made

    def _decorate(self, made: Fields, payee: str, role: str) -> None:
        """Give some purchases a flag, a memo, or an import that is not approved yet."""
        chance = self.random.random()
        if chance < FLAGGED:
            made["flag_color"] = self.random.choice(FLAGS)
            made["flag_name"] = "Tax" if made["flag_color"] == "red" else None
        elif chance < FLAGGED + WITH_MEMO:
            made["memo"] = self.random.choice(MEMOS)
        if role != "cash" and chance > ENTERED:
            number = int(made["id"][:4], 16)
            made["import_id"] = f"YNAB:{made['amount']}:{made['date']}:{number}"
            made["import_payee_name"] = payee
            made["import_payee_name_original"] = f"{payee.upper()} #{number}"
            made["approved"] = made["cleared"] != "uncleared"

    def _match(self, chosen: list[Fields]) -> None:
        """Make an imported and an entered purchase a matched pair."""
        imported = next((each for each in chosen if each["import_id"]), {"account_id": None})
        for entered in chosen:
            is_entered = not entered["import_id"] and not entered["transfer_account_id"]
            if is_entered and entered["account_id"] == imported["account_id"]:
                imported["matched_transaction_id"] = entered["id"]
                entered["matched_transaction_id"] = imported["id"]
                break
