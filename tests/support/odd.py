"""What YNAB might send one day, and what is to become of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ynab_sandbox.body import encode
from ynab_sandbox.export import document

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Row

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
TOO_LARGE = 10**30
#: As YNAB writes ids of transactions that a scheduled one became.
DATED_ID = "c0ffee00-1111-4222-8333-444455556666_2026-11-30"
MEGABYTE = "Zwölf Boxkämpfer " * 65_536

#: Text that arrives as it is.
TEXTS = {
    "markup": "Tom &amp; Jerry&#39;s <b>bold</b> &lt;i&gt;",
    "sql": "Robert'); drop table ynab.transactions; --",
    "quotes": "\"double\" 'single' `back` $$dollar$$ \\'",
    "backslashes": "\\N \\. \\n \\\\ \\x00 \\u0000 \\ud83d C:\\temp\\",
    "white space": " \t\r\n\v\f ",
    "control characters": "\x01\x08\x1b[31m\x1f\x7f\x80\u2028\u2029\ufeff\ufffe",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 \U0010ffff",
    "right to left": "\u202e\u05de\u05d7\u200f\u0627\u0644",
    "placeholders": "%s %(id)s {0} {{x}} $1 :name ?",
    "words": "null",
    "numbers": "1e400",
    "json": '{"a": [1, 2]}',
    "an array": "{1,NULL,3}",
    "nothing": "",
    "a megabyte": MEGABYTE,
}
#: Text with what PostgreSQL can't store, and what is left of it.
UNSTORABLE = {
    "a\x00b": "ab",
    "\x00": "",
    "\\\x00u0000": "\\u0000",
    "half \ud83d pair": "half \ufffd pair",
}


#: Halves of surrogate pairs, which are no characters, and what is left of them.
HALVES = {
    "half \udfff pair": "half \ufffd pair",
    "\ude00\ud83d": "\ufffd\ufffd",
    "two \ud83d\ud83d": "two \ufffd\ufffd",
}
#: Fields that YNAB might add.
NEW_FIELDS = {
    "new_text": "later",
    "new_number": 1.25,
    "new_large": TOO_LARGE,
    "new_list": [1, None, {"deep": [True, "x"]}],
    "new_object": {"a": {"b": None}, "": 0, "with space": "y"},
    "New Column": False,
    "_sdc_deleted_at": "2026-01-01",
    "additional_properties": {"of": "YNAB"},
}
#: What a known field might hold one day, by stream.
NEW_VALUES: dict[str, Row] = {
    "accounts": {"type": "crypto", "note": ""},
    "categories": {"goal_type": "DREAM", "goal_cadence": 99},
    "transactions": {"cleared": "pending", "flag_color": "", "debt_transaction_type": "gift"},
    "scheduled_transactions": {"frequency": "everyBlueMoon", "flag_color": "ultraviolet"},
}
#: What no column of its kind can take. The budget's rows are served as they stand here.
MISFITS: dict[str, list[Row]] = {
    "accounts": [
        {"id": "dates", "last_reconciled_at": "yesterday"},
        {"id": "no zone", "last_reconciled_at": "2026-11-01T10:00:00"},
        {"id": "no day", "last_reconciled_at": "2026-02-30T00:00:00Z"},
        {"id": "seconds", "last_reconciled_at": 1795227665},
        {"id": "maps", "debt_interest_rates": [1], "debt_escrow_amounts": "none"},
        {"id": "amounts", "balance": TOO_LARGE, "cleared_balance": 1.5, "uncleared_balance": "5"},
        {"id": "name", "name": {"first": "A", "last": None}, "note": 5, "on_budget": "true"},
    ],
    "transactions": [
        {"id": "first of all", "date": "0001-01-01"},
        {"id": "last of all", "date": "9999-12-31"},
        {"id": "zero", "date": "0000-00-00"},
        {"id": "no day", "date": "2026-02-30"},
        {"id": "far", "date": "10000-01-01"},
        {"id": "slashes", "date": "01/31/2026"},
        {"id": "empty", "date": ""},
        {"id": "time", "date": "2026-01-31T00:00:00Z"},
        {"id": "number", "date": 20260131},
        {"id": "largest", "amount": LARGEST},
        {"id": "smallest", "amount": SMALLEST},
        {"id": "too large", "amount": LARGEST + 1},
        {"id": "too small", "amount": SMALLEST - 1},
        {"id": "half", "amount": 0.5},
        {"id": "text", "amount": "12"},
        {"id": "truth", "amount": True, "approved": 1, "memo": False},
        {"id": "lists", "memo": ["a"], "payee_name": [], "subtransactions": {"a": 1}},
        {"id": "parts", "subtransactions": [{"amount": TOO_LARGE, "memo": "a\x00b", "new": [1]}]},
    ],
    "months": [{"month": "2026-10-01", "age_of_money": "old", "income": LARGEST}],
}
#: Those of them that are no misfits.
FITTING = {"first of all", "last of all", "largest", "smallest", "parts"}


def additional(row: Row) -> Row:
    """What did not fit; PostgreSQL holds jsonb `null` where there is nothing."""
    found: Row = row["additional_properties"] or {}
    return found


def serve_rows(sandbox: Sandbox, budget: Budget, **lists: list[Row]) -> None:
    """Have a budget's lists, and its export, answered with rows of ours, once."""
    plain = {name: rows for name, rows in lists.items() if "transactions" not in name}
    export = json.loads(b"".join(encode(document(budget, None)))) | plain
    answers: Row = {f"/{name}": {name: rows} for name, rows in lists.items()}
    for path, data in {**answers, "": {"plan": export}}.items():
        body = json.dumps({"data": {**data, "server_knowledge": 1000}})
        sandbox.fail("status", status=200, body=body, path=rf"{budget.id}{path}(\?|$)")
