"""What the documentation says is what the code does."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.described import environments, output, read, settings_of
from tests.support.meltano_project import MELTANO
from tests.support.pages import Document, code_of
from tests.support.pipeline import PROJECT, TAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Pipeline

    Json = dict[str, Any]

PAGES = [
    path
    for path in sorted(PROJECT.rglob("*.md"))
    # Not what is installed or left behind: .venv, .meltano and the like.
    if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
]
README = Document(PROJECT / "README.md")
TAP_README = Document(PROJECT / "tap-ynab/README.md")


def shown_default(definition: Json) -> str:
    """A setting's default as the table shows it."""
    if (default := definition.get("default")) is None:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


# Settings and streams


def test_the_table_of_settings(about: Json, own_settings: dict[str, Json]) -> None:
    required = about["settings"]["required"]
    wanted = []
    for name, definition in own_settings.items():
        default = "required" if name in required else shown_default(definition)
        variable = f"`TAP_YNAB_{name.upper()}`"
        wanted.append((f"`{name}`", variable, default, definition["description"]))
    shown = README.table("setting", "environment variable", "default", "description")
    assert shown == wanted


def test_environment_variables_are_those_that_the_tap_reads() -> None:
    told = dict(
        re.findall(r"Name: (\w+)\n.*\n *Environment Variable: (\w+)", output(TAP, "--about"))
    )
    table = README.table("setting", "environment variable", "default", "description")
    assert table
    for setting, variable, *_ in table:
        assert told[code_of(setting)] == code_of(variable)


def test_the_table_of_streams(catalog: dict[str, Json]) -> None:
    words = {"INCREMENTAL": "incremental", "FULL_TABLE": "full table"}
    wanted = [
        (
            f"`{name}`",
            ", ".join(f"`{key}`" for key in stream["key_properties"]),
            words[stream["replication_method"]],
        )
        for name, stream in catalog.items()
    ]
    shown = README.table("stream", "key", "replication", "what it holds")
    assert sorted(row[:3] for row in shown) == sorted(wanted)
    assert all(row[3] for row in shown)


def test_incremental_streams_have_the_replication_key_that_the_readmes_name(
    catalog: dict[str, Json],
) -> None:
    for stream in catalog.values():
        is_incremental = stream["replication_method"] == "INCREMENTAL"
        assert stream.get("replication_key") == ("server_knowledge" if is_incremental else None)
        assert ("server_knowledge" in stream["schema"]["properties"]) == is_incremental
    for page in (README, TAP_README):
        assert "`server_knowledge`" in page.text


def test_relations_are_between_columns_and_streams_that_exist(catalog: dict[str, Json]) -> None:
    columns = {
        f"{name}.{column}"
        for name, stream in catalog.items()
        for column in stream["schema"]["properties"]
    }
    (every, budgets), *relations = README.table("column", "points to")
    assert (every, budgets) == ("`budget_id` of every table", "`budgets`")
    assert {name for name in catalog if f"{name}.budget_id" not in columns} == {"budgets"}
    shown = [code_of(column) for cell, _ in relations for column in cell.split(", ")]
    assert set(shown) <= columns
    assert len(shown) == len(set(shown))
    assert {code_of(table) for _, table in relations} <= catalog.keys()
    # None is left out, but for the ids of what the tap has no stream of.
    elsewhere = ("import_id", "performed_by_user_id", "original_category_group_id", ".budget_id")
    ids = {column for column in columns if column.endswith("_id") and "." in column}
    missing = {column for column in ids - set(shown) if not column.endswith(elsewhere)}
    assert missing <= {"month_categories.category_group_id"}


# Commands

MAKEFILE_TARGETS = set(re.findall(r"(?m)^([\w./-]+):", read("Makefile")))
CALLS_OF_MELTANO = [
    (page.path.relative_to(PROJECT).as_posix(), call)
    for page in map(Document, PAGES)
    for call in page.commands("meltano")
]


def words_of(call: list[str]) -> list[str]:
    return [word for word in call if not word.startswith("-")]


def test_the_readme_shows_commands() -> None:
    """Or else the tests below would show nothing."""
    assert len(README.commands("make")) >= 4
    assert len(README.commands("meltano")) >= 8
    assert len(README.commands("tap-ynab")) >= 3
    assert len(TAP_README.commands("tap-ynab")) >= 3


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_targets_of_make(path: Path) -> None:
    for call in Document(path).commands("make"):
        targets = {word for word in call if "=" not in word}
        assert targets <= MAKEFILE_TARGETS
        assert {word.partition("=")[0] for word in call if "=" in word} <= {"PYTHON"}


def test_the_two_commands_are_targets_that_no_file_stands_for() -> None:
    phony = re.search(r"(?m)^\.PHONY: (.*)$", read("Makefile"))
    assert phony
    assert {"demo", "test", "check", "stop", "clean"} <= set(phony[1].split())


@pytest.mark.parametrize(("page", "call"), CALLS_OF_MELTANO)
def test_commands_of_meltano(
    page: str, call: list[str], meltano: Json, plugins: dict[str, Json]
) -> None:
    assert page
    jobs = {job["name"] for job in meltano["jobs"]}
    states = {
        f"{environment}:{task.replace(' ', '-to-')}"
        for environment in environments(meltano)
        for job in meltano["jobs"]
        for task in job["tasks"]
    }
    match words_of(call):
        case ["run", *blocks]:
            assert blocks
            assert set(blocks) <= jobs | plugins.keys()
        case ["invoke", plugin, *arguments]:
            name, _, command = plugin.partition(":")
            assert name in plugins
            if command:
                check_invocation(plugins[name]["commands"][command], arguments)
        case ["schedule", "run", name]:
            assert name in {schedule["name"] for schedule in meltano["schedules"]}
        case ["state", "list"]:
            pass
        case ["state", "get", state]:
            assert state in states
        case other:
            pytest.fail(f"This test does not know the command {other}.")


def check_invocation(command: Json, arguments: list[str]) -> None:
    """See that a plugin's command, and its first argument, exist."""
    executable = Path(sys.executable).with_name(command["executable"])
    fixed = command["args"].split()
    assert output(executable, *fixed, *arguments[: 1 - len(fixed)], "--help")


@pytest.mark.parametrize(
    "subcommand", sorted({" ".join(words_of(call)[:1]) for _, call in CALLS_OF_MELTANO})
)
def test_options_of_meltano(
    subcommand: str, meltano: Json, installed: Callable[[str], str]
) -> None:
    options = {
        word.partition("=")[0]
        for _, call in CALLS_OF_MELTANO
        if words_of(call)[0] == subcommand
        for word in call
        if word.startswith("--")
    }
    chosen = {
        word.partition("=")[2]
        for _, call in CALLS_OF_MELTANO
        for word in call
        if word.startswith("--environment")
    }
    assert chosen <= environments(meltano).keys()
    if options:
        program = installed(MELTANO)
        text = output(program, "--help") + output(program, subcommand, "--help")
        assert options <= set(re.findall(r"--[\w-]+", text))


@pytest.mark.parametrize("page", [README, TAP_README], ids=["README", "tap-ynab/README"])
def test_options_of_the_tap(page: Document) -> None:
    known = set(re.findall(r"--[\w-]+", output(TAP, "--help")))
    options = {
        word.partition("=")[0]
        for call in page.commands("tap-ynab")
        for word in call
        if word.startswith("-")
    }
    spans = {span.split()[0] for span in page.spans() if span.startswith("--")}
    assert {"--config", "--state", "--discover"} <= options <= known
    assert spans <= known


def test_settings_that_the_readmes_show_in_a_config_file(own_settings: dict[str, Json]) -> None:
    for page in (README, TAP_README):
        configs = re.findall(r"echo '(.*)' >config\.json", page.text)
        assert configs
        for config in configs:
            assert json.loads(config).keys() <= own_settings.keys()


# Code that the README shows


def test_sql_and_the_number_of_requests(
    pipeline: Pipeline, sandbox: Sandbox, own_settings: dict[str, Json]
) -> None:
    assert pipeline.sync().code == 0
    blocks = README.code("sql")
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

    said = re.search(r"first run costs (\d+)\s+request, and (\d+) for each budget", README.text)
    assert said
    assert len(sandbox.requests) == int(said[1]) + int(said[2]) * len(sandbox.budgets)
    sandbox.clear_requests()
    assert pipeline.sync().code == 0
    said = re.search(r"A run costs (\d+) request, and for\s+each budget (\d+)", README.text)
    movements = re.search(r"money movements, if they are selected, cost (\d+)", README.text)
    assert said
    assert movements
    each = int(said[2]) + int(movements[1])
    assert len(sandbox.requests) == int(said[1]) + each * len(sandbox.budgets)
    said = re.search(r"allows (\d+) requests an hour", README.text)
    assert said
    assert said[1] == str(own_settings["requests_per_hour"]["default"])


def test_python_and_yaml() -> None:
    for block in README.code("python"):
        compile(block, "README.md", "exec")
    (project,) = [yaml.safe_load(block) for block in README.code("yaml")]
    (extractor,) = project["plugins"]["extractors"]
    assert (extractor["name"], extractor["executable"]) == ("tap-ynab", "tap-ynab")


def test_what_meltano_is_shown_is_what_the_project_has(plugins: dict[str, Json]) -> None:
    (extractor,) = yaml.safe_load(README.code("yaml")[0])["plugins"]["extractors"]
    plugin = plugins["tap-ynab"]
    assert set(extractor["capabilities"]) <= set(plugin["capabilities"])
    assert settings_of(extractor).keys() <= settings_of(plugin).keys()
    assert extractor["select"] == plugin["select"]
    assert extractor["namespace"] == plugin["namespace"]


def test_first_lines_of_a_run(
    pipeline: Pipeline, sandbox: Sandbox, own_settings: dict[str, Json]
) -> None:
    default = own_settings["api_url"]["default"]
    budgets = ", ".join(budget.name for budget in sandbox.budgets)
    lines = [
        f"Account at {url}, budgets: {budgets}" for url in (default, pipeline.tap.config["api_url"])
    ]
    assert lines[0] in README.text.splitlines()
    assert lines[1] in pipeline.tap.run().log


# Links, and what else is named


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links(path: Path) -> None:
    page = Document(path)
    for link in page.links():
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in Document(target).anchors(), link


def test_paths_that_the_readme_names() -> None:
    for cell, _ in README.table("path", "is"):
        for path in re.findall(r"`([^`]*)`", cell):
            ignored = "/.venv*/" if path.startswith(".venv") else f"/{path}"
            assert ignored in read(".gitignore").splitlines()
    for path in ("client.py", "streams.py", "schemas.py", "sync.py"):
        assert path in README.text
        assert (PROJECT / "tap-ynab/tap_ynab" / path).is_file()


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(
        r"(?m)^## \[([^\]]+)\] - (?:Unreleased|\d{4}-\d\d-\d\d)$", read("CHANGELOG.md")
    )
    assert headings[0] == version("tap-ynab")


def test_ci_runs_the_same_on_all_pythons_of_the_tap(about: Json) -> None:
    workflow = yaml.safe_load(read(".github/workflows/ci.yml"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == about["supported_python_versions"]
    assert {one["os"] for one in matrix["include"]} == {"macos-latest"}
    (command,) = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert {"test", "check"} <= set(command.split())
    script = PROJECT / ".ci/run"
    assert os.access(script, os.X_OK)
    for target in ("make check", "make test"):
        assert target in script.read_text(encoding="utf-8")
