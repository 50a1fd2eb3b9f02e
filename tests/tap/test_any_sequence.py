"""After any sequence of edits, faults, kills and reruns, a clean sync makes the tables equal.

`ANY_SEQUENCE_STEPS=20000 pytest tests/tap/test_any_sequence.py` goes on for longer than by default.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import date
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from ynab_sandbox import serve

from tests.support.model import QuickPipeline
from tests.support.rows import assert_equal
from tests.support.worse import OwnCounters

STEPS = int(os.environ.get("ANY_SEQUENCE_STEPS", "240"))
A_SEQUENCE = 40

EDITS: dict[str, dict[str, Any]] = {
    "accounts": {"name": "a{}"},
    "category_groups": {"name": "g"},
    "categories": {"name": "c{}"},
    "payees": {"name": "p{}"},
    "payee_locations": {"latitude": "1"},
    "transactions": {"amount": -7_000},
    "scheduled_transactions": {"memo": "m"},
    "months": {"note": "n"},
    "month_categories": {"budgeted": 9_000},
    "money_movements": {"note": "n"},
    "money_movement_groups": {"note": "n"},
}
DELETABLE = [kind for kind in EDITS if kind not in {"months", "month_categories"}]
FAULTS = ["500", "503", "403", "404", "half-json", "garbage", "refuse", "cut", "400"]
PATHS = ["/plans[?]", "accounts", "categories", "payees", "transactions", "months", "/plans/.{36}$"]
shares = st.floats(0, 1, allow_nan=False)


class AnySequence(RuleBasedStateMachine):
    """A sandbox with two small budgets, and a pipeline that meets with all kinds of trouble."""

    def __init__(self) -> None:
        """Begin with nothing loaded."""
        super().__init__()
        self.stack = ExitStack()
        self.sandbox = OwnCounters(today=date(2026, 1, 20), transactions=1, rate_limit=None)
        self.sandbox.remove_budget(self.sandbox.budgets[0].id)
        self.sandbox.remove_budget(self.sandbox.budgets[0].id)
        for name in ("One", "Two"):
            self.sandbox.add_budget(name)
        url = self.stack.enter_context(serve(self.sandbox))
        config = {"access_token": self.sandbox.token, "api_url": url, "max_retry_time": 0}
        # The requests of thousands of runs are no concern of this test.
        config["requests_per_hour"] = 10**9
        self.pipelines = [QuickPipeline({**config, "use_export": way}) for way in (True, False)]
        self.edits = 0
        #: Whether something is gone of which no delta will tell.
        self.is_forgotten = False

    @initialize()
    def begin(self) -> None:
        self.run()

    def run(self, **how: Any) -> bool:
        """Sync both ways; whether both read everything."""
        ends = [pipeline.sync(**how) for pipeline in self.pipelines]
        return all(ends)

    def pick(self, kind: str, share: float) -> tuple[object, str, object] | None:
        budget = self.sandbox.budgets[int(share * 7919) % len(self.sandbox.budgets)]
        entities = budget.entities(kind)
        if not entities:
            return None
        entity = entities[min(int(share * len(entities)), len(entities) - 1)]
        if kind == "months":
            return budget, kind, entity["month"]
        return (
            budget,
            kind,
            (entity["month"], entity["id"])
            if "budgeted" in entity and ("month" in entity)
            else entity["id"],
        )

    @rule(kind=st.sampled_from(sorted(EDITS)), share=shares)
    def edit(self, kind: str, share: float) -> None:
        if found := self.pick(kind, share):
            budget, kind, key = found
            self.edits += 1
            # Each name is a new one.
            fields = {n: v.format(self.edits) if n == "name" else v for n, v in EDITS[kind].items()}
            budget.edit(kind, key, **fields)  # type: ignore[attr-defined]

    @rule(kind=st.sampled_from(DELETABLE), share=shares)
    def delete(self, kind: str, share: float) -> None:
        found = self.pick(kind, share)
        if found and len(found[0].entities(kind)) > 1:  # type: ignore[attr-defined]
            budget, kind, key = found
            budget.delete(kind, key)  # type: ignore[attr-defined]

    @rule(share=shares, amount=st.integers(-(10**6), 10**6), day=st.integers(0, 700))
    def add_transaction(self, share: float, amount: int, day: int) -> None:
        budget = self.sandbox.budgets[int(share * 7919) % len(self.sandbox.budgets)]
        when = date.fromordinal(date(2024, 1, 1).toordinal() + day).isoformat()
        budget.add("transactions", amount=amount, date=when)

    @rule(kind=st.sampled_from(["payees", "categories", "accounts", "scheduled_transactions"]))
    def add(self, kind: str) -> None:
        self.sandbox.budgets[0].add(kind)

    @rule(kind=st.sampled_from(["transactions", "payees", "payee_locations"]), share=shares)
    def forget(self, kind: str, share: float) -> None:
        if found := self.pick(kind, share):
            budget, kind, key = found
            budget.forget(kind, key)  # type: ignore[attr-defined]
            self.is_forgotten = True

    @rule()
    def advance_month(self) -> None:
        self.sandbox.advance_month()

    @precondition(lambda self: len(self.sandbox.budgets) < 4)
    @rule()
    def add_budget(self) -> None:
        self.sandbox.add_budget("More", currency_format=None)

    @precondition(lambda self: len(self.sandbox.budgets) > 1)
    @rule()
    def remove_budget(self) -> None:
        self.sandbox.remove_budget(self.sandbox.budgets[-1].id)
        self.is_forgotten = True

    @rule(share=shares, killed_at=shares)
    def rewind(self, share: float, killed_at: float) -> None:
        """A counter that goes back below the bookmark: above it, nobody could tell."""
        self.clean_sync()
        budget = self.sandbox.budgets[0]
        if budget.server_knowledge > 2:  # nothing has knowledge 0
            budget.rewind(1 + int(share * (budget.server_knowledge - 2)))
            self.run(killed_at=killed_at)
            self.clean_sync()

    @rule(fault=st.sampled_from(FAULTS), path=st.sampled_from(PATHS), times=st.integers(1, 4))
    def fail(self, fault: str, path: str, times: int) -> None:
        self.sandbox.fail(fault, path=path, times=times)

    @rule(full=st.booleans())
    def sync(self, full: bool) -> None:  # noqa: FBT001 hypothesis gives it
        if self.run(full=full) and full:
            self.is_forgotten = False

    @rule(full=st.booleans(), killed_at=shares, confirmed=st.booleans())
    def sync_killed(self, full: bool, killed_at: float, confirmed: bool) -> None:  # noqa: FBT001 likewise
        self.run(full=full, killed_at=killed_at, confirmed=confirmed)

    @rule()
    def clean_sync(self) -> None:
        self.sandbox.clear_faults()
        full = self.is_forgotten
        assert self.run(full=full)
        self.is_forgotten = False
        for pipeline in self.pipelines:
            assert_equal(pipeline.database, self.sandbox, old_names=True)

    def teardown(self) -> None:
        try:
            self.clean_sync()
        finally:
            self.stack.close()


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
    max_examples=STEPS // A_SEQUENCE,
    stateful_step_count=A_SEQUENCE,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
