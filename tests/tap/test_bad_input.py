"""What is wrong is said in one line that tells what to do, at once, and never with the token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import Catalog
from tests.support.runs import failed, good, rows_of_ynab, run, streams_in

if TYPE_CHECKING:
    from pathlib import Path

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Finished, Row, Tap

SECRET = "s3cr3t-t0ken-of-mine"  # noqa: S105 the one that must not show up


def last_line(finished: Finished) -> str:
    """The message of the last line of the log."""
    return finished.log.strip().splitlines()[-1].split("|")[-1].strip()


def assert_plain(finished: Finished) -> None:
    failed(finished)
    assert not rows_of_ynab(finished)


@pytest.mark.parametrize("token", ["", " ", "\n", "\t \n"])
def test_an_empty_token(tap: Tap, sandbox: Sandbox, token: str) -> None:
    finished = tap.run(access_token=token)
    assert_plain(finished)
    assert "settings/developer" in last_line(finished)
    assert not sandbox.requests


@pytest.mark.parametrize("token", ["a b", "tök", "to\nken", "\x00token"])
def test_what_cannot_be_a_token(tap: Tap, sandbox: Sandbox, token: str) -> None:
    finished = tap.run(access_token=token)
    assert_plain(finished)
    assert token not in finished.log
    assert not sandbox.requests


def test_a_token_copied_with_its_newline(tap: Tap, sandbox: Sandbox) -> None:
    finished = tap.run(access_token=f" {sandbox.token}\n")
    assert finished.code == 0, finished.log


def test_no_token_at_all(tap: Tap, sandbox: Sandbox) -> None:
    del tap.config["access_token"]
    finished = tap.run()
    assert_plain(finished)
    assert "access_token" in last_line(finished)
    assert "settings/developer" in last_line(finished)
    assert not sandbox.requests


@pytest.mark.parametrize("token", [12345678901, ["s3cr3t-t0ken"], {"s3cr3t-t0ken": 1}])
def test_a_token_of_the_wrong_type_is_not_quoted(tap: Tap, token: object) -> None:
    finished = tap.run(access_token=token)
    assert_plain(finished)
    assert "access_token" in last_line(finished)
    assert "12345678901" not in finished.log
    assert "s3cr3t" not in finished.log


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ("401", "settings/developer"),
        ("403.1", "Renew"),
        ("403.2", "Subscribe"),
        ("403.3", "settings/developer"),
        ("403.4", "data limit"),
    ],
)
def test_what_ynab_refuses_is_not_tried_again(
    tap: Tap, sandbox: Sandbox, answer: str, advice: str
) -> None:
    sandbox.set_token(SECRET, answer)
    finished = tap.run(access_token=SECRET)
    assert_plain(finished)
    assert "Trying again" not in finished.log
    assert advice in last_line(finished)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_the_token_shows_up_nowhere(tap: Tap, sandbox: Sandbox, level: str) -> None:
    tap.environment["TAP_YNAB_LOGLEVEL"] = tap.environment["LOGLEVEL"] = level
    sandbox.set_token(SECRET)
    sandbox.fail("500", path="/payees")
    good = tap.run(access_token=SECRET)
    assert good.code == 0, good.log
    sandbox.set_token(SECRET, "401")
    refused = tap.run(access_token=f"{SECRET}\n")
    assert refused.code == 1
    for finished in (good, refused):
        assert SECRET not in finished.stdout + finished.log


@pytest.mark.parametrize(
    "since_date", ["yesterday", "2024-13-01", "20240101", "2024-01-01T00:00:00Z", "01/31/2024", ""]
)
def test_a_bad_since_date(tap: Tap, sandbox: Sandbox, since_date: str) -> None:
    finished = tap.run(since_date=since_date)
    assert_plain(finished)
    assert last_line(finished) == "since_date must be a date such as 2015-01-31."
    assert not sandbox.requests


def test_an_unknown_budget_is_named_and_so_are_those_there_are(tap: Tap, sandbox: Sandbox) -> None:
    unknown = "11111111-2222-4333-8444-555555555555"
    finished = tap.run(budget_ids=[sandbox.budgets[0].id, unknown])
    assert_plain(finished)
    line = last_line(finished)
    assert unknown in line
    assert all(budget.id in line and budget.name in line for budget in sandbox.budgets)


@pytest.mark.parametrize(
    "api_url",
    [
        "http://api.ynab.com/v1",
        "http://192.168.1.1/v1",
        "http://127.0.0.1.example.org/v1",
        "http://localhost.example.org/v1",
        "http://127.0.0.1@example.org/v1",
        "ftp://127.0.0.1/v1",
        "api.ynab.com/v1",
        "",
    ],
)
def test_an_address_that_would_show_the_token_to_others(tap: Tap, api_url: str) -> None:
    finished = tap.run(api_url=api_url)
    assert_plain(finished)
    assert "https://" in last_line(finished)


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"'])
@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
def test_a_file_that_is_no_json_object(tap: Tap, tmp_path: Path, option: str, content: str) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(content)
    finished = tap.run(option, str(broken))
    assert_plain(finished)
    assert "broken.json" in last_line(finished)


@pytest.mark.parametrize(
    "content",
    [
        *(b" ", b"null", b"NaN", b"{} {}", b"\x00", b"{'a': 1}"),
        b'{"a": "\xff"}',  # not UTF-8
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda content: repr(content[:12]),
)
@pytest.mark.parametrize("option", ["--config", "--state"])
def test_a_file_that_is_no_json_text(tap: Tap, tmp_path: Path, option: str, content: bytes) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(content)
    finished = tap.run(option, str(broken))
    assert_plain(finished)
    assert "broken.json does not hold a JSON object" in last_line(finished)


@pytest.mark.parametrize("depth", [100, 900])
@pytest.mark.parametrize(
    ("option", "content", "code"),
    [
        ("--state", '{"bookmarks": {"payees": {"partitions": [%s]}}}', 0),
        ("--state", '{"unknown": %s}', 0),
        ("--config", '{"stream_map_config": {"a": %s}}', None),
        ("--config", '{"budget_ids": %s}', 1),
        ("--catalog", '{"streams": %s}', 1),
        (
            "--catalog",
            (
                '{"streams": [{"tap_stream_id": "payees", "metadata": [], "schema": {"properties": '
                '{"id": {"type": ["string"], "items": {"items": {"x": %s}}}}}}]}'
            ),
            None,
        ),
    ],
)
def test_a_file_that_is_nested_deep(
    tap: Tap, option: str, content: str, code: int | None, depth: int
) -> None:
    deep = tap.folder / "deep.json"
    deep.write_text(content % ("[" * depth + "]" * depth))
    finished = tap.run(option, str(deep))
    assert "Traceback" not in finished.log
    # Whether a depth can be read at all differs between versions of Python.
    assert finished.code in ({0, 1} if code is None else {code, 1}), finished.log


@pytest.mark.parametrize(
    ("catalog", "where"),
    [
        ({}, "streams"),
        ({"streams": None}, "$.streams"),
        ({"streams": {}}, "$.streams"),
        ({"streams": ["payees"]}, "$.streams[0]"),
        ({"streams": [{}]}, "tap_stream_id"),
        ({"streams": [{"tap_stream_id": "payees", "metadata": []}]}, "schema"),
    ],
)
def test_a_catalog_that_is_none_says_where(tap: Tap, catalog: Row, where: str) -> None:
    finished = tap.run("--catalog", tap.write("catalog.json", catalog))
    assert_plain(finished)
    assert where in last_line(finished)
    assert "tap-ynab --discover" in last_line(finished)


@pytest.mark.parametrize(
    "config",
    [
        {"stream_maps": {"payees": {"hash": ""}}},
        {"stream_maps": {"payees": {"hash": "nonsense("}}},
        {"stream_maps": {"payees": 5}},
        {"stream_maps": {"__else__": 5}},
        {"stream_maps": {"payees": {"__else__": 5}}},
        {"flattening_enabled": True},
    ],
    ids=json.dumps,
)
def test_a_setting_of_the_sdk_that_can_not_be_used_is_named(tap: Tap, config: Row) -> None:
    finished = tap.run(**config)
    assert_plain(finished)
    assert next(iter(config)).partition("_")[0] in last_line(finished)


def test_streams_that_the_tap_does_not_have_are_not_read(tap: Tap) -> None:
    catalog = Catalog(tap).only("payees")
    catalog.content["streams"].append(
        {**catalog.streams["payees"], "tap_stream_id": "unknown", "stream": "unknown"}
    )
    finished = good(tap.run(*catalog.arguments()))
    assert streams_in(finished) == {"payees"}


@pytest.mark.parametrize("name", ["missing.json", ".", "\x1b[2J"])
def test_a_file_that_can_not_be_read(tmp_path: Path, name: str) -> None:
    finished = run("--config", str(tmp_path / name), folder=tmp_path)
    assert_plain(finished)
    assert str(tmp_path) in last_line(finished)
    assert "\x1b" not in finished.log


def test_the_connection_test_says_it_as_plainly(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.set_token(SECRET, "401")
    finished = tap.run("--test", access_token=SECRET)
    assert_plain(finished)
    assert "settings/developer" in last_line(finished)


def test_a_wrong_address_path(tap: Tap) -> None:
    finished = tap.run(api_url=tap.config["api_url"] + "/nonsense")
    assert_plain(finished)
    assert "Check api_url" in last_line(finished)


def test_an_answer_of_something_else(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.fail("status", status=200, body=json.dumps({"data": {"hello": "world"}}), path="/plans")
    finished = tap.run()
    assert_plain(finished)
    assert "api_url" in last_line(finished)
