"""Nobody else on the machine reads the token, however a run ends."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import Sandbox

from tests.support.meltano_project import MELTANO, Project, project_of, stalled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "Zr7Bkt8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTz"  # noqa: S105 opens nothing
#: Another user's process that is in a folder: tells which files it can read, again and again.
WATCHER = """
import os, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
read = set()
print("here", flush=True)
while not sys.stdin.closed and os.read(0, 1) == b"?":
    try:
        names = os.listdir(".")
    except PermissionError:
        names = []
    for name in names:
        try:
            with open(name, errors="replace") as file:
                read.add(name + " " + "SECRET" * (sys.argv[1] in file.read()))
        except OSError:
            pass
    print(sorted(read), flush=True)
"""


class Watcher:
    """Another user who entered a folder while it was open to all."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until it is there."""
        self._process = process
        assert process.stdout
        assert process.stdout.readline() == "here\n"

    def read(self) -> str:
        """Have it look once more; return all that it ever read."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("?")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def watched(folder: Path) -> Iterator[Watcher]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-S", "-c", WATCHER, TOKEN],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield Watcher(process)
        finally:
            process.kill()


@pytest.fixture
def account() -> Sandbox:
    sandbox = Sandbox(rate_limit=None, transactions=200)
    sandbox.set_token(TOKEN)
    return sandbox


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path, account: Sandbox) -> Iterator[Project]:
    installed(MELTANO)
    with project_of(account, tmp_path, TOKEN) as project:
        yield project


def files_with_the_token(project: Project) -> list[str]:
    found = []
    for path in project.folder.rglob("*"):
        with suppress(FileNotFoundError):  # PostgreSQL is at work and removes files
            if path.is_file() and not path.is_symlink() and TOKEN.encode() in path.read_bytes():
                found.append(str(path.relative_to(project.folder)))
    return found


def configs(project: Project) -> set[Path]:
    return set(project.folder.glob(".meltano/run/*/*.config.json"))


def assert_private(project: Project) -> None:
    """Meltano's folders are closed, and so is each config file in them."""
    meltano = project.folder / ".meltano"
    for folder in (meltano, meltano / "run", meltano / "run/tap-ynab"):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    for config in configs(project):
        assert config.stat().st_mode & 0o777 == 0o600, config


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's process")
def test_another_user_who_entered_before_reads_nothing_from_then_on(project: Project) -> None:
    run = project.folder / ".meltano/run/tap-ynab"
    with watched(run) as watcher:
        (run / "open.txt").write_text(TOKEN)
        assert watcher.read() == "['open.txt SECRET']\n", "the watcher sees nothing"
        (run / "open.txt").unlink()
        for arguments in (
            ("invoke", "tap-ynab", "--discover"),
            ("select", "tap-ynab", "--list"),
            ("invoke", "tap-ynab", "--test"),
            ("run", "sync"),
        ):
            with project.start(*arguments) as process:
                while process.poll() is None:
                    watcher.read()
                    if process.stderr:
                        process.stderr.readline()
            assert process.returncode == 0, arguments
            assert_private(project)
        assert "config" not in watcher.read().replace("open.txt SECRET", "")


def test_the_token_is_in_no_file_but_env(project: Project, account: Sandbox) -> None:
    with stalled(project, account, "run", "sync"):
        assert len(configs(project)) == 2
        assert files_with_the_token(project) == [".env"]
        assert_private(project)
    assert files_with_the_token(project) == [".env"]


def test_config_files_of_a_killed_run_are_removed_at_the_next_start(
    project: Project, account: Sandbox
) -> None:
    # Meltano writes settings into its config files, and this is one.
    with (project.folder / ".env").open("a") as env:
        env.write(f"TAP_YNAB_ACCESS_TOKEN={TOKEN}\n")
    with stalled(project, account, "run", "sync"):
        left = configs(project)
        assert {path.parent.name for path in left} == {"tap-ynab", "target-postgres"}
        assert_private(project)
    assert configs(project) == left
    for path in left:
        # When processes were started is known to the second only.
        os.utime(path, (0, path.stat().st_mtime - 2))
    with stalled(project, account, "run", "--force", "--full-refresh", "sync"):
        its = configs(project)
        assert len(its) == 2
        assert not its & left
        assert not its & left
        # A run that is under way keeps its own.
        assert project.run("invoke", "tap-ynab", "--discover").returncode == 0
        assert configs(project) == its
