"""Whatever is in a state, catalog or config file: no traceback, and no row is lost.

Some of the thousands of ways to damage a file; `DAMAGED_FILES=10000` tries all of them.
"""

from __future__ import annotations

import json
import os
import random
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from tap_ynab.state import intact
from ynab_sandbox import serve

from tests.support.catalogs import Catalog
from tests.support.model import Tables
from tests.support.pipeline import Tap
from tests.support.rows import assert_equal
from tests.support.runs import good
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Finished, Row

    Path = tuple[str | int, ...]

#: Stands for 100,000 lists in one another.
DEEP = "<deep>"
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**70, float("nan"), float("inf")),
    *("", "odd", "\ud800", "\x1b[31m\n", DEEP),
    *([], [None], [[]], ["odd"], {}, {"odd": None}, {"": {}}),
]
#: How many ways to try for each kind of file.
COUNT = int(os.environ.get("DAMAGED_FILES", "24"))
PARTS = 2


def paths(document: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the place of each value in a document."""
    yield path
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from paths(value, (*path, key))


def replaced(document: Any, path: Path, value: Any) -> Any:
    """Return a document with another value in one place."""
    if not path:
        return value
    copy = deepcopy(document)
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return copy


def text(document: Any) -> str:
    return json.dumps(document).replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000)


def ways(document: Any, part: int) -> Iterator[tuple[Path, Any, str]]:
    """Yield places, what is put there, and what the file becomes."""
    found = [(path, value) for path in paths(document) for value in ODD]
    random.Random(7).shuffle(found)  # noqa: S311 the same each time
    for path, value in found[part:COUNT:PARTS]:
        yield path, value, text(replaced(document, path, value))


def assert_one_line(finished: Finished, *how: object) -> None:
    """The run succeeded, or failed with one line."""
    # The SDK has a line of its own for any error that passes through a stream.
    lines = [line for line in finished.log.splitlines() if "unhandled error" not in line]
    errors = [line for line in lines if "ERROR" in line]
    assert "Traceback" not in finished.log, (how, finished.log[-500:])
    assert (finished.code, len(errors)) in {(0, 0), (1, 1)}, (
        how,
        finished.code,
        finished.log[-500:],
    )
    assert "\x1b" not in finished.log
    assert all(message["type"] for message in finished.messages)


class Later:
    """An account after a first run, and what happened in it since."""

    def __init__(self, tap: Tap, sandbox: Sandbox) -> None:
        """Run once, and change what a run must not miss."""
        self.tap, self.sandbox = tap, sandbox
        self.first = good(tap.run())
        self.state = self.first.state
        budget, other = sandbox.budgets
        transactions = budget.entities("transactions")
        payees = [row["payee_id"] for row in transactions if row["payee_id"]]
        self.state["bookmarks"]["budgets"]["left"] = {}
        for partition in self.state["bookmarks"]["transactions"]["partitions"]:
            partition["renamed"] = [payees[0]]
        budget.edit("payees", payees[0], name="A new name")
        budget.edit("transactions", transactions[1]["id"], memo="A new memo")
        for kind in ("transactions", "payees", "categories", "scheduled_transactions"):
            other.delete(kind, other.entities(kind)[-1]["id"])
            other.edit(kind, other.entities(kind)[0]["id"])
        budget.edit("categories", budget.entities("categories")[0]["id"], name="Another name")

    def run(self, name: str, content: str) -> Finished:
        path = self.tap.folder / f"damaged-{name}.json"
        path.write_text(content, encoding="utf-8")
        state = self.state if name != "state" else None
        return self.tap.run(f"--{name}", str(path), state=state, wait_for_limit=False)

    def assert_nothing_is_lost(self, finished: Finished, *how: object) -> None:
        tables = Tables()
        for message in [*self.first.messages, *finished.messages]:
            tables.apply(message)
        try:
            assert_equal(tables, self.sandbox, old_names=True)
        except AssertionError as error:
            raise AssertionError(how, finished.log[-2000:]) from error
        assert intact(finished.state) == finished.state


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Later]:
    """The account."""
    sandbox = small_sandbox(30)
    with serve(sandbox) as url:
        config = {"access_token": sandbox.token, "api_url": url}
        # Without an api_url, requests would go to YNAB itself.
        nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1"}
        yield Later(Tap(tmp_path_factory.mktemp("later"), config, nowhere), sandbox)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_state_loses_no_row(later: Later, part: int) -> None:
    for path, value, content in ways(later.state, part):
        finished = later.run("state", content)
        assert_one_line(finished, path, value)
        is_refused = value == DEEP or (not path and not isinstance(value, dict))
        assert finished.code == is_refused, (path, value, finished.log)
        if not is_refused:
            later.assert_nothing_is_lost(finished, path, value)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_catalog_ends_in_one_line(later: Later, part: int) -> None:
    entries = Catalog(later.tap).streams
    catalog = {"streams": [entries["payees"], entries["months"]]}
    for path, value, content in ways(catalog, part):
        assert_one_line(later.run("catalog", content), path, value)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_config_ends_in_one_line(later: Later, part: int) -> None:
    config: Row = {
        "access_token": later.sandbox.token,
        "budget_ids": [later.sandbox.budgets[0].id],
        "since_date": "2026-01-01",
        "api_url": later.tap.config["api_url"],
        "user_agent": "household/1.0",
        "request_timeout": 5,
        "max_retry_time": 0,
        "requests_per_hour": 200,
        "wait_for_limit": False,
        "use_export": True,
        "stream_maps": {
            "payees": {"name_hash": "md5(name)", "__filter__": "name != 'x'", "note": None},
            "months": None,
            "__else__": None,
        },
        "stream_map_config": {"hash_seed": "x"},
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "flattening_separator": "__",
        "unknown": {"a": [1]},
    }
    for path, value, content in ways(config, part):
        file = later.tap.folder / "damaged-config.json"
        file.write_text(content, encoding="utf-8")
        assert_one_line(later.tap.run("--config", str(file)), path, value)
