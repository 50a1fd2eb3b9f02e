"""`verify` finds each row that is not as in YNAB, changes nothing, and repairs it if asked to."""

# ruff: noqa: S608 -- the statements are the test's own

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest
from ynab_sandbox import Sandbox, serve

from tests.support.catalogs import Catalog
from tests.support.comparing import DRIFT, END, EQUAL, TROUBLE, compare, everything
from tests.support.databases import copy_of, new_database
from tests.support.pipeline import Database, Finished, Pipeline, Tap
from tests.support.rows import STREAMS
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project_postgres import Server

    from tests.support.comparing import Compared, Numbers

ALIVE = "not deleted and _sdc_deleted_at is null"


MISSING, EXTRA = "in YNAB, but not in the table", "in the table, but not in YNAB"


def one(stream: str, condition: str = "true") -> str:
    """A condition for one living row of a table."""
    return f"id = (select min(id) from ynab.{stream} where {ALIVE} and {condition})"


class Loaded(NamedTuple):
    """An account that is loaded, and what the tap has read of it."""

    account: Sandbox
    tap: Tap
    read: Finished
    database: Database


@pytest.fixture(scope="module")
def original(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """For all tests, which do not change it: two small budgets."""
    account = small_sandbox()
    with serve(account) as url:
        tap = Tap(tmp_path_factory.mktemp("tap"), {"access_token": account.token, "api_url": url})
        pipeline = Pipeline(tap, new_database(server))
        read = pipeline.sync()
        yield Loaded(account, tap, read, pipeline.database)


@pytest.fixture
def loaded(original: Loaded, server: Server) -> Loaded:
    """The same with a database of the test's own."""
    return original._replace(database=copy_of(original.database, server))


def change(database: Database, *statements: str) -> list[str]:
    """Change the tables behind the pipeline's back; return the ids of the rows that changed."""
    with psycopg.connect(database.url) as connection:
        return [
            identity
            for statement in statements
            for cursor in [connection.execute(statement.encode())]
            if cursor.description
            for (identity,) in cursor
        ]


def verified(loaded: Loaded, *arguments: str, code: int = DRIFT) -> Compared:
    """Compare the tables with what was read; it changes nothing."""
    before = everything(loaded.database)
    compared = compare(loaded.database, loaded.read, *arguments)
    assert compared.code == code, compared
    assert everything(loaded.database) == before
    assert not compared.log
    return compared


def test_after_a_sync_all_rows_are_equal(loaded: Loaded) -> None:
    compared = verified(loaded, code=EQUAL)
    rows = {stream: len(loaded.database.alive(stream)) for stream in STREAMS}
    assert compared.counts == {stream: [n, 0, 0, 0] for stream, n in rows.items()}
    assert compared.report.splitlines()[0] == "account: Our Household, Ferienwohnung"
    assert compared.report.splitlines()[1].endswith(", schema ynab")
    last = f"All {sum(rows.values()):,} rows are as in YNAB, column by column."
    assert compared.report.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("transactions.amount", "amount = amount + 1"),
        ("transactions.date, memo, approved", "date = date - 1, memo = '', approved = null"),
        ("transactions.deleted", "deleted = null"),
        ("transactions.subtransactions", "subtransactions = null"),
        (
            "transactions.subtransactions",
            "subtransactions = jsonb_set(subtransactions, '{1,amount}', '5')",
        ),
        ("accounts.last_reconciled_at", "last_reconciled_at = last_reconciled_at + '1 us'"),
        ("payees.additional_properties", "additional_properties = '{}'"),
        ("months.to_be_budgeted", "to_be_budgeted = -to_be_budgeted"),
    ],
)
def test_a_value_that_was_changed_is_found_and_named(
    loaded: Loaded, columns: str, values: str
) -> None:
    stream, _, names = columns.partition(".")
    has_it = {"subtransactions": "is_split", "last_reconciled_at": "last_reconciled_at is not null"}
    statement = f"update ynab.{stream} set {values} where {one(stream, has_it.get(names, 'true'))}"
    [identity] = change(loaded.database, f"{statement} returning id")
    compared = verified(loaded)
    assert compared.drift == {stream: [0, 0, 1]}
    shown = f"%|{identity.partition('|')[2]}" if "|" in identity else identity
    assert f"\n{stream}: 1 not as in YNAB\n  {shown}  {names}\n\n" in compared.report


@pytest.mark.parametrize(
    ("statement", "drift", "words"),
    [
        (f"delete from ynab.payees where {one('payees')}", [1, 0, 0], MISSING),
        (f"update ynab.payees set deleted = true where {one('payees')}", [1, 0, 0], MISSING),
        (
            f"update ynab.payees set _sdc_deleted_at = now() where {one('payees')}",
            [1, 0, 0],
            MISSING,
        ),
        (
            "insert into ynab.payees (id, budget_id, deleted) values ('a', 'b', false)",
            [0, 1, 0],
            EXTRA,
        ),
        ("insert into ynab.payees (id) values ('a')", [0, 1, 0], EXTRA),
    ],
)
def test_a_row_that_is_missing_and_one_too_many(
    loaded: Loaded, statement: str, drift: Numbers, words: str
) -> None:
    [identity] = change(loaded.database, f"{statement} returning id")
    compared = verified(loaded)
    assert compared.drift == {"payees": drift}
    assert f"\npayees: 1 {words}\n  {identity}\n\n" in compared.report


@pytest.mark.parametrize("stream", STREAMS)
def test_drift_in_each_stream(loaded: Loaded, stream: str) -> None:
    identity = min(loaded.database.alive(stream))
    number = len(loaded.database.alive(stream))
    change(
        loaded.database,
        f"delete from ynab.{stream} where id = '{identity}'",
        f"update ynab.{stream} set additional_properties = '[]' where {one(stream)}",
        f"insert into ynab.{stream} (id, deleted) values ('another', false)",
    )
    assert verified(loaded).counts[stream] == [number - 2, 1, 1, 1]
    assert verified(loaded).drift.keys() == {stream}


def test_a_column_and_a_table_that_are_gone(loaded: Loaded) -> None:
    database = loaded.database
    change(
        database,
        "alter table ynab.transactions drop column memo, drop column deleted",
        "alter table ynab.payees drop column budget_id",
        "alter table ynab.payees drop column _sdc_deleted_at",
        "alter table ynab.budgets drop column additional_properties",
        "drop table ynab.months",
    )
    compared = verified(loaded)
    payees, months = (len(loaded.read.records(name)) for name in ("payees", "months"))
    assert compared.drift["payees"] == [0, 0, payees]
    assert compared.drift["months"] == [months, 0, 0]
    assert "The table transactions has no column memo, deleted.\n" in compared.report
    assert "The table payees has no column budget_id.\n" in compared.report
    assert "There is no table months.\n" in compared.report
    assert compare(database, loaded.read, "--repair").code == EQUAL
    assert verified(loaded, code=EQUAL).counts["months"] == [months, 0, 0, 0]


def test_a_column_of_which_all_values_are_null_is_missed_too(loaded: Loaded) -> None:
    change(loaded.database, "alter table ynab.category_groups drop column note")
    compared = verified(loaded)
    assert not compared.drift
    assert "The table category_groups has no column note.\n" in compared.report
    assert "but not all tables and columns are there." in compared.report
    assert compare(loaded.database, loaded.read, "--repair").code == EQUAL


def test_a_column_of_another_type(loaded: Loaded) -> None:
    change(loaded.database, "alter table ynab.payees alter column name type int using 1")
    compared = compare(loaded.database, loaded.read)
    assert compared.code == TROUBLE
    [line] = compared.log.splitlines()
    assert line == (
        "ynab-pipeline: a column of ynab.payees has another type than the loader gave it: "
        "invalid input syntax for type integer: ..."
    )


def test_rows_that_are_gone_on_both_sides_are_no_drift(loaded: Loaded) -> None:
    change(
        loaded.database,
        "insert into ynab.payees (id, deleted) values ('deleted in YNAB', true)",
        "insert into ynab.payees (id, deleted, _sdc_deleted_at) values ('gone', false, now())",
    )
    verified(loaded, code=EQUAL)


def test_a_row_that_came_twice_counts_as_it_came_last(loaded: Loaded) -> None:
    lines = loaded.read.stdout.splitlines(keepends=True)
    record = next(line for line in lines if '"RECORD"' in line and '"payees"' in line)
    old = json.loads(record)
    old["record"]["name"] = "Old\t\\name"
    twice = loaded.read.stdout + json.dumps(old) + "\n"
    assert compare(loaded.database, twice + record + END).code == EQUAL
    assert compare(loaded.database, twice + END).drift == {"payees": [0, 0, 1]}


@pytest.mark.parametrize("fraction", [".5Z", ".1234567Z", ".9999999Z"])
def test_fractions_of_a_second(loaded: Loaded, fraction: str) -> None:
    """The loader cuts off what PostgreSQL can't store."""
    lines = loaded.read.stdout.splitlines()
    rows = [json.loads(line) for line in lines if '"stream":"accounts"' in line]
    for row in rows:
        if "record" in row:
            row["record"]["last_reconciled_at"] = f"2026-12-31T23:59:59{fraction}"
    pipeline = Pipeline(loaded.tap, loaded.database)
    messages = "\n".join(json.dumps(row) for row in rows) + "\n"
    pipeline.load(messages)
    [*_, state] = [line for line in lines if '"STATE"' in line]
    assert compare(loaded.database, f"{messages}{state}\n{END}").code == EQUAL


def test_json_null_is_as_null(loaded: Loaded) -> None:
    """The loader stores the one, and a person might write the other."""
    change(
        loaded.database,
        "update ynab.payees set additional_properties = null where additional_properties = 'null'",
    )
    verified(loaded, code=EQUAL)


def test_no_value_is_shown_unless_asked_for(loaded: Loaded) -> None:
    [identity] = change(
        loaded.database,
        "update ynab.transactions set amount = 9876543210, memo = e'a secret \\x1b[2J\\n' "
        f"where {one('transactions')} returning id",
    )
    row = next(row for row in loaded.read.records("transactions") if row["id"] == identity)
    compared = verified(loaded)
    assert f"\n  {identity}  amount, memo\n" in compared.report
    assert "9876543210" not in compared.report
    assert "secret" not in compared.report
    assert (
        f"\n  {identity}\n"
        f"    amount, in table: 9876543210\n"
        f"    amount, in YNAB:  {row['amount']}\n"
        f'    memo, in table: "a secret \\u001b[2J\\n"\n'
        f"    memo, in YNAB:  {json.dumps(row['memo'])}\n"
    ) in verified(loaded, "--values").report


def test_ten_rows_are_named_or_all(loaded: Loaded) -> None:
    ids = change(loaded.database, "update ynab.transactions set amount = 1 returning id")
    some, everyone = verified(loaded).report, verified(loaded, "--all").report
    assert sum(identity in some for identity in ids) == 10
    assert f"and {len(ids) - 10} more; --all shows them" in some
    assert all(f"  {identity}  amount\n" in everyone for identity in ids)
    assert "more" not in everyone.partition("transactions: ")[2].partition("\n\n")[0]


def test_lines_fit_into_80_columns(loaded: Loaded) -> None:
    change(
        loaded.database,
        "update ynab.month_categories set name = 'x', budgeted = 1, activity = 1, balance = 1, "
        "goal_type = 'x', goal_target = 1, goal_under_funded = 1, goal_overall_left = 1",
        "update ynab.accounts set name = 'x'",
        "alter table ynab.accounts drop column note, drop column closed, drop column balance, "
        "drop column cleared_balance, drop column uncleared_balance",
        "drop table ynab.payees",
    )
    account, _, *lines = verified(loaded).report.splitlines()  # the database has a long name
    assert max(map(len, [account, *lines])) <= 80


def test_an_account_that_was_not_read_to_its_end(loaded: Loaded) -> None:
    compared = compare(loaded.database, loaded.read.stdout)
    assert (compared.code, compared.report) == (TROUBLE, "")
    [line] = compared.log.splitlines()
    assert line.startswith("ynab-pipeline: nothing is compared")


def test_an_account_without_budgets(loaded: Loaded) -> None:
    empty = '{"type": "STATE", "value": {"bookmarks": {}}}\n'
    compared = compare(loaded.database, empty + END)
    assert (compared.code, compared.report) == (TROUBLE, "")
    assert "the token sees no budget" in compared.log


def test_a_role_that_can_only_read_is_enough(loaded: Loaded) -> None:
    name, word = f"reader_{uuid.uuid4().hex}", uuid.uuid4().hex
    change(
        loaded.database,
        f"create role {name} login password '{word}'",
        f"grant usage on schema ynab to {name}",
        f"grant select on all tables in schema ynab to {name}",
    )
    host = psycopg.conninfo.conninfo_to_dict(loaded.database.url)
    url = f"postgresql://{name}:{word}@127.0.0.1:{host['port']}/{host['dbname']}"
    try:
        assert compare(Database(url), loaded.read).code == EQUAL
    finally:
        change(loaded.database, f"drop owned by {name}", f"drop role {name}")


def test_no_database(loaded: Loaded) -> None:
    compared = compare(Database(f"{loaded.database.url.partition('?')[0]}_not"), loaded.read)
    assert (compared.code, compared.report) == (TROUBLE, "")
    [line] = compared.log.splitlines()
    assert "does not exist" in line


# What is selected


def test_a_stream_and_columns_that_are_not_selected_are_not_compared(loaded: Loaded) -> None:
    catalog = Catalog(loaded.tap).column("transactions", "memo", selected=False)
    catalog.metadata("months")["selected"] = False
    read = loaded.tap.run(*catalog.arguments())
    change(loaded.database, "delete from ynab.months", "update ynab.transactions set memo = 'x'")
    compared = compare(loaded.database, read)
    assert compared.code == EQUAL
    assert compared.counts.keys() == set(STREAMS) - {"months"}


def test_with_budget_ids_the_others_are_not_compared(loaded: Loaded) -> None:
    one, other = (budget.id for budget in loaded.account.budgets)
    change(
        loaded.database,
        f"delete from ynab.transactions where budget_id = '{other}'",
        f"update ynab.payees set name = 'x' where budget_id = '{other}'",
        f"insert into ynab.payees (id, budget_id, deleted) values ('theirs', '{other}', false)",
    )
    read = loaded.tap.run(budget_ids=[one])
    assert compare(loaded.database, read).code == EQUAL
    change(
        loaded.database,
        f"insert into ynab.payees (id, budget_id, deleted) values ('own', '{one}', false)",
    )
    assert compare(loaded.database, read).drift == {"payees": [0, 1, 0]}
    # As a full refresh, which marks no row either.
    repaired = compare(loaded.database, read, "--repair")
    assert (repaired.code, repaired.drift) == (DRIFT, {"payees": [0, 1, 0]})


def test_with_since_date_older_transactions_are_not_compared(loaded: Loaded) -> None:
    dates = sorted(row["date"] for row in loaded.read.records("transactions"))
    since = dates[len(dates) // 2]
    budget = loaded.account.budgets[0].id
    row = f"insert into ynab.transactions (budget_id, deleted, id, date) values ('{budget}', false"
    change(
        loaded.database,
        f"update ynab.transactions set amount = 0 where date < '{since}'",
        f"{row}, 'before', date '{since}' - 1)",
    )
    read = loaded.tap.run(since_date=since)
    assert compare(loaded.database, read).code == EQUAL
    change(loaded.database, f"{row}, 'on the day', '{since}')")
    assert compare(loaded.database, read).drift == {"transactions": [0, 1, 0]}


# Repair


@pytest.mark.parametrize("hard", [False, True])
def test_repair(loaded: Loaded, hard: bool) -> None:  # noqa: FBT001 a parameter
    database = loaded.database
    untouched = everything(database)["rows"]["categories"]
    change(
        database,
        f"update ynab.transactions set amount = 1, memo = 'x' where {one('transactions')}",
        f"update ynab.payees set deleted = true where {one('payees')}",
        f"delete from ynab.accounts where {one('accounts')}",
        "insert into ynab.payees (id, deleted) values ('invented', false)",
    )
    variables = {"TARGET_POSTGRES_HARD_DELETE": "true"} if hard else {}
    repaired = compare(database, loaded.read, "--repair", **variables)
    assert repaired.code == EQUAL, repaired
    assert repaired.drift == {
        "transactions": [0, 0, 1],
        "payees": [1, 1, 0],
        "accounts": [1, 0, 0],
    }
    assert repaired.report.splitlines()[-1].endswith("rows are as in YNAB, column by column.")
    verified(loaded, code=EQUAL)
    marks = database.query("select _sdc_deleted_at from ynab.payees where id = 'invented'")
    assert len(marks) == (not hard)
    assert all(mark["_sdc_deleted_at"] for mark in marks)
    # Only what differs is written.
    assert everything(database)["rows"]["categories"] == untouched


def test_repair_of_everything(loaded: Loaded) -> None:
    change(loaded.database, "drop schema ynab cascade")
    assert compare(loaded.database, loaded.read, "--repair").code == EQUAL
    verified(loaded, code=EQUAL)


def test_repair_with_a_row_that_ynab_sends_as_deleted(loaded: Loaded) -> None:
    lines = loaded.read.stdout.splitlines(keepends=True)
    record = next(line for line in lines if '"RECORD"' in line and '"payees"' in line)
    deleted = json.loads(record)
    deleted["record"]["deleted"] = True
    messages = f"{loaded.read.stdout}{json.dumps(deleted)}\n{END}"
    compared = compare(loaded.database, messages, "--repair")
    assert (compared.code, compared.drift) == (EQUAL, {"payees": [0, 1, 0]})
    row = loaded.database.query("select * from ynab.payees where id = %s", deleted["record"]["id"])
    assert [(each["deleted"], each["_sdc_deleted_at"]) for each in row] == [(True, None)]


def test_tables_of_another_account_are_not_repaired(loaded: Loaded) -> None:
    change(
        loaded.database,
        "update ynab.budgets set id = reverse(id)",
        "update ynab.payees set id = reverse(id), budget_id = reverse(budget_id)",
    )
    before = everything(loaded.database)
    compared = compare(loaded.database, loaded.read, "--repair")
    assert compared.code == TROUBLE
    assert compared.log.splitlines()[-1].endswith("they are of another account")
    assert everything(loaded.database) == before


def test_a_role_that_can_make_no_temporary_tables(loaded: Loaded) -> None:
    name = psycopg.conninfo.conninfo_to_dict(loaded.database.url)["dbname"]
    change(loaded.database, f"revoke temporary on database {name} from public")
    role = f"other_{uuid.uuid4().hex}"
    change(loaded.database, f"create role {role} login password 'a'")
    found = psycopg.conninfo.conninfo_to_dict(loaded.database.url)
    url = f"postgresql://{role}:a@127.0.0.1:{found['port']}/{name}"
    try:
        compared = compare(Database(url), loaded.read)
    finally:
        change(loaded.database, f"drop role {role}")
    assert compared.code == TROUBLE
    [line] = compared.log.splitlines()
    assert line.startswith("ynab-pipeline: database: permission denied to create temporary tables")
    assert "grant" in line


def test_a_loader_that_fails(loaded: Loaded) -> None:
    change(
        loaded.database,
        f"update ynab.payees set name = 'x' where {one('payees')}",
        "create function ynab.refuse() returns trigger language plpgsql as "
        "$$ begin raise 'no room'; end $$",
        "create trigger refuse before insert or update on ynab.payees "
        "for each row execute function ynab.refuse()",
    )
    compared = compare(loaded.database, loaded.read, "--repair")
    assert compared.code == TROUBLE
    assert "no room" in compared.log
    assert "Traceback" not in compared.log
    assert compared.log.splitlines()[-1].startswith("ynab-pipeline: the loader has failed")
