"""The image, built and run: `make test-image`, which needs docker or podman, and PyPI."""

from __future__ import annotations

import mmap
import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Database

CONTAINER = shlex.split(os.environ.get("CONTAINER", ""))
#: In files of the folder that the image is built from; opens nothing.
SECRET = "kt8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7B"  # noqa: S105
IMAGE = "tap-ynab-test"

pytestmark = pytest.mark.skipif(not CONTAINER, reason="it takes minutes: `make test-image` runs it")


def container(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CONTAINER, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image, built from a copy of the repository with secrets in it."""
    folder = tmp_path_factory.mktemp("context")
    git = [str(shutil.which("git")), "ls-files", "-z", "--cached"]
    files = subprocess.run(git, cwd=PROJECT, capture_output=True, check=True, encoding="utf-8")
    for name in filter(None, files.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name, follow_symlinks=False)
    for name in (".env", "deploy/.env", "tenants/ada.env", "logs/x.log", ".meltano/run/x.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SECRET)
    built = container("build", "-f", f"{folder}/deploy/Containerfile", "-t", IMAGE, str(folder))
    assert built.returncode == 0, built.stdout[-3000:]
    yield IMAGE
    container("rmi", IMAGE)


def run(
    image: str, environment: dict[str, str], *command: str, volume: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a container of which nothing but its volume can be written."""
    options = [f"--env={name}={value}" for name, value in environment.items()]
    if volume:
        options.append(f"--volume={volume}:/var/lib/tap-ynab")
    return container(
        *("run", "--rm", "--network=host", "--read-only", "--cap-drop=ALL"),
        *("--no-healthcheck", *options, image, *command),
    )


def test_no_secret_is_in_a_layer(image: str, tmp_path: Path) -> None:
    saved = tmp_path / "image.tar"
    assert container("save", "-o", str(saved), image).returncode == 0
    with saved.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as layers:
        # The layers are not compressed, so what is in them can be found.
        assert layers.find(b"\nproject_id: tap-ynab\n") >= 0
        assert layers.find(SECRET.encode()) < 0


def test_what_a_container_may(image: str) -> None:
    done = run(
        image, {}, "sh", "-c", "id -u; touch /opt/tap-ynab/x /usr/x; ls .data; command -v pip"
    )
    assert done.stdout.splitlines()[0] == "10001"
    assert done.stdout.count("Read-only file system") == 2
    assert done.returncode != 0


@pytest.fixture
def settings(sandbox: Sandbox, api_url: str, database: Database) -> dict[str, str]:
    """All settings, with Meltano's own tables in a schema of the database that is loaded."""
    database.execute("create schema meltano")
    where = {key: str(value) for key, value in conninfo_to_dict(database.url).items()}
    host, port, user, name = (where[key] for key in ("host", "port", "user", "dbname"))
    return {
        "YNAB_PERSONAL_ACCESS_TOKEN": sandbox.token,
        "TAP_YNAB_API_URL": api_url,
        "TARGET_POSTGRES_HOST": host,
        "TARGET_POSTGRES_PORT": port,
        "TARGET_POSTGRES_USER": user,
        "TARGET_POSTGRES_PASSWORD": where["password"],
        "TARGET_POSTGRES_DATABASE": name,
        "MELTANO_DATABASE_URI": f"postgresql+psycopg://{user}@{host}:{port}/{name}"
        "?options=-csearch_path=meltano",
        "PGPASSWORD": where["password"],
    }


def test_syncs_whose_bookmarks_are_in_the_database(
    image: str, settings: dict[str, str], sandbox: Sandbox
) -> None:
    """As under Kubernetes: no container has anything of the one before."""
    never = run(image, settings, "ynab-pipeline", "status")
    assert never.returncode == 1, never.stdout
    first = run(image, settings, "ynab-pipeline", "run", "sync")
    assert first.returncode == 0, first.stdout
    second = run(image, settings, "ynab-pipeline", "run", "sync")
    assert "Synced 2 budgets: 0 rows, 3 requests" in second.stdout
    assert sandbox.token not in first.stdout + second.stdout
    fresh = run(image, settings, "ynab-pipeline", "status")
    assert fresh.returncode == 0, fresh.stdout
    script = "meltano invoke report:build && head -c 15 output/budget.html"
    report = run(image, settings, "sh", "-c", script)
    assert report.stdout.lower().endswith("<!doctype html>"), report.stdout


def test_the_scheduler_syncs_at_once_and_ends_when_it_is_told_to(
    image: str, settings: dict[str, str]
) -> None:
    del settings["MELTANO_DATABASE_URI"]  # it is in the volume then
    options = [f"--env={name}={value}" for name, value in settings.items()]
    command = ["run", "--rm", "--name", IMAGE, "--network=host", "--read-only", "--no-healthcheck"]
    with subprocess.Popen(
        [*CONTAINER, *command, *options, image],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        assert process.stdout
        try:
            ended = ("sync-every-4-hours succeeded", "sync-every-4-hours ended with")
            assert ended[0] in next(x for x in process.stdout if any(each in x for each in ended))
            healthy = container("exec", IMAGE, "ynab-pipeline", "status")
            assert healthy.returncode == 0, healthy.stdout
            container("stop", IMAGE)
            assert "schedule: ended" in process.stdout.read()
            assert process.wait(timeout=60) == 0
        finally:
            container("rm", "--force", IMAGE)
