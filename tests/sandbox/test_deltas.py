"""Deltas: what they hold, what they lack, and changes that no delta shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ynab_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox import Budget

ALL = "1970-01-01"


def ordinary(budget: Budget) -> list[dict[str, Any]]:
    """Return transactions that are neither split nor transfers."""
    return [
        each
        for each in budget.entities("transactions")
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
    budget: Budget, get: Callable[..., Any]
) -> None:
    target, before = ordinary(budget)[-1], budget.server_knowledge
    budget.edit("transactions", target["id"], amount=target["amount"] - 5000)

    delta = get(f"/plans/{budget.id}", last_knowledge_of_server=before)

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


def test_a_memo_bumps_no_sums(budget: Budget, get: Callable[..., Any]) -> None:
    before = budget.server_knowledge
    budget.edit("transactions", ordinary(budget)[0]["id"], memo="hello")

    export = get(f"/plans/{budget.id}", last_knowledge_of_server=before)["plan"]

    assert len(export["transactions"]) == 1
    assert export["accounts"] == export["categories"] == export["months"] == []


def test_categories_delta_has_only_the_changed_ones_in_their_groups(
    budget: Budget, get: Callable[..., Any]
) -> None:
    category, before = budget.entities("categories")[5], budget.server_knowledge
    budget.edit("categories", category["id"], name="Renamed")

    groups = get(f"/plans/{budget.id}/categories", last_knowledge_of_server=before)[
        "category_groups"
    ]

    assert [[each["name"] for each in group["categories"]] for group in groups] == [["Renamed"]]
    budget.edit("category_groups", groups[0]["id"], name="Regrouped")
    groups = get(f"/plans/{budget.id}/categories", last_knowledge_of_server=before + 1)
    assert [(group["name"], group["categories"]) for group in groups["category_groups"]] == [
        ("Regrouped", [])
    ]


def test_tombstones_are_in_deltas_only(budget: Budget, get: Callable[..., Any]) -> None:
    before = budget.server_knowledge
    transfer = next(
        each
        for each in budget.entities("transactions")
        if each["transfer_transaction_id"] and not each["subtransactions"]
    )
    budget.delete("transactions", transfer["id"])

    path = f"/plans/{budget.id}/transactions"
    delta = get(path, last_knowledge_of_server=before, since_date=ALL)["transactions"]
    everything = get(path, since_date=ALL)["transactions"]

    assert transfer["id"] in {each["id"] for each in delta if each["deleted"]}
    assert transfer["id"] not in {each["id"] for each in everything}
    assert not any(each["deleted"] for each in everything)


def test_both_sides_of_a_transfer_go(budget: Budget) -> None:
    listed = {each["id"]: each for each in budget.entities("transactions")}
    one = next(each for each in listed.values() if each["transfer_transaction_id"] in listed)
    budget.delete("transactions", one["id"])

    dead = {each["id"] for each in budget.entities("transactions", deleted=True) if each["deleted"]}

    assert dead == {one["id"], one["transfer_transaction_id"]}


def test_a_deleted_split_leaves_the_flags_of_its_lines(
    budget: Budget, get: Callable[..., Any]
) -> None:
    before = budget.server_knowledge
    split = next(each for each in budget.entities("transactions") if each["subtransactions"])
    budget.delete("transactions", split["id"])

    delta = get(f"/plans/{budget.id}/transactions", last_knowledge_of_server=before, since_date=ALL)

    dead = next(each for each in delta["transactions"] if each["id"] == split["id"])
    assert dead["deleted"]
    assert [line["deleted"] for line in dead["subtransactions"]] == [False] * 3


def test_an_account_takes_its_own_with_it(budget: Budget) -> None:
    card = next(each for each in budget.entities("accounts") if each["type"] == "creditCard")
    budget.delete("accounts", card["id"])

    assert not any(each["account_id"] == card["id"] for each in budget.entities("transactions"))
    assert card["transfer_payee_id"] not in {each["id"] for each in budget.entities("payees")}
    assert not any(card["id"] == each["transfer_account_id"] for each in budget.entities("payees"))


def test_without_since_date_an_old_edit_is_lost_though_knowledge_advances(
    budget: Budget, get: Callable[..., Any]
) -> None:
    old, before = ordinary(budget)[0], budget.server_knowledge
    assert old["date"] < "2025-11-21"
    budget.edit("transactions", old["id"], memo="changed")
    path = f"/plans/{budget.id}/transactions"

    trap = get(path, last_knowledge_of_server=before)
    sound = get(path, last_knowledge_of_server=before, since_date=ALL)

    assert trap == {"transactions": [], "server_knowledge": before + 1}
    assert [each["id"] for each in sound["transactions"]] == [old["id"]]
    assert min(each["date"] for each in get(path)["transactions"]) >= "2025-11-21"


def test_a_renamed_payee_does_not_resend_its_transactions(
    budget: Budget, get: Callable[..., Any]
) -> None:
    transaction = next(each for each in ordinary(budget) if each["payee_id"])
    before = budget.server_knowledge
    budget.edit("payees", transaction["payee_id"], name="Someone Else")
    path = f"/plans/{budget.id}/transactions"

    assert get(path, last_knowledge_of_server=before, since_date=ALL)["transactions"] == []
    named = get(f"{path}/{transaction['id']}")["transaction"]["payee_name"]
    assert named == "Someone Else"


def test_a_month_s_end_changes_categories_without_their_knowledge(
    sandbox: Sandbox, budget: Budget, get: Callable[..., Any]
) -> None:
    before, path = budget.server_knowledge, f"/plans/{budget.id}/categories"
    old = {
        each["id"]: each for group in get(path)["category_groups"] for each in group["categories"]
    }
    sandbox.advance_month()

    delta = get(path, last_knowledge_of_server=before)
    new = {
        each["id"]: each for group in get(path)["category_groups"] for each in group["categories"]
    }
    export = get(f"/plans/{budget.id}", last_knowledge_of_server=before)["plan"]

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
    budget: Budget, get: Callable[..., Any]
) -> None:
    budget.edit("payees", budget.entities("payees")[0]["id"], name="x")
    budget.rewind(700)

    delta = get(f"/plans/{budget.id}/payees", last_knowledge_of_server=1001)

    assert delta == {"payees": [], "server_knowledge": 700}


def test_what_is_forgotten_leaves_nothing(budget: Budget, get: Callable[..., Any]) -> None:
    before, gone = budget.server_knowledge, budget.entities("payees")[-1]["id"]
    budget.forget("payees", gone)

    path = f"/plans/{budget.id}/payees"
    assert get(path, last_knowledge_of_server=before)["payees"] == []
    assert gone not in {each["id"] for each in get(path)["payees"]}


def test_what_only_exists_in_a_group_is_forgotten_with_it(
    budget: Budget, get: Callable[..., Any]
) -> None:
    group = budget.entities("category_groups")[2]
    inside = {
        each["id"]
        for each in budget.entities("categories")
        if each["category_group_id"] == group["id"]
    }
    budget.forget("category_groups", group["id"])

    export = get(f"/plans/{budget.id}")["plan"]
    listed = get(f"/plans/{budget.id}/categories")["category_groups"]

    left = {each["id"] for each in export["categories"]}
    assert inside
    assert not left & inside
    assert left == {each["id"] for of_group in listed for each in of_group["categories"]}
    for month in export["months"]:
        assert all(isinstance(each["category_group_name"], str) for each in month["categories"])


def test_any_int64_is_a_knowledge(budget: Budget, get: Callable[..., Any]) -> None:
    path = f"/plans/{budget.id}/payees"

    everything = get(path, last_knowledge_of_server=-(2**63))
    nothing = get(path, last_knowledge_of_server=2**63 - 1)

    assert len(everything["payees"]) == len(budget.entities("payees"))
    assert nothing == {"payees": [], "server_knowledge": budget.server_knowledge}


def test_money_movements_tell_the_counter_of_the_budget(
    budget: Budget, get: Callable[..., Any]
) -> None:
    before = budget.server_knowledge
    budget.edit("payees", budget.entities("payees")[0]["id"], name="x")

    for kind in ("money_movements", "money_movement_groups"):
        shown = get(f"/plans/{budget.id}/{kind}")
        assert shown["server_knowledge"] == before + 1
        assert shown[kind] == budget.entities(kind)


def test_odd_values_go_through(budget: Budget, get: Callable[..., Any]) -> None:
    odd = {"memo": "a\u0000b \ud800", "brand_new_field": {"a": 1}, "flag_color": "mauve"}
    target = ordinary(budget)[-1]["id"]
    budget.edit("transactions", target, amount=2**63 - 1, **odd)

    shown = get(f"/plans/{budget.id}/transactions/{target}")["transaction"]

    assert shown.items() >= {**odd, "amount": 2**63 - 1}.items()
    assert max(each["balance"] for each in get(f"/plans/{budget.id}/accounts")["accounts"]) < 2**63


def test_every_kind_can_be_added_edited_and_deleted(budget: Budget) -> None:
    kinds = (
        "accounts category_groups categories payees payee_locations transactions "
        "scheduled_transactions money_movements money_movement_groups"
    )
    for kind in kinds.split():
        entity = budget.add(kind, extra=1)
        budget.edit(kind, entity, extra=2)
        found = {each["id"]: each for each in budget.entities(kind)}
        assert found[entity]["extra"] == 2
        budget.delete(kind, entity)
        assert entity not in {each["id"] for each in budget.entities(kind)}
        assert entity in {each["id"] for each in budget.entities(kind, deleted=True)}
    budget.edit("months", "2026-11-01", note="n")
    category = budget.entities("categories")[3]["id"]
    budget.edit("month_categories", f"2026-11-01|{category}", budgeted=1230)
    row = budget.entities("month_categories")
    assert [each["budgeted"] for each in row if each["id"] == category][-1] == 1230


def test_a_deleted_category_leaves_scheduled_transactions_their_own_fields(budget: Budget) -> None:
    before = budget.entities("scheduled_transactions")
    for category in budget.entities("categories"):
        budget.delete("categories", category["id"])
    after = budget.entities("scheduled_transactions")
    assert [row.keys() for row in after] == [row.keys() for row in before]
