"""What an invented household earns, spends and moves: exactly as many transactions as asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from ynab_sandbox import names as words
from ynab_sandbox.money import MILLIUNITS
from ynab_sandbox.tables import Fields, new_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.household import Inventor
    from ynab_sandbox.ledger import Special

FLAGS = ("red", "orange", "yellow", "green", "blue", "purple", "")
MEMOS = ("weekly shop", "birthday", "with friends 🍜", "returned one", "split with Zoë")
#: Purchases a month that the salary is meant for; with more of them there is a bigger salary.
PURCHASES = 45


class Spending:
    """Invents the transactions of a household whose accounts, categories and payees exist."""

    def __init__(self, home: Inventor, special: Special) -> None:
        """Takes the household.

        Args:
            home: the household so far.
            special: the categories that YNAB itself makes.
        """
        self.home = home
        self.special = special
        self.random = home.random
        months = len(home.tables["months"])
        self.scale = max(1, home.size.transactions // (months * PURCHASES))

    def transactions(self) -> list[Fields]:
        """Exactly as many transactions as the household's size says, by date."""
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
        """What happens in a household besides purchases, the things to be seen first."""
        yield from self._beginnings()
        for month in sorted(self.home.tables["months"], reverse=True):
            start = date.fromisoformat(str(month))
            for event in self._month(start):
                if all(fields["date"] <= self.home.today.isoformat() for fields in event):
                    yield event

    def _beginnings(self) -> Iterator[list[Fields]]:
        start = {
            "checking": 3200,
            "savings": 5000,
            "cash": 80,
            "card": -640,
            "loan": -240000,
            "asset": 310000,
            "closed": 150,
        }
        for role, account_id in self.home.accounts.items():
            on_budget = role not in {"loan", "asset"}
            yield [
                self._make(
                    self.home.first,
                    start[role] * MILLIUNITS,
                    account_id=account_id,
                    payee_id=self.home.payees[words.STARTING_BALANCE],
                    category_id=self.special.inflow if on_budget else None,
                )
            ]
        if "closed" in self.home.accounts:
            moved = self.home.first + timedelta(days=20)
            yield self._transfer(moved, 150 * MILLIUNITS, "closed", "checking")
        yield from (self._split(self.home.today - timedelta(days=days)) for days in (2, 40))
        yield [self._refund(self.home.today - timedelta(days=9))]
        yield [self._realised(self.home.today - timedelta(days=15))]
        day = self.home.today - timedelta(days=1)
        yield [self._make(day, -7250, account_id=self.home.accounts["card"], approved=False)]

    def _month(self, start: date) -> Iterator[list[Fields]]:
        employer, salary = self.home.names.salary
        for day in (1, 15):
            yield [
                self._make(
                    start.replace(day=day),
                    salary * self.scale * MILLIUNITS,
                    payee_id=self.home.payees[employer],
                    category_id=self.special.inflow,
                )
            ]
        if self.home.names.loan:
            yield self._loan_payment(start.replace(day=2))
            yield [self._loan_interest(start.replace(day=3))]
        # What is moved is a share of the income, in thousandths: just what milliunits are.
        income = 2 * salary * self.scale
        card = income * self.random.randint(150, 182)
        yield self._transfer(start.replace(day=25), card, "checking", "card")
        savings = income * self.random.randint(1, 5) * 15
        yield self._transfer(start.replace(day=16), savings, "checking", "savings")
        yield self._transfer(start.replace(day=6), income * 25, "checking", "cash")
        for payee, category, amount, day in self.home.names.bills:
            yield [self._bill(start.replace(day=day), payee, category, amount)]
        yield self._split(start.replace(day=self.random.randint(1, 28)))

    def _make(self, day: date, amount: int, **fields: object) -> Fields:
        """A transaction, cleared according to how long ago it was."""
        age = (self.home.today - day).days
        cleared = "uncleared" if age < 4 else "cleared" if age < 30 else "reconciled"  # noqa: PLR2004 - days
        made = new_fields(
            "transactions", self.home.new_id(), date=max(day, self.home.first).isoformat()
        )
        made.update(amount=amount, cleared=cleared, account_id=self.home.accounts["checking"])
        made.update(category_id=self.special.uncategorized)
        made.update(fields)
        return made

    def _transfer(self, day: date, amount: int, source: str, target: str) -> list[Fields]:
        sides = [self._make(day, -amount), self._make(day, amount)]
        for side, other, ends in zip(
            sides, reversed(sides), ((source, target), (target, source)), strict=True
        ):
            own, far = (self.home.accounts[role] for role in ends)
            side.update(account_id=own, transfer_account_id=far, category_id=None)
            side["payee_id"] = self.home.tables["accounts"][far].fields["transfer_payee_id"]
            side["transfer_transaction_id"] = other["id"]
        return sides

    def _loan_payment(self, day: date) -> list[Fields]:
        sides = self._transfer(day, 1450 * MILLIUNITS, "checking", "loan")
        sides[0]["category_id"] = self.home.categories[str(self.home.names.loan)]
        sides[1]["debt_transaction_type"] = "payment"
        return sides

    def _loan_interest(self, day: date) -> Fields:
        return self._make(
            day,
            -690 * MILLIUNITS,
            account_id=self.home.accounts["loan"],
            payee_id=self.home.payees[words.INTEREST],
            category_id=None,
            debt_transaction_type="interest",
        )

    def _bill(self, day: date, payee: str, category: str, amount: int) -> Fields:
        cents = self.random.randint(-900, 900) * 10
        return self._make(
            day,
            -amount * MILLIUNITS + cents,
            payee_id=self.home.payees[payee],
            category_id=self.home.categories[category],
        )

    def _realised(self, day: date) -> Fields:
        payee, category, amount, _ = self.home.names.bills[0]
        made = self._bill(day, payee, category, amount)
        made["id"] = f"{made['id']}_{made['date']}"
        return made

    def _refund(self, day: date) -> Fields:
        made = self._purchase(day)
        made["amount"] = -made["amount"]
        made["memo"] = MEMOS[3]
        return made

    def _split(self, day: date) -> list[Fields]:
        """A purchase in two categories, with cash back: the last line is a transfer."""
        first, second = self.random.sample(self.home.names.shops, 2)
        cash = self.home.accounts["cash"]
        cash_payee = self.home.tables["accounts"][cash].fields["transfer_payee_id"]
        shares = [-self.random.randint(500, 4000) * 10 for _ in range(2)] + [-20 * MILLIUNITS]
        made = self._make(day, sum(shares), payee_id=self.home.payees[first[0]])
        back = self._make(day, 20 * MILLIUNITS, account_id=cash, category_id=None)
        checking = self.home.tables["accounts"][made["account_id"]].fields
        lines = [
            new_fields(
                "subtransactions", self.home.new_id(), transaction_id=made["id"], amount=share
            )
            for share in shares
        ]
        lines[0].update(category_id=self.home.categories[first[1]], memo=MEMOS[0])
        lines[1].update(category_id=self.home.categories[second[1]])
        lines[2].update(payee_id=cash_payee, transfer_account_id=cash)
        lines[2]["transfer_transaction_id"] = back["id"]
        back.update(payee_id=checking["transfer_payee_id"], transfer_account_id=checking["id"])
        back["transfer_transaction_id"] = lines[2]["id"]
        made.update(category_id=self.special.split, subtransactions=tuple(lines))
        return [made, back]

    def _purchase(self, day: date | None = None) -> Fields:
        chance = self.random.random
        payee, category, low, high = self.home.names.shops[
            int(chance() * len(self.home.names.shops))
        ]
        span = (self.home.today - self.home.first).days
        day = day or self.home.first + timedelta(days=int(chance() * (span + 1)))
        amount = -int((low + chance() * chance() * (high - low)) * 100) * 10
        role = "card" if (which := chance()) < 0.6 else "cash" if which > 0.9 else "checking"  # noqa: PLR2004 - shares
        made = self._make(
            day,
            amount,
            account_id=self.home.accounts[role],
            payee_id=self.home.payees[payee],
            category_id=self.home.categories[category],
        )
        self._decorate(made, payee, role)
        return made

    def _decorate(self, made: Fields, payee: str, role: str) -> None:
        """What some purchases have: a flag, a memo, an import that nobody approved yet."""
        chance = self.random.random()
        if chance < 0.04:  # noqa: PLR2004 - a share
            made["flag_color"] = self.random.choice(FLAGS)
            made["flag_name"] = "Tax" if made["flag_color"] == "red" else None
        elif chance < 0.12:  # noqa: PLR2004 - a share
            made["memo"] = self.random.choice(MEMOS)
        if role != "cash" and chance > 0.4:  # noqa: PLR2004 - a share
            number = int(made["id"][:4], 16)
            made["import_id"] = f"YNAB:{made['amount']}:{made['date']}:{number}"
            made["import_payee_name"] = payee
            made["import_payee_name_original"] = f"{payee.upper()} #{number}"
            made["approved"] = made["cleared"] != "uncleared"

    def _match(self, chosen: list[Fields]) -> None:
        """Makes an imported and an entered purchase a matched pair."""
        imported = next((each for each in chosen if each["import_id"]), None)
        entered = next(
            (
                each
                for each in chosen
                if imported
                and not each["import_id"]
                and each["account_id"] == imported["account_id"]
                and each["transfer_account_id"] is None
            ),
            None,
        )
        if imported and entered:
            imported["matched_transaction_id"] = entered["id"]
            entered["matched_transaction_id"] = imported["id"]
