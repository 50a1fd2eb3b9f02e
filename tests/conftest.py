"""The sandbox, the tap, the loader and the database that tests run."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from project_postgres import Server
from tap_ynab.tap import TapYNAB
from ynab_sandbox import Sandbox, serve

from tests.support.databases import new_database
from tests.support.described import output, read
from tests.support.environment import forget_settings
from tests.support.pipeline import TAP, Pipeline, Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Database

    Json = dict[str, Any]

TODAY = date(2026, 11, 21)
#: Fixtures through which tests get what `make test-fast` does without.
INTEGRATED = {"postgresql", "installed"}


def pytest_configure() -> None:
    """Keep the caller's settings from all tests."""
    forget_settings()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need more than the test environment."""
    for item in items:
        if INTEGRATED.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("integration")


@pytest.fixture
def sandbox() -> Sandbox:
    """Two budgets, six years of the first; no limit of requests."""
    return Sandbox(today=TODAY, rate_limit=None)


@pytest.fixture
def budget(sandbox: Sandbox) -> Budget:
    """The first budget."""
    return sandbox.budgets[0]


@pytest.fixture
def other(sandbox: Sandbox) -> Budget:
    """The second budget."""
    return sandbox.budgets[1]


@pytest.fixture
def api_url(sandbox: Sandbox) -> Iterator[str]:
    """Where the sandbox answers."""
    with serve(sandbox, port=0) as url:
        yield url


@pytest.fixture
def use_export() -> bool:
    """Which way budgets are read; a module with `both_ways` tries the other one too."""
    return True


@pytest.fixture
def tap(sandbox: Sandbox, api_url: str, tmp_path: Path, use_export: bool) -> Tap:  # noqa: FBT001 a fixture
    """The tap, with the sandbox's token."""
    config = {"access_token": sandbox.token, "api_url": api_url}
    return Tap(tmp_path, config if use_export else {**config, "use_export": False})


@pytest.fixture(scope="session")
def postgresql() -> type[Server]:
    """PostgreSQL servers, for fixtures that start one."""
    return Server


@pytest.fixture(scope="session")
def installed() -> Callable[[str], str]:
    """Path of a program that is installed outside the test environment."""

    def find(path: str) -> str:
        assert Path(path).exists(), f"{path} is missing: `make test` installs it"
        return path

    return find


@pytest.fixture(scope="session")
def server(postgresql: type[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One PostgreSQL for all tests."""
    with ExitStack() as stack:
        server = postgresql(tmp_path_factory.mktemp("postgres"))
        stack.callback(server.stop)
        server.start()
        yield server


@pytest.fixture
def database(server: Server) -> Database:
    """A database without anything in it."""
    return new_database(server)


@pytest.fixture
def pipeline(tap: Tap, database: Database) -> Pipeline:
    """Tap and loader, nothing loaded yet."""
    return Pipeline(tap, database)


@pytest.fixture(scope="session")
def about() -> Json:
    """What the tap says about itself."""
    return dict(json.loads(output(TAP, "--about", "--format=json")))


@pytest.fixture(scope="session")
def own_settings(about: Json) -> dict[str, Json]:
    """The tap's settings by name, without those that the SDK adds to all taps."""
    standard: Json = {"properties": {}}
    TapYNAB.append_builtin_config(standard)
    properties = about["settings"]["properties"]
    return {name: properties[name] for name in properties if name not in standard["properties"]}


@pytest.fixture(scope="session")
def catalog() -> dict[str, Json]:
    """Streams by name, as the tap discovers them."""
    tap = TapYNAB(config={"access_token": "a-token"})
    return {stream["tap_stream_id"]: stream for stream in tap.catalog_dict["streams"]}


@pytest.fixture(scope="session")
def meltano() -> Json:
    """meltano.yml."""
    return dict(yaml.safe_load(read("meltano.yml")))


@pytest.fixture(scope="session")
def plugins(meltano: Json) -> dict[str, Json]:
    """The plugins of meltano.yml by name, with what they inherit."""
    found: dict[str, Json] = {}
    for plugin in (plugin for kind in meltano["plugins"].values() for plugin in kind):
        found[plugin["name"]] = found.get(plugin.get("inherit_from"), {}) | plugin
    return found
