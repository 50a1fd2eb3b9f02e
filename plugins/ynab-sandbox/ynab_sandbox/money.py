"""Milliunits as text, in a budget's currency format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ynab_sandbox.tables import Fields

MILLIUNITS = 1000
INT64 = 2**63 - 1

DOLLAR: Fields = {
    "iso_code": "USD",
    "example_format": "123,456.78",
    "decimal_digits": 2,
    "decimal_separator": ".",
    "symbol_first": True,
    "group_separator": ",",
    "currency_symbol": "$",
    "display_symbol": True,
}
EURO: Fields = {
    **DOLLAR,
    "iso_code": "EUR",
    "example_format": "123.456,78",
    "decimal_separator": ",",
    "symbol_first": False,
    "group_separator": ".",
    "currency_symbol": "€",
}
PLAIN: Fields = {"decimal_digits": 2, "decimal_separator": ".", "symbol_first": True}


class Formatter:
    """Formats amounts in one currency format."""

    def __init__(self, currency: Fields | None) -> None:
        """Take a budget's `currency_format`; None gives plain numbers."""
        currency = currency or PLAIN
        self._digits: int = currency["decimal_digits"]
        self._point: str = currency["decimal_separator"]
        self._group: str = currency.get("group_separator", "")
        symbol = currency["currency_symbol"] if currency.get("display_symbol") else ""
        self._before = symbol if currency["symbol_first"] else ""
        self._after = "" if currency["symbol_first"] else symbol

    def text(self, amount: int) -> str:
        """Return milliunits as text with symbol and separators."""
        scaled = (abs(amount) * 10**self._digits + MILLIUNITS // 2) // MILLIUNITS
        whole, part = divmod(scaled, 10**self._digits)
        digits = f"{whole:,}".replace(",", self._group) if whole >= MILLIUNITS else str(whole)
        if self._digits:
            digits = f"{digits}{self._point}{part:0{self._digits}d}"
        sign = "-" if amount < 0 else ""
        return f"{sign}{self._before}{digits}{self._after}"

    def add_formatted(self, fields: Fields, names: Iterable[str]) -> None:
        """Add `*_formatted` and `*_currency` for these amounts; None for what is no amount."""
        for name in names:
            amount = fields.get(name)
            if isinstance(amount, int):
                fields[f"{name}_formatted"] = self.text(amount)
                fields[f"{name}_currency"] = amount / MILLIUNITS
            else:
                fields[f"{name}_formatted"] = fields[f"{name}_currency"] = None


def clamp(fields: Fields, names: Iterable[str]) -> None:
    """Keep these sums within int64, as YNAB does."""
    for name in names:
        fields[name] = max(-INT64 - 1, min(INT64, fields[name]))
