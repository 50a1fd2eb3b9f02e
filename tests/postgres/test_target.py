"""`embedded-postgres-target` says which database a run works on and runs the loader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from embedded_postgres.destination import describe

from tests.support.pipeline import LOADER

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_postgres import Server

ELSEWHERE = {
    "host": "db.example.invalid",
    "port": 5432,
    "user": "ada",
    "password": "hunter2",
    "database": "money",
    "default_target_schema": "ynab",
    "ssl_enable": True,
    "ssh_tunnel": {"enable": True, "host": "bastion.example.invalid"},
}


#: In the place of the loader: tells how it was started.
STAND_IN = {
    "sinks.py": "class PostgresSink: pass",
    "target.py": """
import json, os

class TargetPostgres:
    @staticmethod
    def cli(arguments):
        print(json.dumps([arguments, dict(os.environ), os.umask(0)]))
""",
}


class Loader:
    """`embedded-postgres-target` where a stand-in for the loader can be imported."""

    def __init__(self, folder: Path, project: Path) -> None:
        """Makes the stand-in.

        Args:
            folder: Where it is made.
            project: The Meltano project.
        """
        self.package = folder / "target_postgres"
        self.package.mkdir()
        for name, content in STAND_IN.items():
            (self.package / name).write_text(content, encoding="utf-8")
        self.environment = {
            "MELTANO_PROJECT_ROOT": str(project),
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        }

    def run(
        self, *arguments: str | Path, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end."""
        main = "from embedded_postgres.target import main; main()"
        return subprocess.run(
            [sys.executable, "-c", main, *arguments],
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def seen(
        self, *arguments: str | Path, **environment: str
    ) -> tuple[list[str], dict[str, str], int, str]:
        """Runs it and returns the loader's arguments, environment and umask, and stderr."""
        finished = self.run(*arguments, **environment)
        assert finished.returncode == 0, finished.stderr
        loader_arguments, loader_environment, umask = json.loads(finished.stdout)
        return loader_arguments, loader_environment, umask, finished.stderr


@pytest.fixture
def loader(tmp_path: Path, project: Path) -> Loader:
    """The loader of the project whose server runs."""
    return Loader(tmp_path, project)


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """The configuration file that Meltano writes, for a database elsewhere."""
    path = tmp_path / "target.config.json"
    path.write_text(json.dumps(ELSEWHERE), encoding="utf-8")
    return path


def test_the_embedded_server_wins_over_the_configuration(
    loader: Loader, configuration: Path, shared: Server
) -> None:
    arguments, environment, umask, stderr = loader.seen(
        "--config",
        configuration,
        EMBEDDED_POSTGRES=".data/postgres",
        PGHOSTADDR="192.0.2.1",
        PGTZ="Asia/Tokyo",
        TARGET_POSTGRES_HOST="db.example.invalid",
    )
    override = shared.folder / "target-postgres.json"
    assert arguments == ["--config", str(configuration), "--config", str(override)]
    assert override.stat().st_mode & 0o777 == 0o600
    merged = ELSEWHERE | json.loads(override.read_text(encoding="utf-8"))
    assert merged["sqlalchemy_url"] == shared.url.replace("postgresql", "postgresql+psycopg")
    assert merged["ssh_tunnel"] == {"enable": False}
    assert [name for name in environment if name.startswith("PG")] == ["PGTZ"]
    assert environment["PGTZ"] == "UTC"
    assert umask == 0o077
    assert stderr == (
        f"database: ynab at 127.0.0.1:{shared.port}, schema ynab "
        f"(embedded PostgreSQL in {shared.folder})\n"
    )


def test_without_the_switch_the_configuration_stands(loader: Loader, configuration: Path) -> None:
    arguments, environment, umask, stderr = loader.seen(
        "--config", configuration, PGTZ="Asia/Tokyo", PGSSLMODE="require"
    )
    assert arguments == ["--config", str(configuration)]
    assert (environment["PGTZ"], environment["PGSSLMODE"]) == ("UTC", "require")
    assert umask == 0o077
    assert stderr == "database: money at db.example.invalid:5432, schema ynab\n"


def test_meltanos_environment_tells_too(loader: Loader) -> None:
    *_, stderr = loader.seen(
        TARGET_POSTGRES_DATABASE="money",
        TARGET_POSTGRES_HOST="db.example.invalid",
        TARGET_POSTGRES_PASSWORD="hunter2",  # noqa: S106 -- made up
        TARGET_POSTGRES_PORT="5432",
    )
    assert stderr == "database: money at db.example.invalid:5432\n"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:pw@h.example:5432/money", "money at h.example:5432"),
        ("postgresql+psycopg://u@h.example/money?sslmode=require", "money at h.example"),
        ("postgresql://u:pw/ss@[::1]:5432/money", "money at [::1]:5432"),
        ("postgresql://u:pw?ss@h.example/money", "money at h.example"),
        ("postgresql+psycopg://u@/money?host=/run/postgresql", "money at (default)"),
        ("postgresql://h/money?user=a@b&password=pw", "as sqlalchemy_url says"),
        ("postgresql://u:pw", "as sqlalchemy_url says"),
    ],
)
def test_a_url_is_told_without_its_password(url: str, words: str) -> None:
    assert describe({"sqlalchemy_url": url}) == words


@pytest.mark.parametrize("option", ["--about", "--version", "--help"])
def test_a_question_needs_no_database(loader: Loader, tmp_path: Path, option: str) -> None:
    loader.environment["MELTANO_PROJECT_ROOT"] = str(tmp_path)
    arguments, *_, stderr = loader.seen(option, EMBEDDED_POSTGRES=".data/postgres")
    assert (arguments, stderr) == ([option], "")
    assert not (tmp_path / ".data").exists()


def test_a_loader_that_is_not_installed(loader: Loader) -> None:
    (loader.package / "target.py").unlink()
    missing = loader.run("--about")
    assert missing.returncode == 1
    assert missing.stderr == (
        "target_postgres.target is not installed: pip install 'embedded-postgres[loader]'\n"
    )


def test_the_loader_itself_writes_into_the_embedded_server(
    configuration: Path, project: Path, shared: Server
) -> None:
    properties = {"id": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}
    messages = [
        {
            "type": "SCHEMA",
            "stream": "budgets",
            "schema": {"properties": properties},
            "key_properties": ["id"],
        },
        {
            "type": "RECORD",
            "stream": "budgets",
            "record": {"id": "a", "at": "2024-02-29T23:00:00Z"},
        },
    ]
    finished = subprocess.run(
        [LOADER, "--config", configuration],
        env={
            "EMBEDDED_POSTGRES": ".data/postgres",
            "MELTANO_PROJECT_ROOT": str(project),
            "PATH": os.defpath,
            "PGTZ": "Asia/Tokyo",
        },
        input="\n".join(map(json.dumps, messages)),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    password = psycopg.conninfo.conninfo_to_dict(shared.url)["password"]
    assert str(password) not in finished.stdout + finished.stderr
    with psycopg.connect(shared.url) as connection:
        rows = connection.execute("select id, at::text from ynab.budgets").fetchall()
    assert rows == [("a", "2024-02-29 23:00:00")]
