"""Turns: runs of one tenant wait for each other, those of others do not."""

from __future__ import annotations

import os
import select
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pipeline.conftest import Installation

NOTICES = {
    "tap": "account: another run reads it, waiting for that to end\n",
    "target": "database: another run writes to it, waiting for that to end\n",
}
both_kinds = pytest.mark.parametrize("kind", NOTICES)


@contextmanager
def held(installation: Installation, kind: str, **environment: str) -> Iterator[Path]:
    """Have a run keep its turn until the fifo is opened for writing, or the context ends."""
    fifo = installation.folder / "stay"
    os.mkfifo(fifo)
    with installation.begin(kind, {**environment, "STAY": str(fifo)}) as run:
        assert run.stdout
        assert run.stdout.readline()
        yield fifo


@both_kinds
def test_a_run_of_the_same_tenant_waits(installation: Installation, kind: str) -> None:
    tenant = {"MELTANO_RUN_STATE_ID_SUFFIX": "ada"}
    with (
        held(installation, kind, **tenant) as ends,
        installation.begin(kind, tenant) as other,
    ):
        assert other.stderr
        assert other.stdout
        assert NOTICES[kind] in iter(other.stderr.readline, "")
        assert select.select([other.stdout], [], [], 0) == ([], [], [])
        ends.write_text("")
        assert other.stdout.readline()
        assert other.wait(timeout=60) == 0


@both_kinds
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("demo", ""), ("prod", "")),
        (("demo", ""), ("demo", "ada")),
        (("demo", "ada"), ("demo", "bob")),
        (("demo", "a-b"), ("demo-a", "b")),
        (("demo", "../../ada"), ("demo", "/ada")),
        (("demo", "é" * 500), ("demo", "é" * 501)),
    ],
)
def test_runs_of_other_tenants_do_not_wait(
    installation: Installation, kind: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    names = ("MELTANO_ENVIRONMENT", "MELTANO_RUN_STATE_ID_SUFFIX")
    with held(installation, kind, **dict(zip(names, first, strict=True))):
        other = installation.started(kind, **dict(zip(names, second, strict=True)))
    assert "another run" not in other.stderr
    # Whatever the names hold, the locks are where they belong.
    turns = installation.folder / ".meltano" / "turns"
    assert len(list(turns.iterdir())) == 2
    assert turns.parent.stat().st_mode & 0o777 == 0o700


def test_a_tap_and_a_loader_do_not_wait_for_each_other(installation: Installation) -> None:
    with held(installation, "tap"):
        assert "another run" not in installation.started("target").stderr


def test_a_loader_without_anything_to_load_does_not_take_the_turn(
    installation: Installation,
) -> None:
    # Its tap may wait for the one whose rows the other loader is to take.
    stay = installation.folder / "stay"
    os.mkfifo(stay)
    with installation.begin("target", {"STAY": str(stay)}, subprocess.PIPE) as idle:
        assert idle.stdin
        assert "another run" not in installation.started("target").stderr
        idle.stdin.close()
        stay.write_text("")
        assert idle.wait(timeout=60) == 0


@both_kinds
def test_outside_a_project_there_are_no_turns(
    installation: Installation, kind: str, tmp_path: Path
) -> None:
    started = installation.started(kind, MELTANO_PROJECT_ROOT="")
    assert "another run" not in started.stderr
    assert not (tmp_path / ".meltano").exists()
