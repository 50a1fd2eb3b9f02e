"""meltano.yml has what the tap, the loader and the README say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.support.described import environments, output, read, settings_of
from tests.support.pages import Document
from tests.support.pipeline import PROJECT, STOCK_LOADER

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]

README = Document(PROJECT / "README.md")
SCHEDULES = Document(PROJECT / "docs/schedules.md")
#: The SDK's setting for a library that the tap does not install.
USELESS = {"faker_config"}


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


def test_meltano_knows_the_settings_of_the_loader(
    installed: Callable[[str], str], plugins: dict[str, Json]
) -> None:
    about = json.loads(output(installed(STOCK_LOADER.command), "--about", "--format=json"))
    known = about["settings"]["properties"]
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
    for name, plugin in plugins.items():
        pins = "-r transform/requirements.txt " if name == "dbt" else "-c constraints.txt "
        assert plugin["pip_url"].startswith(pins)


def test_dbt_is_pinned_with_all_that_it_needs() -> None:
    lines = read("transform/requirements.txt").splitlines()
    pins = [line.partition(" ")[0] for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins)
    assert {"dbt-core==1.11", "dbt-postgres==1.11"} <= {pin.rpartition(".")[0] for pin in pins}


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
    (crontab,) = [block for block in SCHEDULES.code("") if "pipeline run" in block]
    lines = re.findall(r"(?m)^((?:\S+ +){5})cd .*ynab-pipeline run (\S+)", crontab)
    shown = {name: " ".join(interval.split()) for interval, name in lines}
    assert shown == {s["name"]: s["interval"] for s in meltano["schedules"]}


def test_environments(meltano: Json) -> None:
    assert meltano["default_environment"] == "demo"
    rows = README.table("environment", "account", "database")
    assert [re.findall(r"`([^`]*)`", row[0])[0] for row in rows] == list(environments(meltano))
    folders = {}
    for name, environment in environments(meltano).items():
        folders[name] = environment.get("env", {})
        assert environment["state_id_suffix"] == "$MELTANO_RUN_STATE_ID_SUFFIX"
    assert folders == {
        "demo": {
            "YNAB_SANDBOX": "$MELTANO_PROJECT_ROOT/.data/demo/ynab-sandbox",
            "PROJECT_POSTGRES": "$MELTANO_PROJECT_ROOT/.data/demo/postgres",
        },
        "local": {"PROJECT_POSTGRES": "$MELTANO_PROJECT_ROOT/.data/postgres"},
        "prod": {},
    }


def test_meltano_starts_what_prepares_a_run(plugins: dict[str, Json]) -> None:
    executables = {name: plugin["executable"] for name, plugin in plugins.items()}
    assert executables == {
        "tap-ynab": "ynab-pipeline-tap",
        "tap-ynab-reconcile": "ynab-pipeline-tap",
        "target-postgres": "ynab-pipeline-target",
        "dbt": "ynab-pipeline-dbt",
        "report": "ynab-pipeline-report",
    }


def test_usage_statistics_are_off(meltano: Json) -> None:
    assert meltano["send_anonymous_usage_stats"] is False
