"""No answer can do harm: made-up mutations of real ones, each served to the tap as a process.

`FUZZ_CASES=3000 pytest -n 2 tests/tap/test_fuzz.py` tries as many. A case is the same each time:
`FUZZ_CASES=1235 pytest tests/tap/test_fuzz.py -k "[1234]"` repeats one.
"""

from __future__ import annotations

import json
import os
import re
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

import pytest
from ynab_sandbox import Sandbox, serve

from tests.support.mutations import serve_mutated
from tests.support.pipeline import Tap
from tests.support.runs import good
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipeline import Finished, State

CASES = int(os.environ.get("FUZZ_CASES", "40"))
TOKEN = "s3cr3t-t0ken-of-mine"  # noqa: S105 the one that must not show up
#: Most memory of a run, in MiB, and the seconds that it may take on a busy machine.
MEMORY, SECONDS = 128, 30


@pytest.fixture(scope="module")
def account() -> Sandbox:
    """An account that stays as it is."""
    return small_sandbox(transactions=30)


@pytest.fixture(scope="module")
def state(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> State:
    """What a first run without mutations leaves."""
    with serve(account) as url:
        config = {"access_token": account.token, "api_url": url}
        return good(Tap(tmp_path_factory.mktemp("first"), config).run()).state


@pytest.mark.parametrize("case", range(CASES))
def test_a_mutated_account(account: Sandbox, state: State, tmp_path: Path, case: int) -> None:
    config = {
        "access_token": TOKEN,
        "use_export": case % 2 == 0,
        "request_timeout": 1,
        "max_retry_time": 0,
        "wait_for_limit": False,
    }
    begin = monotonic()
    with serve_mutated(account, case) as url:
        tap = Tap(tmp_path, {**config, "api_url": url})
        finished = tap.run(state=state if case % 3 == 0 else None)
    assert monotonic() - begin < SECONDS
    assert_harmless(finished)


def assert_harmless(finished: Finished) -> None:
    log = finished.log
    assert finished.code in {0, 1}, log[-2000:]
    assert "Traceback" not in log, log[-5000:]
    assert TOKEN not in log
    assert TOKEN not in finished.stdout
    assert finished.memory < MEMORY
    lines = log.strip().split("\n")
    # Each line of the log begins with its time: no error spreads over several.
    assert all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in lines), log[-5000:]
    assert max(map(len, lines)) < 4_000
    assert ("ERROR" in lines[-1]) == bool(finished.code), log[-2000:]
    schemas = set()
    for line in finished.stdout.split("\n")[:-1]:
        message = json.loads(line, parse_constant=refuse)
        if message["type"] == "SCHEMA":
            schemas.add(message["stream"])
        elif message["type"] == "RECORD":
            assert message["stream"] in schemas
            assert isinstance(message["record"]["id"], str)
        else:
            assert message["type"] in {"STATE", "ACTIVATE_VERSION"}
    assert finished.stdout.endswith("\n") or not finished.stdout


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
