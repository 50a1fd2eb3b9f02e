"""Schedules of meltano.yml as Dagster gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrate import project

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MELTANO_YML = """\
schedules:
- {name: nightly, interval: '@daily', job: sync}
- {name: often, interval: '*/5 * * * *', job: sync}
- {name: by-hand, interval: '@once', job: sync}
- {name: without-job, interval: '@daily', extractor: tap-ynab, loader: target-postgres}
"""


def test_names_of_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meltano.yml").write_text(MELTANO_YML, encoding="utf-8")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    assert project.schedules() == [
        ("nightly", "sync", "0 0 * * *"),
        ("often", "sync", "*/5 * * * *"),
    ]
