"""`ynab-pipeline-target` names the database of a run and becomes the loader."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from ynab_pipeline.destination import describe

from tests.pipeline.conftest import ELSEWHERE
from tests.support.pipeline import PIPELINE_TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from project_postgres import Server

    from tests.pipeline.conftest import Installation

FAST = {"YNAB_PIPELINE_FAST_LOADER": "true"}


@pytest.mark.parametrize("fast", [{}, FAST], ids=["stock", "fast"])
def test_the_projects_server_wins_over_the_configuration(
    installation: Installation,
    configuration: Path,
    project_server: Server,
    fast: dict[str, str],
) -> None:
    started = installation.started(
        "target",
        "--config",
        configuration,
        **fast,
        MELTANO_PROJECT_ROOT=str(project_server.folder.parents[1]),
        PROJECT_POSTGRES=".data/postgres",
        PGHOSTADDR="192.0.2.1",
        PGTZ="Asia/Tokyo",
        TARGET_POSTGRES_HOST="db.example.invalid",
    )
    override = project_server.folder / "target-postgres.json"
    assert started.arguments == ["--config", str(configuration), "--config", str(override)]
    assert override.stat().st_mode & 0o777 == 0o600
    merged = ELSEWHERE | json.loads(override.read_text(encoding="utf-8"))
    assert merged["sqlalchemy_url"] == project_server.url.replace(
        "postgresql", "postgresql+psycopg"
    )
    assert project_server.url.endswith("/ynab?require_auth=scram-sha-256")
    assert merged["ssh_tunnel"] == {"enable": False}
    assert [name for name in started.environment if name.startswith("PG")] == ["PGTZ"]
    assert started.environment["PGTZ"] == "UTC"
    assert started.umask == 0o077
    assert started.stderr == (
        f"database: ynab at 127.0.0.1:{project_server.port}, schema ynab "
        f"(project PostgreSQL in {project_server.folder})\n"
    )


@pytest.mark.parametrize("fast", [{}, FAST], ids=["stock", "fast"])
def test_without_the_switch_the_configuration_stands(
    installation: Installation, configuration: Path, fast: dict[str, str]
) -> None:
    started = installation.started(
        "target", "--config", configuration, **fast, PGTZ="Asia/Tokyo", PGSSLMODE="require"
    )
    assert started.arguments == ["--config", str(configuration)]
    environment = started.environment
    assert (environment["PGTZ"], environment["PGSSLMODE"]) == ("UTC", "require")
    assert started.umask == 0o077
    assert started.stderr == "database: money at db.example.invalid:5432, schema ynab\n"


def test_meltanos_environment_names_the_database_too(installation: Installation) -> None:
    started = installation.started(
        "target",
        TARGET_POSTGRES_DATABASE="money",
        TARGET_POSTGRES_HOST="db.example.invalid",
        TARGET_POSTGRES_PASSWORD="hunter2",  # noqa: S106 -- made up
        TARGET_POSTGRES_PORT="5432",
    )
    assert started.stderr == "database: money at db.example.invalid:5432\n"


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
@pytest.mark.parametrize("fast", [{}, FAST], ids=["stock", "fast"])
def test_a_question_needs_no_database(
    installation: Installation, option: str, fast: dict[str, str]
) -> None:
    started = installation.started("target", option, **fast, PROJECT_POSTGRES=".data/postgres")
    assert (started.arguments, started.stderr) == ([option], "")
    assert not (installation.folder / ".data").exists()
    assert not (installation.folder / ".meltano").exists()


def test_a_database_of_ones_own_needs_no_other_package(
    bare_installation: Installation, configuration: Path
) -> None:
    started = bare_installation.started("target", "--config", configuration)
    assert started.stderr == "database: money at db.example.invalid:5432, schema ynab\n"
    missing = bare_installation.run("target", PROJECT_POSTGRES=".data/postgres")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == (
        "ynab-pipeline-target: PROJECT_POSTGRES is set, but project_postgres is not installed "
        "here: unset it, or install plugins/project-postgres\n"
    )


def test_a_loader_that_is_not_installed(installation: Installation) -> None:
    installation.program("target-postgres").unlink()
    missing = installation.run("target", "--about")
    assert missing.returncode == 1
    assert missing.stderr == (
        "ynab-pipeline-target: target-postgres is not installed beside "
        f"{installation.program('python')}\n"
    )


def test_a_fast_loader_that_is_not_installed(installation: Installation) -> None:
    (installation.package / "target.py").unlink()
    missing = installation.run("target", "--about", **FAST)
    assert missing.returncode == 1
    assert missing.stderr == (
        "ynab-pipeline-target: YNAB_PIPELINE_FAST_LOADER is set, but target_postgres.target is not "
        "installed here: unset it, or install plugins/ynab-pipeline[fast-loader]\n"
    )


@pytest.mark.parametrize(
    ("value", "package"),
    [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False), ("", False)],
)
def test_the_switch_of_the_fast_loader(
    installation: Installation, value: str, *, package: bool
) -> None:
    # Only one of the two is there.
    if package:
        installation.program("target-postgres").unlink()
    else:
        (installation.package / "target.py").unlink()
    started = installation.started("target", "--about", YNAB_PIPELINE_FAST_LOADER=value)
    assert started.arguments == ["--about"]


def test_a_switch_that_is_neither_true_nor_false(installation: Installation) -> None:
    wrong = installation.run("target", YNAB_PIPELINE_FAST_LOADER="maybe")
    assert wrong.returncode == 1
    assert wrong.stderr == (
        "ynab-pipeline-target: YNAB_PIPELINE_FAST_LOADER is 'maybe': true or false is expected\n"
    )


def test_a_server_that_does_not_start_is_told(installation: Installation) -> None:
    data = installation.folder / ".data/postgres/data"
    data.mkdir(parents=True)
    finished = installation.run("target", PROJECT_POSTGRES=".data/postgres")
    assert finished.returncode == 1
    assert "ynab-pipeline-target: " in finished.stderr
    assert "Traceback" not in finished.stderr
    assert str(data.parent) in finished.stderr.splitlines()[-1]


@pytest.mark.parametrize("fast", [{}, FAST], ids=["stock", "fast"])
def test_the_loader_itself_writes_into_the_projects_server(
    configuration: Path, project_server: Server, fast: dict[str, str]
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
            "record": {"id": f"a {len(fast)}", "at": "2024-02-29T23:00:00Z"},
        },
    ]
    finished = subprocess.run(
        [PIPELINE_TARGET, "--config", configuration],
        env={
            **fast,
            "PROJECT_POSTGRES": str(project_server.folder),
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
    password = psycopg.conninfo.conninfo_to_dict(project_server.url)["password"]
    assert str(password) not in finished.stdout + finished.stderr
    with psycopg.connect(project_server.url) as connection:
        query = "select at::text from ynab.budgets where id = %s"
        rows = connection.execute(query, [f"a {len(fast)}"]).fetchall()
    assert rows == [("2024-02-29 23:00:00",)]
