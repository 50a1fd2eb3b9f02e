"""The commands as processes, each in a folder of its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from ynab_sandbox import Daemon, Options, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ("--transactions", "60", "--today", "2026-11-21")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ynab_sandbox", *arguments]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    def one(
        *arguments: str, folder: Path = tmp_path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if k != "YNAB_SANDBOX"}
        return subprocess.run(
            command(*arguments),
            cwd=folder,
            env=inherited | environment,
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


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_no_secret_of_the_caller_is_in_the_environment_of_a_sandbox(
    run: Run, tmp_path: Path
) -> None:
    secrets = dict.fromkeys(("YNAB_PERSONAL_ACCESS_TOKEN", "TAP_YNAB_ACCESS_TOKEN"), "a-secret")
    run("start", *SMALL, **secrets)
    record = json.loads((tmp_path / ".data/ynab-sandbox/sandbox.json").read_text())

    variables = Path(f"/proc/{record['pid']}/environ").read_bytes().split(b"\0")

    names = {variable.partition(b"=")[0].decode() for variable in variables if variable}
    harmless = {"HOME", "PATH", "LANG", "TMPDIR", "TZ", "PYTHONHOME", "PYTHONPATH"}
    assert "PATH" in names
    assert {name for name in names - harmless if not name.startswith(("LC_", "LD_"))} == set()


def test_the_folder_is_that_of_the_option_or_else_of_the_environment(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    try:
        run(
            "start", *SMALL, YNAB_SANDBOX="chosen", MELTANO_PROJECT_ROOT=str(tmp_path / "elsewhere")
        )
        run("start", *SMALL, "--dir", "other", YNAB_SANDBOX="chosen")

        made = {path.parent.name for path in tmp_path.rglob("state.pickle")}
        assert made == {"chosen", "other"}
        assert run("url", YNAB_SANDBOX=str(tmp_path / "chosen")).returncode == 0
    finally:
        run("stop", "--dir", "chosen")
        run("stop", "--dir", "other")


def test_operations_by_command(run: Run) -> None:
    run("start", *SMALL)
    before = json.loads(run("state").stdout)["budgets"][1]
    payee = json.loads(run("add", "payees", "name=Bäcker", "--budget", "Ferienwohnung").stdout)
    run("forget", "payees", payee["id"], "--budget", "Ferienwohnung")
    assert json.loads(run("add-budget", "--name", "Third", "--currency-format", "null").stdout)
    run("had-scheduled", "false", "--budget", "Third")
    run("fail", "429", "retry_after=7", "--path", "settings", "--times", "2")
    run("token", "other", "--answer", "403.1")

    state = json.loads(run("state").stdout)
    kinds = [json.loads(line) for line in run("entities", "accounts").stdout.splitlines()]

    assert [budget["name"] for budget in state["budgets"]][2:] == ["Third"]
    assert state["budgets"][1]["payees"] == before["payees"]
    assert state["budgets"][1]["server_knowledge"] == before["server_knowledge"] + 2
    assert len(kinds) == state["budgets"][0]["accounts"]
    headers = {"Authorization": "Bearer sandbox-token"}
    url = url_of(run)
    third = f"{url}/plans/{state['budgets'][2]['id']}"
    limited = requests.get(f"{third}/settings", headers=headers, timeout=10)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    requests.get(f"{third}/settings", headers=headers, timeout=10)
    shown = requests.get(f"{third}/settings", headers=headers, timeout=10).json()["data"]
    assert shown["settings"]["currency_format"] is None
    scheduled = requests.get(f"{third}/scheduled_transactions", headers=headers, timeout=10)
    assert scheduled.json()["error"]["id"] == "404.2"
    other = requests.get(f"{url}/user", headers={"Authorization": "Bearer other"}, timeout=10)
    assert other.json()["error"]["id"] == "403.1"
    assert len(run("live").stdout.splitlines()) == 3
    assert json.loads(run("advance", "60").stdout) == {"now": "2026-11-21T12:01:00Z"}
    run("clear-requests")
    assert run("requests").stdout == ""


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


def test_a_sandbox_is_started_from_python(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "folder")
    running, is_new = daemon.start(Options(rate_limit=0, transactions=60))
    try:
        headers = {"Authorization": f"Bearer {running.token}"}
        assert requests.get(f"{running.url}/user", headers=headers, timeout=10).ok
        assert is_new
        assert daemon.start(Options(rate_limit=0, transactions=60)) == (running, False)
    finally:
        assert daemon.stop()
    with pytest.raises(SandboxError, match="ynab-sandbox reset"):
        daemon.start(Options(transactions=61))


def test_mistakes_are_told_in_a_line(run: Run) -> None:
    run("start", *SMALL)
    for arguments in (
        ("edit", "payees", "nobody", "name=x"),
        ("edit", "payees", "nobody", "name"),
        ("edit", "nothings", "nobody", "name=x"),
        ("add", "payees", "--budget", "Nobody's"),
        ("rewind", "1000000"),
        ("fail", "explode"),
        ("fail", "429", "--path", "("),
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
