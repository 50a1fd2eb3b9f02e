"""Our tap and its loader, as a user runs them."""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from bench.measure import Running, Taken
from bench.sandbox import TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.programs import Program
    from bench.sandbox import Account

Row = dict[str, Any]


@dataclass(frozen=True)
class Loader:
    """A way to start the loader.

    Attributes:
        command: its command.
        environment: what must be in its environment.
    """

    command: str
    environment: Mapping[str, str]


STOCK_LOADER = Loader("target-postgres", {})
FAST_LOADER = Loader("ynab-pipeline-target", {"YNAB_PIPELINE_FAST_LOADER": "true"})

#: Streams that the peers have too.
SIX = (
    "accounts",
    "categories",
    "payees",
    "transactions",
    "scheduled_transactions",
    "months",
)


def command(
    tap: Program,
    account: Account,
    folder: Path,
    *,
    streams: Sequence[str] = (),
    state: Path | None = None,
) -> list[str]:
    """Return the command line of the tap.

    Args:
        tap: where it is installed.
        account: what it reads.
        folder: for its config file and catalog.
        streams: those that are selected; by default all.
        state: file with the state to go on from.
    """
    config = {"access_token": TOKEN, "api_url": account.url, "requests_per_hour": 1_000_000}
    called = [tap.command("tap-ynab"), "--config", write(folder / "tap.json", config)]
    if streams:
        called += ["--catalog", write(folder / "catalog.json", _catalog(tap, streams))]
    if state and state.exists():
        called += ["--state", str(state)]
    return called


def stream_names(tap: Program) -> list[str]:
    """All streams that the tap has.

    Args:
        tap: where it is installed.
    """
    return [entry["stream"] for entry in _discovered(tap)["streams"]]


def _catalog(tap: Program, streams: Sequence[str]) -> Row:
    catalog = deepcopy(_discovered(tap))
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if not part["breadcrumb"]:
                part["metadata"]["selected"] = entry["stream"] in streams
    return catalog


@cache
def _discovered(tap: Program) -> Row:
    found: Row = json.loads(
        subprocess.run(
            [tap.command("tap-ynab"), "--discover", "--config", "/dev/stdin"],
            input=json.dumps({"access_token": TOKEN}).encode(),
            check=True,
            capture_output=True,
        ).stdout
    )
    return found


def loader_config(url: str) -> dict[str, Any]:
    """Return the loader's settings of meltano.yml, for a database.

    Args:
        url: of the database.
    """
    return {
        "sqlalchemy_url": url.replace("postgresql:", "postgresql+psycopg:", 1),
        "default_target_schema": "ynab",
        "use_copy": True,
        "validate_records": False,
    }


def keep_last_state(messages: Path, state: Path) -> None:
    """Writes down the state that a loader, or a tap without one, has said last.

    Args:
        messages: what it has printed.
        state: where to.
    """
    found = None
    with messages.open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"type":"STATE"'):
                found = json.dumps(json.loads(line)["value"])
            elif not line.startswith(b'{"type"'):
                found = line.decode()
    if found:
        state.write_text(found, encoding="utf-8")


def into_postgres(
    called: Sequence[str],
    loader: Loader,
    url: str,
    *,
    folder: Path,
    state: Path,
) -> tuple[Taken, Taken]:
    """Runs `tap-ynab | target-postgres` and tells what each of the two took.

    Args:
        called: how the tap is called.
        loader: its command with the path.
        url: of the database.
        folder: where they run.
        state: file that takes the state.
    """
    config = write(folder / "loader.json", loader_config(url))
    said = folder / "said.jsonl"
    with said.open("wb") as output:
        tap = Running(called, folder=folder, stdout=subprocess.PIPE)
        target = Running(
            [loader.command, "--config", config],
            folder=folder,
            environment={"PGTZ": "UTC", **loader.environment},
            stdin=tap.output,
            stdout=output,
        )
        tap.output.close()  # the loader has it
        took = target.taken()
        extracted = tap.taken()
    keep_last_state(said, state)
    return extracted, took


def together(both: Sequence[Taken]) -> Taken:
    """Return the sum of what two programs took that ran at the same time.

    Args:
        both: what each took.
    """
    return Taken(
        max(one.seconds for one in both),
        sum(one.processor for one in both),
        sum(one.memory for one in both),
    )


def write(path: Path, content: object) -> str:
    """Writes a JSON file.

    Args:
        path: which.
        content: what is to be in it.

    Returns:
        Its path, for a command line.
    """
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
