"""Where the settings come from, and what the tap says of them."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.support.pipeline import TAP
from tests.support.rows import STREAMS
from tests.support.runs import execute, failed, good, rows_of_ynab, run, streams_in

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
    assert not rows_of_ynab(finished)


def test_a_setting_that_is_wrong_in_the_environment_is_named(
    account: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    finished = run("--config=ENV", folder=tmp_path, TAP_YNAB_REQUEST_TIMEOUT="soon", **account)
    assert "request_timeout" in failed(finished).lower()
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("REQUEST_TIMEOUT", "", "a whole number from 1 to 86400"),
        ("REQUEST_TIMEOUT", "9" * 5000, "a whole number from 1 to 86400"),
        ("MAX_RETRY_TIME", "1.5", "a whole number from 0 to 86400"),
        ("REQUESTS_PER_HOUR", "٣", "a whole number, at least 1"),
        ("WAIT_FOR_LIMIT", "ture", "true or false"),
        ("USE_EXPORT", "", "true or false"),
        ("FLATTENING_ENABLED", "maybe", "true or false"),
        ("FLATTENING_MAX_DEPTH", "deep", "a whole number"),
        ("STREAM_MAPS", "{", "an object as `tap-ynab --about` describes it"),
        ("STREAM_MAPS", "[" * 100_000, "an object as `tap-ynab --about` describes it"),
        ("BATCH_CONFIG", "s3cr3t", "an object as `tap-ynab --about` describes it"),
    ],
)
def test_a_variable_of_the_wrong_kind_is_named_and_not_repeated(
    account: dict[str, str], tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    environment = {**account, f"TAP_YNAB_{name}": value}
    finished = run("--config=ENV", folder=tmp_path, **environment)
    assert failed(finished).endswith(f" TAP_YNAB_{name} must be {wanted}.")
    assert "s3cr3t" not in finished.log


@pytest.mark.parametrize("option", ["--discover", "--test"])
def test_so_it_is_for_other_commands(account: dict[str, str], tmp_path: Path, option: str) -> None:
    environment = {**account, "TAP_YNAB_REQUEST_TIMEOUT": "soon"}
    finished = run("--config=ENV", option, folder=tmp_path, **environment)
    assert "TAP_YNAB_REQUEST_TIMEOUT must be" in failed(finished)


@pytest.mark.parametrize("value", ["TRUE", "1", "on", "No"])
def test_words_for_true_and_false(account: dict[str, str], tmp_path: Path, value: str) -> None:
    environment = {**account, "TAP_YNAB_USE_EXPORT": value}
    good(run("--config=ENV", "--discover", folder=tmp_path, **environment))


def test_no_env_file_is_read(account: dict[str, str], sandbox: Sandbox, tmp_path: Path) -> None:
    """The SDK would read one in a folder above its own, or as here, in that of a shell's Python.

    Whoever can write one there could have the token sent elsewhere.
    """
    lines = ("TAP_YNAB_API_URL=https://evil.test", "TAP_YNAB_USER_AGENT=evil", "HTTPS_PROXY=evil")
    (tmp_path / ".env").write_text("\n".join(lines))
    start = "from tap_ynab.tap import TapYNAB; TapYNAB.cli()"
    finished = good(
        execute(sys.executable, "-c", start, "--config=ENV", folder=tmp_path, **account)
    )
    assert "evil" not in finished.log
    assert {r.headers["user-agent"] for r in sandbox.requests} == {
        f"tap-ynab/{version('tap-ynab')}"
    }


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
    assert len(json.loads(finished.stdout)["streams"]) == len(STREAMS) + 1


def test_the_connection_test(tap: Tap, sandbox: Sandbox) -> None:
    for option in ("--test", "--test=all"):
        log = good(tap.run(option)).log
        [line] = [line for line in log.splitlines() if "Skipping parse of env" not in line]
        assert line.endswith(
            f"Account at {tap.config['api_url']}, budgets: Our Household, Ferienwohnung"
        )
    sandbox.set_token(sandbox.token, "401")
    assert "does not accept the token" in failed(tap.run("--test"))


def test_about_has_descriptions_and_defaults(tmp_path: Path) -> None:
    about = good(run("--about", folder=tmp_path)).stdout
    assert "Description: Base address of the API." in about
    assert "Default: https://api.ynab.com/v1" in about
    assert "Required: yes" in about


@pytest.mark.parametrize("form", ["{0}", " {0} ,", "{0},{1}", '["{0}", "{1}"]'])
def test_budgets_by_a_text_of_ids(
    tap: Tap, budget: Budget, other: Budget, tmp_path: Path, form: str
) -> None:
    ids = form.format(budget.id, other.id)
    wanted = {each.id for each in (budget, other) if each.id in ids}
    variables = {f"TAP_YNAB_{name.upper()}": value for name, value in tap.config.items()}
    by_variable = run("--config=ENV", folder=tmp_path, TAP_YNAB_BUDGET_IDS=ids, **variables)
    for finished in (good(tap.run(budget_ids=ids)), good(by_variable)):
        assert {row["id"] for row in finished.records("budgets")} == wanted
        assert "WARNING" not in finished.log


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
