"""The commands, as real processes in folders of their own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ("--transactions", "60", "--today", "2026-11-21")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ynab_sandbox", *arguments]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    def one(*arguments: str, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if k != "MELTANO_PROJECT_ROOT"}
        return subprocess.run(
            command(*arguments),
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield one
    one("stop")


def url_of(run: Run, **options: Path) -> str:
    return run("url", **options).stdout.strip()


def test_a_life(run: Run, tmp_path: Path) -> None:
    assert run("start", *SMALL).stdout.startswith("started: http://127.0.0.1:")
    assert run("start", *SMALL).stdout.startswith("runs already: ")
    url = url_of(run)
    payee = json.loads(run("add", "payees", "name=Bäcker", "odd=[1]").stdout)["id"]
    assert run("advance-month").returncode == 0
    knowledge = json.loads(run("status").stdout.partition("\n")[2])["budgets"][0][
        "server_knowledge"
    ]
    assert run("stop").stdout == "stopped\n"
    assert run("stop").stdout == "did not run\n"
    assert run("url").returncode == 1

    assert run("start").stdout.startswith(f"started: {url}")
    state = json.loads(run("status").stdout.partition("\n")[2])
    answer = requests.get(
        f"{url}/plans/last-used/payees/{payee}",
        headers={"Authorization": f"Bearer {state['token']}"},
        timeout=10,
    )
    assert answer.json()["data"]["payee"].items() >= {"name": "Bäcker", "odd": [1]}.items()
    assert state["budgets"][0]["server_knowledge"] == knowledge
    assert "/v1/plans/last-used/payees/" in run("requests").stdout
    folder = tmp_path / ".data" / "ynab-sandbox"
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_edits_survive_being_killed(run: Run, tmp_path: Path) -> None:
    run("start", *SMALL)
    run("add", "payees", "name=Kept")
    record = json.loads((tmp_path / ".data/ynab-sandbox/sandbox.json").read_text())
    os.kill(record["pid"], signal.SIGKILL)
    with (tmp_path / ".data/ynab-sandbox/state.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

    assert run("status").returncode == 1
    assert run("start").stdout.startswith("started")
    assert json.loads(run("status").stdout.partition("\n")[2])["budgets"][0]["payees"] == 26


@pytest.mark.usefixtures("run")
def test_of_several_starts_one_starts(tmp_path: Path) -> None:
    starts = [
        subprocess.Popen(
            command("start", *SMALL, "--dir", str(tmp_path / ".data/ynab-sandbox")),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    told = [start.communicate(timeout=60)[0] for start in starts]

    assert sorted(each.split(":")[0] for each in told) == ["runs already"] * 3 + ["started"]
    assert len(set(re.findall(r"http\S+", " ".join(told)))) == 1


def test_two_folders_have_two_sandboxes(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run("start", *SMALL)
    run("start", *SMALL, folder=other)
    try:
        assert url_of(run) != url_of(run, folder=other)
    finally:
        run("stop", folder=other)


def test_other_options_need_a_reset(run: Run) -> None:
    run("start", *SMALL)
    run("stop")

    refused = run("start", "--seed", "7")
    assert refused.returncode == 1
    assert "ynab-sandbox reset" in refused.stderr
    assert run("reset").stdout == "discarded\n"
    assert run("start", "--seed", "7").stdout.startswith("started")


def test_mistakes_are_told_in_a_line(run: Run) -> None:
    run("start", *SMALL)
    for arguments in (
        ("edit", "payees", "nobody", "name=x"),
        ("edit", "payees", "nobody", "name"),
        ("fail", "explode"),
    ):
        refused = run(*arguments)
        assert refused.returncode == 1
        assert refused.stderr.startswith("ynab-sandbox: ")
        assert refused.stderr.count("\n") == 1


def test_serve_tells_its_url_first(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("serve", *SMALL, "--state", str(tmp_path / "state")),
        stdout=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdout
        url = serving.stdout.readline().strip()
        assert requests.get(f"{url}/user", timeout=10).status_code == 401
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=20) == 0
    assert (tmp_path / "state").exists()
