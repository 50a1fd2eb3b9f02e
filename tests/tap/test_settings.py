"""Where the settings come from, and what the tap says of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.pipeline import TAP
from tests.support.rows import STREAMS
from tests.support.runs import execute, failed, good, run, streams_in

if TYPE_CHECKING:
    from pathlib import Path

    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Tap


@pytest.fixture
def account(sandbox: Sandbox, api_url: str) -> dict[str, str]:
    """How the environment says which account to read."""
    return {"TAP_YNAB_ACCESS_TOKEN": sandbox.token, "TAP_YNAB_API_URL": api_url}


def test_settings_from_the_environment(
    account: dict[str, str], sandbox: Sandbox, budget: Budget, tmp_path: Path
) -> None:
    finished = run(
        "--config=ENV",
        folder=tmp_path,
        **account,
        TAP_YNAB_BUDGET_IDS=json.dumps([budget.id]),
        TAP_YNAB_SINCE_DATE="2026-10-01",
        TAP_YNAB_USER_AGENT="household/1.0",
        TAP_YNAB_STREAM_MAPS=json.dumps({"months": None}),
        TAP_YNAB_FLATTENING_ENABLED="true",
        TAP_YNAB_FLATTENING_MAX_DEPTH="1",
    )
    good(finished)
    assert [row["id"] for row in finished.records("budgets")] == [budget.id]
    assert {r.query.get("since_date") for r in sandbox.requests} == {None, "2026-10-01"}
    assert {request.headers["user-agent"] for request in sandbox.requests} == {"household/1.0"}
    assert "months" not in streams_in(finished)


def test_times_from_the_environment(
    account: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.fail("stall", path="/plans")
    patient = run("--config=ENV", folder=tmp_path, TAP_YNAB_REQUEST_TIMEOUT="1", **account)
    assert patient.code == 0, patient.log
    assert [r.path for r in sandbox.requests][:2] == ["/v1/plans", "/v1/plans"]

    sandbox.clear_requests()
    sandbox.fail("500", path="/plans", times=9)
    hasty = run("--config=ENV", folder=tmp_path, TAP_YNAB_MAX_RETRY_TIME="0", **account)
    failed(hasty)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("value", ["not json", '{"a": 1}', "[5]"])
def test_a_list_in_the_environment_that_is_none(
    account: dict[str, str], tmp_path: Path, value: str
) -> None:
    finished = run("--config=ENV", folder=tmp_path, TAP_YNAB_BUDGET_IDS=value, **account)
    assert "budget" in failed(finished).lower()
    assert not [m for m in finished.messages if m["type"] == "RECORD"]


def test_a_setting_that_is_wrong_in_the_environment_is_named(
    account: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    finished = run("--config=ENV", folder=tmp_path, TAP_YNAB_REQUEST_TIMEOUT="soon", **account)
    assert "request_timeout" in failed(finished).lower()
    assert not sandbox.requests


def test_of_several_config_files_the_last_one_wins(
    tap: Tap, sandbox: Sandbox, budget: Budget, tmp_path: Path
) -> None:
    arguments = []
    for number, content in enumerate(
        (
            {**tap.config, "user_agent": "first/1", "budget_ids": ["unknown"]},
            {"user_agent": "second/2"},
            {"budget_ids": [budget.id]},
        )
    ):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(content))
        arguments += ["--config", str(path)]
    finished = good(run(*arguments, folder=tmp_path))
    assert [row["id"] for row in finished.records("budgets")] == [budget.id]
    assert {request.headers["user-agent"] for request in sandbox.requests} == {"second/2"}


def test_a_config_that_can_be_read_only_once(tap: Tap, tmp_path: Path) -> None:
    """As a shell gives it: `--config <(pass show ynab)`, or `--config /dev/stdin`."""
    arguments = ("--config", "/dev/stdin", "--discover")
    finished = good(execute(TAP, *arguments, folder=tmp_path, stdin=json.dumps(tap.config)))
    assert len(json.loads(finished.stdout)["streams"]) == len(STREAMS)


def test_the_connection_test(tap: Tap) -> None:
    finished = good(tap.run("--test"))
    assert "Warning" not in finished.log
    assert "Traceback" not in finished.log


def test_about_lists_every_setting_with_what_it_means(tmp_path: Path) -> None:
    finished = good(run("--about", "--format=json", folder=tmp_path))
    about = json.loads(finished.stdout)
    settings = about["settings"]["properties"]
    assert {
        "access_token",
        "api_url",
        "budget_ids",
        "since_date",
        "user_agent",
        "request_timeout",
        "max_retry_time",
        "stream_maps",
        "flattening_enabled",
    } <= settings.keys()
    assert not [name for name, setting in settings.items() if not setting.get("description")]
    assert about["settings"]["required"] == ["access_token"]
    assert settings["access_token"]["secret"] is True
    assert settings["since_date"]["default"] == "1970-01-01"
    assert {"catalog", "state", "discover", "about", "stream-maps", "activate-version"} <= set(
        about["capabilities"]
    )
