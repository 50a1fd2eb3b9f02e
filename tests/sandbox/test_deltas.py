"""Knowledge: what a delta holds, what it lacks, and what only looks as if nothing had changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ynab_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox import Plan

ALL = "1970-01-01"


def ordinary(plan: Plan) -> list[dict[str, Any]]:
    """Transactions without further ado."""
    return [
        each
        for each in plan.entities("transactions")
        if not each["subtransactions"] and not each["transfer_account_id"] and each["category_id"]
    ]


def test_same_seed_and_day_give_the_same_answers(sandbox: Sandbox) -> None:
    other = Sandbox(seed=1, today=sandbox.clock.today(), transactions=400, rate_limit=None)
    third = Sandbox(seed=2, today=sandbox.clock.today(), transactions=400, rate_limit=None)

    def bodies(one: Sandbox) -> list[bytes]:
        return [
            one.answer(path, {}, "sandbox-token").body.packed
            for path in ("/plans", "/plans/last-used", "/plans/last-used/transactions")
        ]

    assert bodies(sandbox) == bodies(other)
    assert bodies(sandbox) != bodies(third)


def test_an_edit_bumps_what_it_changes_and_nothing_else(
    plan: Plan, get: Callable[..., Any]
) -> None:
    target, before = ordinary(plan)[-1], plan.server_knowledge
    plan.edit("transactions", target["id"], amount=target["amount"] - 5000)

    delta = get(f"/plans/{plan.id}", last_knowledge_of_server=before)

    export = delta["plan"]
    assert [each["id"] for each in export["transactions"]] == [target["id"]]
    assert [each["id"] for each in export["accounts"]] == [target["account_id"]]
    assert [each["id"] for each in export["categories"]] == [target["category_id"]]
    assert {month["month"] for month in export["months"]} >= {target["date"][:8] + "01"}
    assert all(
        [each["id"] for each in month["categories"]] == [target["category_id"]]
        for month in export["months"]
    )
    assert export["payees"] == export["subtransactions"] == export["scheduled_transactions"] == []
    assert delta["server_knowledge"] == before + 1


def test_a_memo_bumps_no_sums(plan: Plan, get: Callable[..., Any]) -> None:
    before = plan.server_knowledge
    plan.edit("transactions", ordinary(plan)[0]["id"], memo="hello")

    export = get(f"/plans/{plan.id}", last_knowledge_of_server=before)["plan"]

    assert len(export["transactions"]) == 1
    assert export["accounts"] == export["categories"] == export["months"] == []


def test_categories_delta_has_only_the_changed_ones_in_their_groups(
    plan: Plan, get: Callable[..., Any]
) -> None:
    category, before = plan.entities("categories")[5], plan.server_knowledge
    plan.edit("categories", category["id"], name="Renamed")

    groups = get(f"/plans/{plan.id}/categories", last_knowledge_of_server=before)["category_groups"]

    assert [[each["name"] for each in group["categories"]] for group in groups] == [["Renamed"]]
    plan.edit("category_groups", groups[0]["id"], name="Regrouped")
    groups = get(f"/plans/{plan.id}/categories", last_knowledge_of_server=before + 1)
    assert [(group["name"], group["categories"]) for group in groups["category_groups"]] == [
        ("Regrouped", [])
    ]


def test_tombstones_are_in_deltas_only(plan: Plan, get: Callable[..., Any]) -> None:
    before = plan.server_knowledge
    transfer = next(
        each
        for each in plan.entities("transactions")
        if each["transfer_transaction_id"] and not each["subtransactions"]
    )
    plan.delete("transactions", transfer["id"])

    path = f"/plans/{plan.id}/transactions"
    delta = get(path, last_knowledge_of_server=before, since_date=ALL)["transactions"]
    everything = get(path, since_date=ALL)["transactions"]

    assert transfer["id"] in {each["id"] for each in delta if each["deleted"]}
    assert transfer["id"] not in {each["id"] for each in everything}
    assert not any(each["deleted"] for each in everything)


def test_both_sides_of_a_transfer_go(plan: Plan) -> None:
    listed = {each["id"]: each for each in plan.entities("transactions")}
    one = next(each for each in listed.values() if each["transfer_transaction_id"] in listed)
    plan.delete("transactions", one["id"])

    dead = {each["id"] for each in plan.entities("transactions", deleted=True) if each["deleted"]}

    assert dead == {one["id"], one["transfer_transaction_id"]}


def test_a_deleted_split_leaves_the_flags_of_its_lines(plan: Plan, get: Callable[..., Any]) -> None:
    before = plan.server_knowledge
    split = next(each for each in plan.entities("transactions") if each["subtransactions"])
    plan.delete("transactions", split["id"])

    delta = get(f"/plans/{plan.id}/transactions", last_knowledge_of_server=before, since_date=ALL)

    dead = next(each for each in delta["transactions"] if each["id"] == split["id"])
    assert dead["deleted"]
    assert [line["deleted"] for line in dead["subtransactions"]] == [False] * 3


def test_an_account_takes_its_own_with_it(plan: Plan) -> None:
    card = next(each for each in plan.entities("accounts") if each["type"] == "creditCard")
    plan.delete("accounts", card["id"])

    assert not any(each["account_id"] == card["id"] for each in plan.entities("transactions"))
    assert card["transfer_payee_id"] not in {each["id"] for each in plan.entities("payees")}
    assert not any(card["id"] == each["transfer_account_id"] for each in plan.entities("payees"))


def test_without_since_date_an_old_edit_is_lost_though_knowledge_advances(
    plan: Plan, get: Callable[..., Any]
) -> None:
    old, before = ordinary(plan)[0], plan.server_knowledge
    assert old["date"] < "2025-11-21"
    plan.edit("transactions", old["id"], memo="changed")
    path = f"/plans/{plan.id}/transactions"

    trap = get(path, last_knowledge_of_server=before)
    sound = get(path, last_knowledge_of_server=before, since_date=ALL)

    assert trap == {"transactions": [], "server_knowledge": before + 1}
    assert [each["id"] for each in sound["transactions"]] == [old["id"]]
    assert min(each["date"] for each in get(path)["transactions"]) >= "2025-11-21"


def test_a_renamed_payee_does_not_resend_its_transactions(
    plan: Plan, get: Callable[..., Any]
) -> None:
    transaction = next(each for each in ordinary(plan) if each["payee_id"])
    before = plan.server_knowledge
    plan.edit("payees", transaction["payee_id"], name="Someone Else")
    path = f"/plans/{plan.id}/transactions"

    assert get(path, last_knowledge_of_server=before, since_date=ALL)["transactions"] == []
    named = get(f"{path}/{transaction['id']}")["transaction"]["payee_name"]
    assert named == "Someone Else"


def test_a_month_s_end_changes_categories_without_their_knowledge(
    sandbox: Sandbox, plan: Plan, get: Callable[..., Any]
) -> None:
    before, path = plan.server_knowledge, f"/plans/{plan.id}/categories"
    old = {
        each["id"]: each for group in get(path)["category_groups"] for each in group["categories"]
    }
    sandbox.advance_month()

    delta = get(path, last_knowledge_of_server=before)
    new = {
        each["id"]: each for group in get(path)["category_groups"] for each in group["categories"]
    }
    export = get(f"/plans/{plan.id}", last_knowledge_of_server=before)["plan"]

    assert delta["category_groups"] == []
    assert delta["server_knowledge"] == before + 1
    assert any(each["activity"] for each in old.values())
    assert not any(each["activity"] or each["budgeted"] for each in new.values())
    assert {key: each["balance"] for key, each in new.items()} == {
        key: each["balance"] for key, each in old.items()
    }
    assert [month["month"] for month in export["months"]] == ["2026-12-01"]
    assert len(export["months"][0]["categories"]) == len(new)


def test_a_rewound_counter_answers_lower_than_was_asked(
    plan: Plan, get: Callable[..., Any]
) -> None:
    plan.edit("payees", plan.entities("payees")[0]["id"], name="x")
    plan.rewind(700)

    delta = get(f"/plans/{plan.id}/payees", last_knowledge_of_server=1001)

    assert delta == {"payees": [], "server_knowledge": 700}


def test_what_is_forgotten_leaves_nothing(plan: Plan, get: Callable[..., Any]) -> None:
    before, gone = plan.server_knowledge, plan.entities("payees")[-1]["id"]
    plan.forget("payees", gone)

    path = f"/plans/{plan.id}/payees"
    assert get(path, last_knowledge_of_server=before)["payees"] == []
    assert gone not in {each["id"] for each in get(path)["payees"]}


def test_odd_values_go_through(plan: Plan, get: Callable[..., Any]) -> None:
    odd = {"memo": "a\u0000b \ud800", "brand_new_field": {"a": 1}, "flag_color": "mauve"}
    target = ordinary(plan)[-1]["id"]
    plan.edit("transactions", target, amount=2**63 - 1, **odd)

    shown = get(f"/plans/{plan.id}/transactions/{target}")["transaction"]

    assert shown.items() >= {**odd, "amount": 2**63 - 1}.items()
    assert max(each["balance"] for each in get(f"/plans/{plan.id}/accounts")["accounts"]) < 2**63


def test_every_kind_can_be_added_edited_and_deleted(plan: Plan) -> None:
    kinds = (
        "accounts category_groups categories payees payee_locations transactions "
        "scheduled_transactions money_movements money_movement_groups"
    )
    for kind in kinds.split():
        entity = plan.add(kind, extra=1)
        plan.edit(kind, entity, extra=2)
        found = {each["id"]: each for each in plan.entities(kind)}
        assert found[entity]["extra"] == 2
        plan.delete(kind, entity)
        assert entity not in {each["id"] for each in plan.entities(kind)}
        assert entity in {each["id"] for each in plan.entities(kind, deleted=True)}
    plan.edit("months", "2026-11-01", note="n")
    category = plan.entities("categories")[3]["id"]
    plan.edit("month_categories", f"2026-11-01|{category}", budgeted=1230)
    row = plan.entities("month_categories")
    assert [each["budgeted"] for each in row if each["id"] == category][-1] == 1230


def test_a_deleted_category_leaves_scheduled_transactions_their_own_fields(plan: Plan) -> None:
    before = plan.entities("scheduled_transactions")
    for category in plan.entities("categories"):
        plan.delete("categories", category["id"])
    after = plan.entities("scheduled_transactions")
    assert [row.keys() for row in after] == [row.keys() for row in before]
