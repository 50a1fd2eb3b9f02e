"""The user that the server runs as: the caller, or nobody for root."""

from __future__ import annotations

import os
import pwd
import signal
from contextlib import closing
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psycopg
import pytest
from project_postgres import ServerError, shared_programs
from project_postgres.programs import program

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from project_postgres import Server

    Command = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def process(server: Server) -> dict[str, str]:
    """What the kernel says of the server's process."""
    pid = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    lines = Path("/proc", pid, "status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def ask(url: str, query: str) -> object:
    """The first value of the first row."""
    with closing(psycopg.connect(url)) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


@as_root
def test_root_starts_it_as_nobody_in_a_folder_that_only_root_may_enter(
    command: Command, new_server: Callable[[str], Server], tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "secret").write_text("of root")
    (private / "secret").chmod(0o600)
    server = new_server("private/checkout/postgres")
    url = server.start()

    nobody = pwd.getpwnam("nobody")
    status = process(server)
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert status["Groups"].strip() == ""
    capabilities = [status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")]
    assert {int(value, 16) for value in capabilities} == {0}
    assert status["NoNewPrivs"] == "1"
    owners = {path.name: path.stat().st_uid for path in server.folder.iterdir()}
    assert owners.pop("data") == nobody.pw_uid
    assert set(owners.values()) == {0}
    for folder in (private, server.folder, server.folder / "data"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert private.stat().st_uid == 0

    for path in (private / "secret", server.folder / "password"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Permission denied"):
            ask(url, f"select pg_read_file('{path}')")

    server.stop()
    server.start()
    os.kill(int(process(server)["Pid"]), signal.SIGKILL)
    server.start()
    psql = command("psql", "--dir", server.folder, "-XAtc", "select current_user")
    assert psql.stdout == "postgres\n", psql.stderr


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Another place for copies of the programs; who may enter the folders above it can be set."""
    with TemporaryDirectory(dir="/tmp") as folder:  # pytest's own is closed
        Path(folder).chmod(0o755)
        monkeypatch.setattr(shared_programs, "CACHE", Path(folder, "cache"))
        yield Path(folder, "cache")


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that only root may enter, with the wheel in it."""
    folder = tmp_path_factory.mktemp("private")
    package = Path(program("postgres")).parents[2]
    unused = ignore_patterns("pginstall", "include", "*.a")
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            copytree(source, folder / source.name, ignore=unused)
    folder.chmod(0o700)
    return folder


@pytest.fixture
def private_wheel(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs are in a folder that only root may enter."""
    monkeypatch.syspath_prepend(private)
    assert Path(program("postgres")).is_relative_to(private)


@as_root
@pytest.mark.usefixtures("private_wheel")
def test_programs_that_only_root_can_reach_are_copied_once(
    new_server: Callable[[str], Server], cache: Path
) -> None:
    before = os.umask(0o077)
    try:
        url = new_server("one").start()
    finally:
        os.umask(before)
    (copy,) = cache.iterdir()
    assert ask(url, "select count(*) from pg_timezone_names where name = 'UTC'") == 1
    postgres = next(copy.rglob("bin/postgres"))
    made = postgres.stat()
    for path in (cache, *cache.rglob("*")):
        assert path.stat().st_uid == 0
        assert path.stat().st_mode & 0o777 == 0o755

    assert ask(new_server("two").start(), "select 1") == 1
    assert postgres.stat() == made
    assert list(cache.iterdir()) == [copy]


@as_root
@pytest.mark.usefixtures("private_wheel")
@pytest.mark.parametrize("trouble", ["a file", "of another user", "writable", "not writable"])
def test_a_copy_that_others_could_have_made_is_refused(
    new_server: Callable[[str], Server], cache: Path, trouble: str
) -> None:
    if trouble == "not writable":
        cache.symlink_to(cache.parent / "nothing" / "there")
    elif trouble == "a file":
        cache.touch()
    else:
        cache.mkdir()
        cache.chmod(0o777 if trouble == "writable" else 0o755)
        os.chown(cache, 12345 if trouble == "of another user" else 0, 0)
    with pytest.raises(ServerError, match="an ordinary user") as error:
        new_server("one").start()
    assert str(cache) in str(error.value)
    assert "\n" not in str(error.value)


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
