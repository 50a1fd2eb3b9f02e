"""Currencies with three decimals and with none, as YNAB's `currency_format` has them."""

from __future__ import annotations

KUWAIT = {
    "iso_code": "KWD",
    "decimal_digits": 3,
    "decimal_separator": ".",
    "symbol_first": True,
    "group_separator": ",",
    "currency_symbol": "د.ك",
    "display_symbol": True,
    "example_format": "123,456.789",
}
YEN = {**KUWAIT, "iso_code": "JPY", "decimal_digits": 0, "currency_symbol": "¥"}
