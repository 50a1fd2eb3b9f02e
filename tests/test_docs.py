"""What the documentation, meltano.yml and .env.example say is what the code does."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from dotenv import dotenv_values
from pages import Document, code_of
from pipeline import LOADER, PROJECT, TAP
from tap_ynab.tap import TapYNAB

if TYPE_CHECKING:
    from pipeline import Pipeline
    from ynab_sandbox import Sandbox

    Json = dict[str, Any]

PAGES = [
    path
    for path in sorted(PROJECT.rglob("*.md"))
    # Not what is installed or left behind: .venv, .meltano and the like.
    if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
]
README = Document(PROJECT / "README.md")
TAP_README = Document(PROJECT / "tap-ynab/README.md")
#: The SDK's setting for a library that the tap does not install.
USELESS = {"faker_config"}


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def output(*command: str | Path) -> str:
    """What a command prints; it must succeed."""
    # A narrow terminal would break its lines.
    environment = {"PATH": os.defpath, "HOME": os.devnull, "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, capture_output=True, encoding="utf-8"
    ).stdout


@pytest.fixture(scope="module")
def about() -> Json:
    """What the tap says about itself."""
    return dict(json.loads(output(TAP, "--about", "--format=json")))


@pytest.fixture(scope="module")
def own_settings(about: Json) -> dict[str, Json]:
    """The tap's settings by name, without those that the SDK adds to all taps."""
    standard: Json = {"properties": {}}
    TapYNAB.append_builtin_config(standard)
    properties = about["settings"]["properties"]
    return {name: properties[name] for name in properties if name not in standard["properties"]}


@pytest.fixture(scope="module")
def catalog() -> dict[str, Json]:
    """Streams by name, as the tap discovers them."""
    tap = TapYNAB(config={"access_token": "a-token"})
    return {stream["tap_stream_id"]: stream for stream in tap.catalog_dict["streams"]}


@pytest.fixture(scope="module")
def meltano() -> Json:
    """meltano.yml."""
    return dict(yaml.safe_load(read("meltano.yml")))


@pytest.fixture(scope="module")
def plugins(meltano: Json) -> dict[str, Json]:
    """The plugins of meltano.yml by name, with what they inherit."""
    found: dict[str, Json] = {}
    for plugin in (plugin for kind in meltano["plugins"].values() for plugin in kind):
        found[plugin["name"]] = found.get(plugin.get("inherit_from"), {}) | plugin
    return found


def environments(meltano: Json) -> dict[str, Json]:
    return {environment["name"]: environment for environment in meltano["environments"]}


def shown_default(definition: Json) -> str:
    """A setting's default as the table shows it."""
    if (default := definition.get("default")) is None:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def settings_of(plugin: Json) -> dict[str, Json]:
    return {setting["name"]: setting for setting in plugin["settings"]}


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


# meltano.yml


def test_meltano_knows_the_settings_of_the_tap(
    about: Json, own_settings: dict[str, Json], plugins: dict[str, Json]
) -> None:
    wanted = {
        name: definition
        for name, definition in about["settings"]["properties"].items()
        if name not in USELESS
    }
    settings = settings_of(plugins["tap-ynab"])
    assert settings.keys() == wanted.keys()
    for name, definition in wanted.items():
        assert settings[name]["kind"] in definition["type"], name
        assert settings[name].get("sensitive", False) == definition.get("secret", False), name
    for name, definition in own_settings.items():
        assert settings[name].get("label") == definition["title"]


def test_meltano_knows_the_capabilities_of_the_tap(about: Json, plugins: dict[str, Json]) -> None:
    assert set(plugins["tap-ynab"]["capabilities"]) == set(about["capabilities"])


def test_meltano_knows_the_settings_of_the_loader(plugins: dict[str, Json]) -> None:
    known = json.loads(output(LOADER, "--about", "--format=json"))["settings"]["properties"]
    loader = plugins["target-postgres"]
    assert settings_of(loader).keys() <= known.keys()
    assert loader["config"].keys() <= settings_of(loader).keys()
    for name, setting in settings_of(loader).items():
        assert setting["kind"] in known[name]["type"], name
    assert loader["config"] == {
        "default_target_schema": "ynab",
        "use_copy": True,
        "validate_records": False,
    }


def test_the_loader_is_pinned_where_everything_is(plugins: dict[str, Json]) -> None:
    pinned = [line for line in read("constraints.txt").splitlines() if "target-postgres" in line]
    assert len(pinned) == 1
    assert pinned[0] in plugins["target-postgres"]["pip_url"].split()
    for plugin in plugins.values():
        assert plugin["pip_url"].startswith("-c constraints.txt ")


def test_twins_of_amounts_are_not_selected(plugins: dict[str, Json]) -> None:
    assert plugins["tap-ynab"]["select"] == ["*.*", "!*.*_formatted", "!*.*_currency"]


def test_jobs_and_schedules(meltano: Json, plugins: dict[str, Json]) -> None:
    jobs = {job["name"]: job["tasks"] for job in meltano["jobs"]}
    assert jobs == {
        "sync": ["tap-ynab target-postgres"],
        "reconcile": ["tap-ynab-reconcile target-postgres"],
    }
    assert {
        schedule["name"]: (schedule["interval"], schedule["job"])
        for schedule in meltano["schedules"]
    } == {
        "sync-every-4-hours": ("0 */4 * * *", "sync"),
        "reconcile-daily": ("0 3 * * *", "reconcile"),
    }
    assert plugins["tap-ynab-reconcile"]["inherit_from"] == "tap-ynab"
    metadata = plugins["tap-ynab-reconcile"]["metadata"]
    assert metadata == {"*": {"replication-method": "FULL_TABLE"}}


def test_the_crontab_calls_each_schedule_when_meltano_says(meltano: Json) -> None:
    (crontab,) = [block for block in README.code("") if "meltano schedule" in block]
    lines = re.findall(r"(?m)^((?:\S+ +){5})cd .*meltano schedule run (\S+)", crontab)
    shown = {name: " ".join(interval.split()) for interval, name in lines}
    assert shown == {s["name"]: s["interval"] for s in meltano["schedules"]}


def test_environments(meltano: Json) -> None:
    assert meltano["default_environment"] == "demo"
    rows = README.table("environment", "account", "database")
    assert [re.findall(r"`([^`]*)`", row[0])[0] for row in rows] == list(environments(meltano))
    folders = {}
    for name, environment in environments(meltano).items():
        folders[name] = environment.get("env", {}).get("EMBEDDED_POSTGRES")
        has_sandbox = "YNAB_SANDBOX" in environment.get("env", {})
        assert has_sandbox == (name == "demo")
    assert folders == {"demo": ".data/demo/postgres", "local": ".data/postgres", "prod": None}


def test_usage_statistics_are_off(meltano: Json) -> None:
    assert meltano["send_anonymous_usage_stats"] is False


# .env.example

ENV_EXAMPLE = read(".env.example")
#: All variables, also those that are commented out.
VARIABLES = dotenv_values(stream=io.StringIO(re.sub(r"(?m)^#(?=[A-Z_]+=)", "", ENV_EXAMPLE)))


def test_the_example_sets_the_environment_and_asks_for_the_token(meltano: Json) -> None:
    assert dotenv_values(stream=io.StringIO(ENV_EXAMPLE)) == {
        "YNAB_PERSONAL_ACCESS_TOKEN": "",
        "MELTANO_ENVIRONMENT": "local",
    }
    assert "local" in environments(meltano)


def test_the_token_reaches_every_extractor_in_every_environment_with_an_account(
    meltano: Json,
) -> None:
    extractors = {plugin["name"] for plugin in meltano["plugins"]["extractors"]}
    for name in ("local", "prod"):
        configured = environments(meltano)[name]["config"]["plugins"]["extractors"]
        tokens = {plugin["name"]: plugin["config"]["access_token"] for plugin in configured}
        assert tokens == dict.fromkeys(extractors, "$YNAB_PERSONAL_ACCESS_TOKEN")


def test_variables_of_the_example_are_settings(plugins: dict[str, Json]) -> None:
    known = {"YNAB_PERSONAL_ACCESS_TOKEN": "string", "MELTANO_ENVIRONMENT": "string"}
    for plugin, prefix in (("tap-ynab", "TAP_YNAB_"), ("target-postgres", "TARGET_POSTGRES_")):
        for name, setting in settings_of(plugins[plugin]).items():
            known[prefix + name.upper()] = setting["kind"]
    assert VARIABLES.keys() <= known.keys()
    for name, value in VARIABLES.items():
        assert value is not None, name
        if known[name] in ("array", "integer", "boolean"):
            json.loads(value)


def test_values_of_the_example_are_ones_that_the_tap_takes(own_settings: dict[str, Json]) -> None:
    values = {name: VARIABLES.get(f"TAP_YNAB_{name.upper()}") for name in own_settings}
    config = {name: value for name, value in values.items() if value is not None}
    config["budget_ids"] = json.loads(config.get("budget_ids", ""))
    TapYNAB(config=config | {"access_token": "a-token"})


def test_the_example_holds_what_a_postgresql_of_ones_own_needs() -> None:
    for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE", "SSL_ENABLE", "SSL_MODE"):
        assert f"TARGET_POSTGRES_{name}" in VARIABLES


def test_each_variable_of_the_example_has_a_comment() -> None:
    lines = ENV_EXAMPLE.splitlines()
    for above, line in pairwise(lines):
        if re.match(r"#?[A-Z_]+=", line):
            assert above.startswith("# "), line


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
def test_options_of_meltano(subcommand: str, meltano: Json) -> None:
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
        program = PROJECT / ".venv/bin/meltano"
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
    for plan in sandbox.plans:
        total = sum(account["balance"] for account in plan.entities("accounts"))
        assert [row["net_worth"] * 1000 for row in net_worth if row["budget"] == plan.name] == [
            total
        ]
        spent = sum(
            -category["activity"]
            for category in plan.entities("month_categories")
            if category["activity"] < 0 and not category["internal"]
        )
        assert sum(row["spent"] for row in spending if row["budget_id"] == plan.id) * 1000 == spent
    amounts = sum(t["amount"] for plan in sandbox.plans for t in plan.entities("transactions"))
    assert sum(row["amount"] for row in lines) * 1000 == amounts

    said = re.search(r"first run costs (\d+)\s+request, and (\d+) for each budget", README.text)
    assert said
    assert len(sandbox.requests) == int(said[1]) + int(said[2]) * len(sandbox.plans)
    sandbox.clear_requests()
    assert pipeline.sync().code == 0
    said = re.search(r"A run costs (\d+) request, and for\s+each budget (\d+)", README.text)
    movements = re.search(r"money movements, if they are selected, cost (\d+)", README.text)
    assert said
    assert movements
    each = int(said[2]) + int(movements[1])
    assert len(sandbox.requests) == int(said[1]) + each * len(sandbox.plans)
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
    budgets = ", ".join(plan.name for plan in sandbox.plans)
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
