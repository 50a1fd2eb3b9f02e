"""Schedules and accounts of a project, as Dagster gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrate import project

if TYPE_CHECKING:
    from pathlib import Path

MELTANO_YML = """\
schedules:
- {name: nightly, interval: '@daily', job: sync}
- {name: often, interval: '*/5 * * * *', job: sync}
- {name: by-hand, interval: '@once', job: sync}
- {name: without-job, interval: '@daily', extractor: tap-ynab, loader: target-postgres}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project."""
    monkeypatch.setattr(project, "ROOT", tmp_path)
    return tmp_path


def test_names_of_intervals(root: Path) -> None:
    (root / "meltano.yml").write_text(MELTANO_YML, encoding="utf-8")
    assert project.schedules() == [
        ("nightly", "sync", "0 0 * * *"),
        ("often", "sync", "*/5 * * * *"),
    ]


@pytest.mark.parametrize(
    ("content", "is_account"),
    [
        (b"YNAB_PERSONAL_ACCESS_TOKEN=token\n", True),
        (b"export TAP_YNAB_ACCESS_TOKEN='token'\n", True),
        (b"YNAB_PERSONAL_ACCESS_TOKEN=\nMELTANO_ENVIRONMENT=local\n", False),
        (b"MELTANO_ENVIRONMENT=local\n# YNAB_PERSONAL_ACCESS_TOKEN=token\n", False),
        (None, False),
        # A run says what is wrong with it.
        (b"YNAB_PERSONAL_ACCESS_TOKEN=\xff\n", True),
    ],
)
def test_an_env_file_is_an_account_if_it_has_a_token(
    root: Path, content: bytes | None, *, is_account: bool
) -> None:
    if content is not None:
        (root / ".env").write_bytes(content)
    own: dict[str, list[str]] = {".env": []} if is_account else {}
    assert project.accounts() == (own or {"demo": ["--environment=demo"]})
    (root / "tenants").mkdir()
    (root / "tenants/ada.env").touch()
    (root / "tenants/bob.draft").touch()
    assert project.accounts() == {**own, "ada": ["--env-file=tenants/ada.env"]}
