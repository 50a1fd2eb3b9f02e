"""Names and habits of the invented households, as data.

Amounts are whole currency units; `household` and `spending` turn them into milliunits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ynab_sandbox.money import DOLLAR, EURO

if TYPE_CHECKING:
    from ynab_sandbox.tables import Fields

NEED: Fields = {"goal_type": "NEED", "goal_needs_whole_amount": False, "goal_cadence": 1}


@dataclass(frozen=True)
class Names:
    """Names of a household's entities, and how it spends."""

    budget: str
    currency: Fields
    accounts: dict[str, tuple[str, str]]  # name and type, by role
    groups: dict[str, dict[str, Fields]]  # categories by group, each with its goal
    shops: tuple[tuple[str, str, int, int], ...]  # payee, category, cheapest, dearest purchase
    salary: tuple[str, int]  # payer, and the amount paid twice a month
    bills: tuple[tuple[str, str, int, int], ...]  # payee, category, amount, day of the month
    savings: str  # category that gets what is left
    loan: str | None = None  # category of loan payments


HOUSEHOLD = Names(
    budget="Our Household",
    currency=DOLLAR,
    accounts={
        "checking": ("Everyday Checking", "checking"),
        "savings": ("Emergency Savings", "savings"),
        "cash": ("Wallet", "cash"),
        "card": ("Blue Visa", "creditCard"),
        "loan": ("Home Mortgage", "mortgage"),
        "asset": ("House on Elm Street", "otherAsset"),
        "closed": ("Old Credit Union", "checking"),
    },
    groups={
        "Immediate Obligations": {
            "Mortgage": {"goal_type": "DEBT", "goal_target": 1450},
            "Electric": {**NEED, "goal_target": 110, "goal_day": 12},
            "Water": {},
            "Internet": {**NEED, "goal_target": 65, "goal_cadence_frequency": 1},
            "Groceries": {**NEED, "goal_target": 150, "goal_cadence": 2, "goal_day": 6},
            "Transportation": {"goal_type": "MF", "goal_target": 180},
        },
        "True Expenses": {
            "Medical": {"goal_type": "TB", "goal_target": 1200},
            "Car Insurance": {"goal_type": "TBD", "goal_target": 900, "year_ahead": True},
            "Home Maintenance": {},
            "Gifts": {**NEED, "goal_target": 600, "goal_cadence": 13, "snoozed": True},
        },
        "Quality of Life": {
            "Dining Out": {"goal_type": "MF", "goal_target": 200},
            "Hobbies 🎨": {},
            "Café & Crème": {},
            "Vacation": {"goal_type": "TBD", "goal_target": 3000, "year_ahead": True},
            "Emergency Fund": {"goal_type": "TB", "goal_target": 12000},
        },
    },
    shops=(
        ("Corner Market", "Groceries", 8, 95),
        ("Whole Harvest", "Groceries", 12, 140),
        ("Shell", "Transportation", 22, 58),
        ("City Transit", "Transportation", 3, 30),
        ("Noodle House", "Dining Out", 11, 48),
        ("Trattoria Così", "Dining Out", 18, 82),
        ("Café Müller", "Café & Crème", 3, 12),
        ("B&amp;H Photo", "Hobbies 🎨", 15, 160),
        ("本屋 Books", "Hobbies 🎨", 9, 45),
        ("Elm Pharmacy", "Medical", 6, 70),
        ("Hardware Depot", "Home Maintenance", 9, 120),
        ("Paper & Ribbon", "Gifts", 10, 60),
    ),
    salary=("Acme Widgets Inc.", 1620),
    bills=(
        ("Metro Electric", "Electric", 92, 12),
        ("Town Water", "Water", 38, 18),
        ("FiberNet", "Internet", 65, 21),
    ),
    savings="Emergency Fund",
    loan="Mortgage",
)

HOLIDAY_FLAT = Names(
    budget="Ferienwohnung",
    currency=EURO,
    accounts={
        "checking": ("Girokonto", "checking"),
        "savings": ("Tagesgeld", "savings"),
        "cash": ("Bargeld", "cash"),
        "card": ("Kreditkarte", "creditCard"),
    },
    groups={
        "Wohnung": {
            "Hausgeld": {**NEED, "goal_target": 210},
            "Strom": {},
            "Möbel": {"goal_type": "TB", "goal_target": 1500},
        },
        "Reisen": {"Zugfahrten": {"goal_type": "MF", "goal_target": 60}, "Essen gehen": {}},
    },
    shops=(
        ("Bahn", "Zugfahrten", 12, 60),
        ("Gasthaus Zum Löwen", "Essen gehen", 14, 45),
        ("Möbelhaus Süd", "Möbel", 20, 180),
        ("Ελληνική Γωνιά", "Essen gehen", 12, 38),
    ),
    salary=("Mieteinnahmen", 450),
    bills=(("Hausverwaltung", "Hausgeld", 205, 3), ("Stadtwerke", "Strom", 48, 15)),
    savings="Möbel",
)

#: Roles of accounts that are not on budget.
OFF_BUDGET = {"loan", "asset"}
STARTING_BALANCE = "Starting Balance"
INTEREST = "Interest"
INFLOW = "Inflow: Ready to Assign"
UNCATEGORIZED = "Uncategorized"
_OFTEN = ("daily", "weekly", "everyOtherWeek", "twiceAMonth", "every4Weeks", "monthly")
_SELDOM = ("everyOtherMonth", "every3Months", "every4Months", "twiceAYear")
FREQUENCIES = ("never", *_OFTEN, *_SELDOM, "yearly", "everyOtherYear")
