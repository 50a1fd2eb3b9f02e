"""dbt makes the views, its own tests pass, and views.sql is what it compiles."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml  # type: ignore[import-untyped]
from ynab_pipeline import views

from tests.support.environment import CLOCK
from tests.support.pipeline import PROJECT
from tests.support.small import small_sandbox
from tests.support.views import DBT_PROGRAMS, TRANSFORM, VIEWS, apply_views, compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Database, Pipeline

    Dbt = Callable[..., subprocess.CompletedProcess[str]]

MODELS = [
    model
    for path in sorted(TRANSFORM.glob("models/*.yml"))
    for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
]
#: What dbt describes: the columns of each view with their types.
DESCRIBED = {
    model["name"]: [(column["name"], column["data_type"]) for column in model["columns"]]
    for model in MODELS
}
#: Numbers that are no amounts of money.
COUNTS = {"hours_since_success", "requests", "rows", "savings_rate", "seconds", "total_rows"}


@pytest.fixture
def sandbox() -> Sandbox:
    return small_sandbox()


@pytest.fixture
def dbt(installed: Callable[[str], str], tmp_path: Path, database: Database) -> Dbt:
    """`ynab-pipeline-dbt` on the test's database, run to its end."""
    command = installed(str(DBT_PROGRAMS / "ynab-pipeline-dbt"))

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments],
            env={
                "PATH": os.defpath,
                **CLOCK,
                "MELTANO_PROJECT_ROOT": str(PROJECT),
                "TARGET_POSTGRES_SQLALCHEMY_URL": database.loader_config["sqlalchemy_url"],
                "DBT_TARGET_PATH": str(tmp_path / "target"),
                "DBT_LOG_PATH": str(tmp_path / "logs"),
                **environment,
            },
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=300,
        )

    return run


def columns(database: Database, schema: str) -> dict[str, list[tuple[str, str]]]:
    """The views of a schema with their columns."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in database.query(
        "select * from information_schema.columns where table_schema = %s "
        "order by table_name, ordinal_position",
        schema,
    ):
        found.setdefault(row["table_name"], []).append((row["column_name"], row["data_type"]))
    return found


@pytest.mark.slow
def test_views_sql_is_what_dbt_compiles(installed: Callable[[str], str], tmp_path: Path) -> None:
    installed(str(DBT_PROGRAMS / "dbt"))
    wanted = compiled(tmp_path)
    if os.environ.get("VIEWS_SQL") == "write":
        VIEWS.write_text(wanted, encoding="utf-8")
    assert VIEWS.read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_each_view_has_a_grain_that_is_tested(model: dict[str, Any]) -> None:
    assert re.search(r"One\s+row\s+for\s+each", model["description"])
    grain = model["config"]["meta"]["grain"]
    if len(grain) > 1:
        assert {"unique_key": {"arguments": {"columns": grain}}} in model["data_tests"]
    else:
        (column,) = [column for column in model["columns"] if column["name"] in grain]
        assert {"unique", "not_null"} <= set(column["data_tests"])


def test_no_view_adds_up_two_currencies() -> None:
    with_amounts = {
        name
        for name, described in DESCRIBED.items()
        if any(kind == "numeric" and column not in COUNTS for column, kind in described)
    }
    assert DESCRIBED.keys() - with_amounts == {"budgets", "categories", "sync_runs", "sync_state"}
    for model in MODELS:
        if model["name"] in with_amounts:
            assert "currency" in dict(DESCRIBED[model["name"]])
            assert "budget_id" in model["config"]["meta"]["grain"]


def test_views_are_as_described(pipeline: Pipeline) -> None:
    assert pipeline.sync().code == 0
    database = pipeline.database
    apply_views(database)
    assert columns(database, "budget") == DESCRIBED
    comments = database.query(
        "select col_description(attrelid, attnum) as text "
        "from pg_attribute where attrelid in "
        "(select oid from pg_class where relnamespace = 'budget'::regnamespace)"
    )
    assert len(comments) == sum(map(len, DESCRIBED.values()))
    assert all(row["text"] for row in comments)
    kinds = database.query(
        "select distinct relkind::text from pg_class where relnamespace = 'budget'::regnamespace"
    )
    assert [row["relkind"] for row in kinds] == ["v"]


@pytest.mark.slow
def test_build(dbt: Dbt, pipeline: Pipeline, sandbox: Sandbox, tmp_path: Path) -> None:
    """Beside the views of another tenant; then YNAB differs from its own transactions."""
    assert pipeline.sync().code == 0
    database = pipeline.database
    apply_views(database)
    built = dbt("build", YNAB_BUDGET_SCHEMA="mine")
    assert built.returncode == 0, built.stdout
    assert "WARN=0 ERROR=0 SKIP=0" in built.stdout
    assert columns(database, "mine") == DESCRIBED == columns(database, "budget")
    (named,) = database.query("select obj_description('mine.entries'::regclass) as text")
    assert "split" in named["text"]
    for name in DESCRIBED:
        # S608: names of our views
        difference = f"(table mine.{name} except all table budget.{name})"
        assert database.query(difference) == [], name
    with psycopg.connect(database.url) as session:
        assert not views.make(session, VIEWS, "ynab", "mine")  # for a report they are as wanted

    documented = dbt("docs", "generate", YNAB_BUDGET_SCHEMA="mine")
    assert documented.returncode == 0, documented.stdout
    assert (tmp_path / "target/index.html").exists()
    catalog = json.loads((tmp_path / "target/catalog.json").read_text(encoding="utf-8"))
    assert {node["metadata"]["name"] for node in catalog["nodes"].values()} == DESCRIBED.keys()

    fresh = dbt("source", "freshness")
    assert (fresh.returncode, "PASS freshness of ynab.syncs" in fresh.stdout) == (0, True)
    account = sandbox.budgets[0].entities("accounts")[0]["id"]
    database.execute(f"""
      update ynab.accounts set balance = balance + 1 where id = '{account}';
      update ynab.months set income = income + 1, budgeted = budgeted + 1;
    """)  # noqa: S608
    tested = dbt("test", "--select", "test_type:singular", YNAB_BUDGET_SCHEMA="mine")
    assert tested.returncode == 0, tested.stdout
    assert "WARN=4 ERROR=0" in tested.stdout
    database.execute("update ynab.syncs set finished_at = finished_at - interval '2 days'")
    old = dbt("source", "freshness")
    assert old.returncode == 1
    assert "ERROR STALE" in old.stdout
    assert not (TRANSFORM / ".user.yml").exists()  # dbt would leave it if it counted its users
    secret = pipeline.database.url.split(":")[2].split("@")[0]
    left = [path for path in tmp_path.rglob("*") if path.is_file() and "loader" not in path.name]
    assert all(secret not in path.read_text(encoding="utf-8", errors="replace") for path in left)


def test_another_schema_needs_views_of_its_own(dbt: Dbt) -> None:
    refused = dbt("build", TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="money")
    assert refused.returncode == 1
    assert "the tables are in the schema money" in refused.stderr
    assert "set YNAB_BUDGET_SCHEMA" in refused.stderr


@pytest.mark.parametrize(
    ("schema", "refusal"),
    [
        ("ynab", "the schema ynab has the tables"),
        ("of_ada", "of_ada.accounts is not one of these views"),
    ],
)
def test_tables_are_not_replaced(dbt: Dbt, database: Database, schema: str, refusal: str) -> None:
    """Although dbt would drop them."""
    database.execute("create schema of_ada; create table of_ada.accounts (id text)")
    refused = dbt("run", YNAB_BUDGET_SCHEMA=schema)
    assert (refused.returncode, refused.stdout) == (1, "")
    advice = "set YNAB_BUDGET_SCHEMA to a schema of its own for the views"
    assert refused.stderr == f"ynab-pipeline-dbt: {refusal}: {advice}\n"
    assert database.query("select * from of_ada.accounts") == []


def test_without_a_database(dbt: Dbt) -> None:
    refused = dbt("build", TARGET_POSTGRES_SQLALCHEMY_URL="", YNAB_BUDGET_SCHEMA="budget")
    assert refused.returncode == 1
    assert "the database is not configured: set TARGET_POSTGRES_HOST" in refused.stderr
