"""Queries, configuration and numbers in the documents hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from tests.support.described import settings_of
from tests.support.pages import page

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Pipeline, Tap

    Json = dict[str, Any]

README = page("README.md")
QUERIES = page("docs/queries.md")
SCHEDULES = page("docs/schedules.md")
LOADERS = page("docs/loaders.md")


def test_queries(pipeline: Pipeline, sandbox: Sandbox) -> None:
    assert pipeline.sync().code == 0
    blocks = README.code("sql") + QUERIES.code("sql")
    assert len(blocks) >= 3
    rows = [pipeline.database.query(block) for block in blocks]
    assert all(rows)

    net_worth, spending, lines = rows
    for budget in sandbox.budgets:
        total = sum(account["balance"] for account in budget.entities("accounts"))
        assert [row["net_worth"] * 1000 for row in net_worth if row["budget"] == budget.name] == [
            total
        ]
        spent = sum(
            -category["activity"]
            for category in budget.entities("month_categories")
            if category["activity"] < 0 and not category["internal"]
        )
        assert (
            sum(row["spent"] for row in spending if row["budget_id"] == budget.id) * 1000 == spent
        )
    amounts = sum(
        t["amount"] for budget in sandbox.budgets for t in budget.entities("transactions")
    )
    assert sum(row["amount"] for row in lines) * 1000 == amounts


def test_the_number_of_requests(tap: Tap, sandbox: Sandbox, own_settings: dict[str, Json]) -> None:
    cost = {run: int(number) for run, number in SCHEDULES.table("run", "requests")}
    each = cost["each run, for the list of budgets"]
    idle = each + cost["for each budget, if nothing happened in it"] * len(sandbox.budgets)
    first_load = cost["for each budget, in a first run of all streams"]
    money = cost["also, if anything changed and money movements are selected"]

    run = tap.run()
    assert len(sandbox.requests) == each + first_load * len(sandbox.budgets)

    def requests_of_next_run() -> int:
        nonlocal run
        sandbox.clear_requests()
        run = tap.run(state=run.state)
        assert run.code == 0, run.log
        return len(sandbox.requests)

    assert requests_of_next_run() == idle
    budget = sandbox.budgets[0]
    for kind in ("transactions", "scheduled_transactions"):
        budget.edit(kind, budget.entities(kind)[0]["id"], memo="Edited")
        also = cost[f"also, if {kind.replace('_', ' ')} changed"]
        assert requests_of_next_run() == idle + also + money
    sandbox.advance_month()
    also = cost["also, in the first run of a new month"]
    # The new month is a change, too.
    assert requests_of_next_run() == idle + (also + money) * len(sandbox.budgets)

    stated = re.search(r"allows (\d+) requests an hour", SCHEDULES.text)
    assert stated
    assert stated[1] == str(own_settings["requests_per_hour"]["default"])


def test_what_a_run_logs(tap: Tap, sandbox: Sandbox, own_settings: dict[str, Json]) -> None:
    default = own_settings["api_url"]["default"]
    budgets = ", ".join(budget.name for budget in sandbox.budgets)
    lines = [f"Account at {url}, budgets: {budgets}" for url in (default, tap.config["api_url"])]
    assert lines[0] in README.text.splitlines()
    log = tap.run().log
    assert lines[1] in log
    (stream,) = re.findall(r"(?m)^(transactions of .*: )\d+ rows, .* \d+ -> \d+$", README.text)
    assert re.search(rf"{re.escape(stream)}\d+ rows, server_knowledge .* -> \d+", log)


def test_a_meltano_project_of_ones_own(plugins: dict[str, Json]) -> None:
    (project,) = [yaml.safe_load(block) for block in LOADERS.code("yaml")]
    (extractor,) = project["plugins"]["extractors"]
    plugin = plugins["tap-ynab"]
    assert (extractor["name"], extractor["executable"]) == ("tap-ynab", "tap-ynab")
    assert set(extractor["capabilities"]) <= set(plugin["capabilities"])
    assert settings_of(extractor).keys() <= settings_of(plugin).keys()
    assert extractor["select"] == plugin["select"]
    assert extractor["namespace"] == plugin["namespace"]
