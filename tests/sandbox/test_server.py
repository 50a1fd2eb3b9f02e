"""Errors, tokens, the rate limit, compression, and operations over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from ynab_sandbox import RateLimit, Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable

ERRORS = [
    ("/nonsense", "404.1"),
    ("/plans/{budget}/nonsense", "404.1"),
    ("/plans/default", "404.2"),
    ("/plans/00000000-0000-0000-0000-000000000000", "404.2"),
    ("/plans/{budget}/accounts/00000000-0000-0000-0000-000000000000", "404.2"),
    ("/plans/{budget}/months/1999-01-01", "404.2"),
    ("/plans/{budget}/months/yesterday", "400"),
    ("/plans/{budget}/accounts?last_knowledge_of_server=abc", "400"),
    ("/plans/{budget}/accounts?last_knowledge_of_server=1.5", "400"),
    ("/plans/{budget}/transactions?since_date=2026-13-01", "400"),
    ("/plans/{budget}/transactions?since_date=20260101", "400"),
    ("/plans/{budget}/transactions?type=odd", "400"),
]


@pytest.mark.parametrize(("path", "error_id"), ERRORS)
def test_errors(
    sandbox: Sandbox, url: str, session: requests.Session, path: str, error_id: str
) -> None:
    answer = session.get(url + path.format(budget=sandbox.budgets[0].id), timeout=10)

    assert answer.status_code == int(error_id[:3])
    assert answer.json()["error"].keys() == {"id", "name", "detail"}
    assert answer.json()["error"]["id"] == error_id


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_api_only_reads(url: str, session: requests.Session, method: str) -> None:
    answer = session.request(method, f"{url}/plans", json={"a": 1}, timeout=10)

    assert (answer.status_code, answer.json()["error"]["id"]) == (405, "405")


def test_tokens(sandbox: Sandbox, url: str) -> None:
    def status(token: str | None) -> str:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{url}/user", headers=headers, timeout=10)
        return str(answer.json().get("error", {"id": answer.status_code})["id"])

    sandbox.set_token("other")
    for number in ("401", "403.1", "403.2", "403.3", "403.4"):
        sandbox.set_token(number, number)
        assert status(number) == number
    assert status(None) == status("wrong") == "401"
    assert status("other") == status(sandbox.token) == "200"
    assert not any("authorization" in each.headers for each in sandbox.requests)


def test_the_rate_limit_follows_the_sandbox_s_clock(session: requests.Session) -> None:
    limit = RateLimit(requests=3, seconds=3600, retry_after=True)
    sandbox = Sandbox(today=Sandbox().clock.today(), transactions=20, rate_limit=limit)
    with serve(sandbox) as url:

        def ask() -> requests.Response:
            return session.get(f"{url}/user", timeout=10)

        assert [ask().status_code for _ in range(2)] == [200, 200]
        sandbox.advance(1800)
        assert [ask().status_code for _ in range(2)] == [200, 429]
        assert ask().headers["Retry-After"] == "1801"
        sandbox.advance(1801)
        assert [ask().status_code for _ in range(3)] == [200, 200, 429]


def test_gzip_date_and_no_rate_limit_header(sandbox: Sandbox, url: str) -> None:
    headers = {"Authorization": "Bearer sandbox-token"}
    packed = requests.get(f"{url}/plans", headers=headers, timeout=10)
    plain = requests.get(f"{url}/plans", headers={**headers, "Accept-Encoding": ""}, timeout=10)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["Date"] == "Sat, 21 Nov 2026 12:00:00 GMT"
    assert "X-Rate-Limit" not in packed.headers
    assert len(sandbox.requests) == 2


def test_old_and_new_words(sandbox: Sandbox, get: Callable[..., Any]) -> None:
    budget = sandbox.budgets[0]

    new, old = get("/plans"), get("/budgets")
    assert new["plans"] == old["budgets"]
    assert get(f"/plans/{budget.id}")["plan"] == get("/budgets/last-used")["budget"]
    assert get(f"/plans/{budget.id}/payees") == get(f"/budgets/{budget.id}/payees")
    accounts = get("/plans", include_accounts="true")["plans"][0]["accounts"]
    assert accounts == budget.entities("accounts")


def test_budgets_come_and_go(sandbox: Sandbox, url: str, session: requests.Session) -> None:
    budget = sandbox.add_budget("Third", currency_format=None, date_format=None)
    shown = session.get(f"{url}/plans/{budget.id}/settings", timeout=10).json()["data"]["settings"]
    sandbox.remove_budget(budget.id)

    assert shown == {"currency_format": None, "date_format": None}
    assert session.get(f"{url}/plans/{budget.id}", timeout=10).status_code == 404
    assert len(session.get(f"{url}/plans", timeout=10).json()["data"]["plans"]) == 2


def test_a_budget_that_never_had_scheduled_transactions(
    sandbox: Sandbox, url: str, session: requests.Session
) -> None:
    budget = sandbox.budgets[1]
    budget.had_scheduled = False
    path = f"{url}/plans/{budget.id}/scheduled_transactions"

    assert session.get(path, timeout=10).json()["error"]["id"] == "404.2"
    budget.add("scheduled_transactions")
    assert session.get(path, timeout=10).status_code == 200


def test_invented_data_shows_what_ynab_shows(sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    transactions = budget.entities("transactions")
    scheduled = budget.entities("scheduled_transactions")

    assert any(each["id"] == f"{each['id'][:36]}_{each['date']}" for each in transactions)
    assert {"", "red"} <= {
        each["flag_color"] for each in Sandbox().budgets[0].entities("transactions")
    }
    assert len({each["frequency"] for each in scheduled}) == 13
    assert any(each["subtransactions"] for each in scheduled)
    assert any(each["matched_transaction_id"] for each in transactions)
    assert not all(each["approved"] for each in transactions)
    assert {each["cleared"] for each in transactions} == {"cleared", "uncleared", "reconciled"}
    assert "B&amp;H Photo" in {each["name"] for each in budget.entities("payees")}
    goals = {each["goal_type"] for each in budget.entities("categories")}
    assert goals == {None, "TB", "TBD", "MF", "NEED", "DEBT"}
    assert any(each["closed"] and each["balance"] == 0 for each in budget.entities("accounts"))
    euro = sandbox.budgets[1].entities("transactions")[0]
    assert euro["amount_formatted"].endswith("€")
    assert euro["amount_currency"] == euro["amount"] / 1000


def test_operations(sandbox: Sandbox, url: str) -> None:
    admin = url.removesuffix("v1") + "sandbox/"
    budget = sandbox.budgets[1]

    def do(name: str, **document: object) -> requests.Response:
        return requests.post(admin + name, json=document, timeout=10)

    payee = do("add", kind="payees", fields={"name": "Neu"}, budget=budget.name).json()["data"][
        "id"
    ]
    assert do("edit", kind="payees", id=payee, fields={"name": "Neuer"}, budget=budget.id).ok
    assert budget.entities("payees")[-1]["name"] == "Neuer"
    assert do("delete", kind="payees", id=payee, budget=budget.id).ok
    assert do("advance-month").json()["data"]["now"].startswith("2026-12-01")
    assert do("fail", fault="429", times=2).ok
    assert do("edit", kind="payees", id="none", fields={}).status_code == 400
    assert do("edit", wrong=1).status_code == 400
    assert do("nonsense").status_code == 404
    state = requests.get(f"{admin}state", timeout=10).json()["data"]
    assert state["budgets"][1]["server_knowledge"] == budget.server_knowledge
    assert requests.get(f"{admin}requests", timeout=10).json() == {"data": []}
    assert do("edit", kind="payees", fields={}).json()["error"]["detail"] == "edit needs id"
    assert do("live", days=2).json()["error"]["detail"] == "live does not take days"
    assert do("clear-faults").ok
    assert do("fail", fault="503", options={"detail": "Busy"}, path="user").ok
    busy = requests.get(f"{url}/user", headers={"Authorization": "Bearer x"}, timeout=10)
    assert busy.json()["error"]["detail"] == "Busy"


def test_what_changes_something_takes_a_post(sandbox: Sandbox, url: str) -> None:
    before = sandbox.clock.now()

    answer = requests.get(url.removesuffix("v1") + "sandbox/advance-month", timeout=10)

    assert answer.status_code == 404
    assert sandbox.clock.now() == before


def test_operations_are_not_for_web_pages(url: str) -> None:
    admin = url.removesuffix("v1") + "sandbox/"
    text = {"Content-Type": "text/plain"}
    rebound = {"Host": "evil.example:80"}

    assert (
        requests.post(f"{admin}advance-month", data="{}", headers=text, timeout=10).status_code
        == 403
    )
    assert requests.get(f"{admin}state", headers=rebound, timeout=10).status_code == 403


def test_many_ask_at_once_while_somebody_edits(sandbox: Sandbox, get: Callable[..., Any]) -> None:
    budget = sandbox.budgets[0]
    target = budget.entities("transactions")[-1]["id"]

    def ask(number: int) -> bool:
        budget.edit("transactions", target, memo=str(number))
        export = get(f"/plans/{budget.id}")["plan"]
        balances = sum(each["balance"] for each in export["accounts"])
        return bool(balances == sum(each["amount"] for each in export["transactions"]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(24)))
