"""What goes wrong between YNAB and the tap is ridden out, or told plainly; it never costs a row.

The table in docs/faults.md is what the first test here has seen; `FAULTS_MD=write pytest
tests/tap/test_faults.py` writes it anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from ynab_sandbox import Sandbox, serve

from tests.support.environment import BARE
from tests.support.odd import serve_rows
from tests.support.pipeline import PROJECT, Pipeline, Tap
from tests.support.ports import free_port
from tests.support.rows import STREAMS, assert_equal
from tests.support.runs import failed, ids, of_budget

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipeline import Finished

#: Each with the sandbox's name for it and its options.
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "429": ("429", {}),
    "429 with `Retry-After`": ("429", {"retry_after": 1}),
    "500": ("500", {}),
    "502 with HTML": ("502", {}),
    "503": ("503", {}),
    "504 with HTML": ("504", {}),
    "closed without an answer": ("refuse", {}),
    "reset before the headers": ("reset", {}),
    "reset after the first byte": ("reset", {"after": 1}),
    "cut after the first byte": ("cut", {"at": "first"}),
    "cut before the last byte": ("cut", {"at": "last"}),
    "cut after the first byte, chunked": ("cut", {"at": "first", "chunked": True}),
    "cut before the last byte, chunked": ("cut", {"at": "last", "chunked": True}),
    "200 with half a JSON document": ("half-json", {}),
    "200 with HTML": ("html", {}),
    "broken gzip": ("bad-gzip", {}),
    "stalled after the headers": ("stall", {}),
}
#: Each with what is found in its path only.
ENDPOINTS = {
    "/plans": r"/v1/plans(\?|$)",
    "accounts": "/accounts$",
    "categories": "/categories$",
    "payees": "/payees$",
    "payee_locations": "/payee_locations$",
    "transactions": "/transactions",
    "scheduled_transactions": "/scheduled_transactions$",
    "months": "/months$",
    "export": r"/plans/[^/]{36}$",
    "money_movements": "/money_movements$",
    "money_movement_groups": "/money_movement_groups$",
}
#: Not asked for where the export holds their rows.
IN_EXPORT = {"accounts", "categories", "payees", "payee_locations", "months"}
MATRIX = PROJECT / "docs" / "faults.md"


def ride_out(folder: Path, fault: str, use_export: bool) -> tuple[Sandbox, Finished]:  # noqa: FBT001 a setting
    """A first load in which each endpoint has the fault once."""
    folder.mkdir()
    sandbox = Sandbox(transactions=60, rate_limit=None)
    name, options = FAULTS[fault]
    for path in ENDPOINTS.values():
        sandbox.fail(name, path=path, **options)
    with serve(sandbox) as url:
        config = {"access_token": sandbox.token, "api_url": url, "use_export": use_export}
        timeout = {"request_timeout": 1} if name == "stall" else {}
        return sandbox, Tap(folder, {**config, **timeout}).run()


@pytest.mark.slow
def test_every_fault_at_every_endpoint(tmp_path: Path) -> None:
    # Most of the time passes in waits: many at once take hardly longer than one.
    with ThreadPoolExecutor(2 * len(FAULTS)) as pool:
        runs = {
            (fault, way): pool.submit(ride_out, tmp_path / f"{number}-{way}", fault, way)
            for number, fault in enumerate(FAULTS)
            for way in (True, False)
        }
    lines = [
        f"| fault | {' | '.join(f'`{endpoint}`' for endpoint in ENDPOINTS)} |",
        f"|---|{'---|' * len(ENDPOINTS)}",
    ]
    for (fault, way), run in runs.items():
        sandbox, finished = run.result()
        assert finished.code == 0, (fault, finished.log)
        assert_all_records(sandbox, finished)
        for endpoint, path in ENDPOINTS.items():
            met = [r.fault for r in sandbox.requests if re.search(path, r.path) and r.fault]
            assert len(met) == (not way or endpoint not in IN_EXPORT), (fault, way, endpoint)
        count = len(ENDPOINTS) - (len(IN_EXPORT) if way else 0)
        tries = [(request.path, *request.query.items()) for request in sandbox.requests]
        again = len(tries) - len(set(tries))
        # On a busy machine, more may take a second than what is stalled.
        assert again == count or (again > count and FAULTS[fault][0] == "stall"), fault
        assert finished.log.count("Trying again in") == again, (fault, finished.log)
        if way:
            lines.append(f"| {fault} |{' ✓ |' * len(ENDPOINTS)}")
    table = "\n".join(lines)
    if os.environ.get("FAULTS_MD") == "write":
        text = MATRIX.read_text(encoding="utf-8")
        MATRIX.write_text(re.sub(r"\| fault \|.*?\n\n", table + "\n\n", text, flags=re.DOTALL))
    assert table in MATRIX.read_text(encoding="utf-8")


def assert_all_records(sandbox: Sandbox, finished: Finished) -> None:
    """Every entity came once."""
    for stream in STREAMS[1:]:
        wanted = sum(len(budget.entities(stream)) for budget in sandbox.budgets)
        ids = [record["id"] for record in finished.records(stream)]
        assert (len(ids), len(set(ids))) == (wanted, wanted), stream


def test_a_connection_that_is_refused_until_ynab_is_back(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    tap = Tap(tmp_path, {"access_token": sandbox.token, "api_url": f"http://127.0.0.1:{port}/v1"})
    with subprocess.Popen(
        tap.command(),
        env=BARE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr
        waiting = next(line for line in process.stderr if "Trying again in" in line)
        assert "no connection" in waiting
        with serve(sandbox, port):
            process.communicate(timeout=60)
        assert process.returncode == 0


def test_no_connection_at_all_ends_the_run_in_one_line(tap: Tap) -> None:
    finished = tap.run(api_url="http://127.0.0.1:9/v1", max_retry_time=1)
    failed(finished)
    assert "Check the network and api_url" in finished.log.splitlines()[-1]


@pytest.mark.parametrize("use_export", [False])
@pytest.mark.parametrize("fault", ["503", "garbage", "reset", "404", "403"])
def test_a_budget_that_fails_does_not_keep_the_others_from_syncing(
    pipeline: Pipeline, sandbox: Sandbox, fault: str
) -> None:
    failing, other = sandbox.budgets
    sandbox.fail(fault, path=f"{failing.id}/(payees|transactions)", times=1000)
    finished = pipeline.sync(max_retry_time=1)
    failed(finished)
    last = finished.log.splitlines()[-1]
    assert f"Budget {failing.name}: could not read payees, transactions (" in last
    assert last.count(failing.name) == 1
    assert failing.id not in last
    assert other.name not in last
    assert fault == "garbage" or not of_budget(finished, "payees", failing)
    for stream in ("payees", "transactions"):
        assert of_budget(finished, stream, other) == ids(other, stream)
    assert {"accounts", "months"} <= finished.activated()
    assert not {"payees", "transactions"} & finished.activated()

    sandbox.clear_faults()
    again = pipeline.sync()
    assert again.code == 0, again.log
    assert not of_budget(again, "payees", other)
    assert_equal(pipeline.database, sandbox)


def test_a_list_of_an_existing_budget_that_is_not_found_is_empty(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    budget = sandbox.budgets[1]
    for row in budget.entities("scheduled_transactions"):
        budget.forget("scheduled_transactions", row["id"])
    budget.had_scheduled = False
    finished = pipeline.sync()
    assert finished.code == 0, finished.log
    assert_equal(pipeline.database, sandbox)


def test_a_budget_that_has_vanished_is_reported_once_and_harms_nothing(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    gone = sandbox.budgets[1]
    sandbox.remove_budget(gone.id)
    first, second = pipeline.sync(), pipeline.sync()
    assert (first.code, second.code) == (0, 0)
    assert first.log.count(f"{gone.id} is no longer in this account") == 1
    assert gone.id not in second.log
    kept = pipeline.database.query(
        "select count(*) as n from ynab.transactions where budget_id = %s", gone.id
    )
    assert kept[0]["n"] == len(gone.entities("transactions"))


def test_knowledge_that_goes_back_is_followed(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    budget.delete("payees", budget.entities("payees")[-1]["id"])
    budget.rewind(500)
    budget.add("transactions", amount=-1_000)
    finished = pipeline.sync()
    assert finished.code == 0, finished.log
    assert "went back" in finished.log
    assert_equal(pipeline.database, sandbox)
    assert not pipeline.sync().records("transactions")


@pytest.mark.parametrize("use_export", [False])
def test_a_delta_that_ynab_refuses_is_read_in_full(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    added = budget.add("payees", name="New")
    sandbox.fail("400", path="/payees[?]last_knowledge")
    finished = pipeline.sync()
    assert finished.code == 0, finished.log
    assert len(of_budget(finished, "payees", budget)) == len(budget.entities("payees"))
    assert added in pipeline.database.alive("payees")


def test_the_token_does_not_follow_a_redirect(tap: Tap, sandbox: Sandbox) -> None:
    other = Sandbox(rate_limit=None)
    with serve(other) as elsewhere:
        sandbox.fail("redirect", location=f"{elsewhere}/plans", times=5)
        finished = tap.run()
    assert finished.code == 1
    assert "redirects to 127.0.0.1" in finished.log.splitlines()[-1]
    assert not other.requests


def test_a_decompression_bomb_is_bounded(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.fail("bomb", path="/transactions", size=(1 << 30) + (1 << 26))
    finished = tap.run()
    assert finished.code == 1
    assert "An answer with a text of more than 2 MiB is none of YNAB's" in finished.log
    assert finished.memory < 128
    assert "Traceback" not in finished.log


#: Fields of a row that a parser could not bear, and a part of the error.
UNBEARABLE = {
    "nested lists": ("[" * 20_000 + "]" * 20_000, "more than 100 levels of nesting"),
    "nested objects": ('{"a": ' * 5_000 + "1" + "}" * 5_000, "more than 100 levels of nesting"),
    "backslashes": (f'"{chr(92) * (16 << 20)}"', "a text of more than 2 MiB"),
    "a long text": (f'"{"x" * (8 << 20)}"', "a text of more than 2 MiB"),
    "many values": (f"[{', '.join(['[1]'] * 500_000)}]", "2 MiB"),
    "many objects": ("[" + '{"a": 1}, ' * 500_000 + "1]", "a row of more than 2 MiB"),
    "a long key": (f'{{"{"k" * 100_000}": 1}}', "a key of more than 2048 bytes"),
    "a long number": ("1" * 10_000, "a number of more than 4300 digits"),
}


@pytest.mark.parametrize("use_export", [False])
@pytest.mark.parametrize("name", UNBEARABLE)
def test_what_a_parser_could_not_bear_is_refused_and_the_rest_is_read(
    tap: Tap, sandbox: Sandbox, name: str
) -> None:
    field, why = UNBEARABLE[name]
    first, _ = sandbox.budgets
    body = f'{{"data": {{"payees": [{{"id": "p", "new": {field}}}], "server_knowledge": 1000}}}}'
    sandbox.fail("status", status=200, body=body, path=f"{first.id}/payees")
    finished = tap.run()
    line = failed(finished)
    assert f"Budget {first.name}: could not read payees (An answer with" in line
    assert why in line
    assert finished.memory < 128
    assert of_budget(finished, "transactions", first) == ids(first, "transactions")


@pytest.mark.parametrize("use_export", [False])
@pytest.mark.parametrize("row", ["null", "5", '"text"', "[]"])
@pytest.mark.parametrize(
    ("path", "lists"),
    [
        ("payees", '"payees": [{}]'),
        ("categories", '"category_groups": [{{"id": "g", "categories": [{}]}}]'),
        ("money_movements", '"money_movements": [{}]'),
    ],
)
def test_a_row_that_is_no_object_is_an_error_of_its_list(
    tap: Tap, sandbox: Sandbox, row: str, path: str, lists: str
) -> None:
    first, _ = sandbox.budgets
    body = f'{{"data": {{{lists.format(row)}, "server_knowledge": 1000}}}}'
    sandbox.fail("status", status=200, body=body, path=f"{first.id}/{path}([?]|$)")
    line = failed(tap.run())
    assert f"Budget {first.name}: could not read {path} (YNAB's answer holds no object" in line


def test_a_budget_that_no_request_could_name_is_left_out_with_an_error(
    tap: Tap, sandbox: Sandbox
) -> None:
    plans = [{"id": budget.id, "name": budget.name} for budget in sandbox.budgets]
    body = json.dumps({"data": {"plans": [{"name": "Odd"}, {"id": "../user"}, *plans]}})
    sandbox.fail("status", status=200, body=body, path=ENDPOINTS["/plans"])
    finished = tap.run()
    assert "Account: could not read budgets (a row without an id was left out)" in failed(finished)
    assert "budgets" not in finished.activated()
    for budget in sandbox.budgets:
        assert of_budget(finished, "payees", budget) == ids(budget, "payees")


def test_values_of_other_types_go_to_additional_properties(tap: Tap, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    odd = {"currency_format": "EUR", "date_format": 5, "accounts": {"a": 1}, "name": ["x"]}
    body = json.dumps({"data": {"plans": [{"id": budget.id, **odd}]}})
    sandbox.fail("status", status=200, body=body, path=ENDPOINTS["/plans"])
    transaction = {"id": "t", "deleted": "no", "subtransactions": 5, "account_id": {"a": 1}}
    group = {"id": "g", "categories": "none"}
    serve_rows(sandbox, budget, transactions=[transaction])
    body = json.dumps({"data": {"category_groups": [group], "server_knowledge": 1000}})
    sandbox.fail("status", status=200, body=body, path="/categories")
    finished = tap.run(use_export=False)
    assert finished.code == 0, finished.log
    [row] = finished.records("budgets")
    assert row["additional_properties"] == odd
    [row] = finished.records("transactions")
    assert row["additional_properties"] == {k: transaction[k] for k in transaction if k != "id"}
    [row] = finished.records("category_groups")
    assert row["additional_properties"] == {"categories": "none"}
