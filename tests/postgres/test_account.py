"""The user that the server runs as: the caller, or nobody for root."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from project_postgres import Server

    Command = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
DAC_OVERRIDE = 1 << 1


def process(server: Server) -> dict[str, str]:
    """What the kernel says of the server's process."""
    pid = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    lines = Path("/proc", pid, "status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@as_root
def test_root_starts_it_as_nobody_in_a_folder_that_only_root_may_enter(
    new_server: Callable[[str], Server], tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = new_server("private/checkout/postgres")
    server.start()

    nobody = pwd.getpwnam("nobody")
    status = process(server)
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert status["Groups"].strip() == ""
    assert int(status["CapEff"], 16) == DAC_OVERRIDE
    owners = {path.name: path.stat().st_uid for path in server.folder.iterdir()}
    assert owners.pop("data") == nobody.pw_uid
    assert set(owners.values()) == {0}
    for folder in (private, server.folder, server.folder / "data"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert private.stat().st_uid == 0


@as_root
def test_root_without_setpriv_is_told_what_to_do(command: Command, tmp_path: Path) -> None:
    finished = command("start", "--dir", tmp_path / "postgres", env={"PATH": str(tmp_path)})
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert "run this as an ordinary user" in finished.stderr


@as_root
def test_another_users_data_is_refused(command: Command, tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    os.chown(data, 12345, 12345)
    finished = command("start", "--dir", data.parent)
    assert finished.returncode == 1
    assert f"{data} belongs to the user with id 12345" in finished.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="for ordinary users")
def test_a_user_starts_it_as_themselves(shared: Server) -> None:
    assert process(shared)["Uid"].split() == [str(os.geteuid())] * 4
    assert shared.folder.stat().st_mode & 0o777 == 0o700
