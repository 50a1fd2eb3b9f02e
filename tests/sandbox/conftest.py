"""A sandbox whose clock stands still, and a way to send it requests."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import requests
from ynab_sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = date(2026, 11, 21)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1, today=TODAY, transactions=400, rate_limit=None)


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as address:
        yield address


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["Authorization"] = "Bearer sandbox-token"
        yield made


@pytest.fixture
def get(url: str, session: requests.Session) -> Callable[..., Any]:
    """Request a path and return the `data` of the response."""

    def ask(path: str, **query: str | int) -> Any:
        answer = session.get(f"{url}{path}", params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return ask
