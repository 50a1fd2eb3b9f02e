"""`ynab-pipeline status` on real runs: what it prints, and its exit code."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from ynab_pipeline.account import TOKENS

from tests.support.meltano_project import MELTANO, Project, project_of, stalled
from tests.support.runs import execute
from tests.support.small import small_sandbox
from tests.support.tenants import COMMAND, ODD_DATABASES, content, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox

TOKEN = "kt8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7B"  # noqa: S105 opens nothing
DATABASE = ".data/postgres"


@pytest.fixture
def account() -> Sandbox:
    account = small_sandbox()
    account.set_token(TOKEN)
    return account


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path, account: Sandbox) -> Iterator[Project]:
    """A project with an account of its own, the environment local, and nothing loaded."""
    installed(MELTANO)
    with project_of(account, tmp_path, TOKEN) as project:
        yield project


def status(
    project: Project, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    done = project.execute(COMMAND, *arguments, "status", **environment)
    assert max(map(len, done.stdout.splitlines()), default=0) <= 80
    return done


def sync(project: Project, code: int = 0) -> None:
    done = project.run("run", "sync")
    assert done.returncode == code, done.stderr[-3000:]


def let_time_pass(project: Project) -> None:
    """Have Meltano's last sign of life be minutes ago."""
    with sqlite3.connect(project.folder / ".meltano/meltano.db") as history:
        history.execute("update runs set last_heartbeat_at = datetime('now', '-3 minutes')")
    history.close()


@pytest.mark.slow
def test_from_the_first_run_to_one_that_is_killed(project: Project, account: Sandbox) -> None:
    never = status(project)
    assert never.returncode == 1
    assert never.stdout.splitlines()[0] == "Environment local, schema ynab: no sync yet"
    assert "Next run by the schedule: " in never.stdout.splitlines()[1]
    assert not (project.folder / DATABASE).exists(), "it has made a server"

    sync(project)
    fresh = project.execute(COMMAND, "status", "--json")
    assert (fresh.returncode, fresh.stderr) == (0, "")
    found = json.loads(fresh.stdout)
    assert found["state"] == "fresh"
    budgets = {budget["id"]: budget for budget in found["budgets"]}
    assert {id_: budget["name"] for id_, budget in budgets.items()} == {
        budget.id: budget.name for budget in account.budgets
    }
    for budget in budgets.values():
        assert budget["rows"] > 0
        assert 0 <= budget["age_seconds"] < 60
        assert budget["next_run_at"] == min(run["at"] for run in found["next_runs"])
    assert {run["job"] for run in found["next_runs"]} == {"sync", "reconcile"}

    (project.folder / "bob.env").write_text(
        (project.folder / ".env").read_text()
        + "MELTANO_RUN_STATE_ID_SUFFIX=bob\nTARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=bob\n"
    )
    # Something for the run to read.
    for budget in account.budgets:
        budget.add("transactions", amount=-1_000)
    with stalled(project, account, "run", "sync"):
        running = status(project)
    assert running.returncode == 0
    assert "sync is under way, for " in running.stdout
    let_time_pass(project)
    died = status(project)
    assert died.returncode == 1
    assert died.stdout.splitlines()[0] == "Environment local, schema ynab: failed"
    assert "sync died 3 min ago without a word" in died.stdout
    tenant = status(project, "--env-file=bob.env")
    assert tenant.stdout.splitlines()[0] == "Environment local, schema bob: no sync yet"
    assert "died" not in tenant.stdout


@pytest.mark.slow
def test_a_clock_that_was_a_year_ahead(project: Project, account: Sandbox) -> None:
    sync(project)
    project.database(DATABASE).execute("update ynab.syncs set started_at = started_at + '1 year'")
    with sqlite3.connect(project.folder / ".meltano/meltano.db") as history:
        history.execute("update runs set started_at = datetime(started_at, '+1 year')")
    history.close()
    assert status(project).stdout.splitlines()[0] == "Environment local, schema ynab: no sync yet"
    account.set_token(TOKEN, "401")
    sync(project, 1)
    failed = status(project)
    assert failed.returncode == 1
    assert "YNAB does not accept the token" in failed.stdout


@pytest.mark.slow
def test_a_failed_run(project: Project, account: Sandbox) -> None:
    sync(project)
    account.set_token(TOKEN, "401")
    sync(project, 1)
    refused = status(project)
    assert refused.returncode == 1
    assert "failed" in refused.stdout.splitlines()[0]
    assert "\nThe run of " in refused.stdout
    assert "https://app.ynab.com/settings/developer" in refused.stdout

    account.set_token(TOKEN)
    account.budgets[0].add("payees", name="One that the table refuses")
    with psycopg.connect(project.server(DATABASE).url) as connection:
        connection.execute("alter table ynab.payees add check (name not like 'One%') not valid")
    sync(project, 1)
    failed = status(project)
    assert failed.returncode == 1
    assert "sync failed " in failed.stdout
    assert "Loader failed" in failed.stdout


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"YNAB_PIPELINE_STALE_AFTER": "often"}, "YNAB_PIPELINE_STALE_AFTER is 'often'"),
        ({"MELTANO_ENVIRONMENT": "nowhere"}, "'nowhere' was not found"),
        (
            {
                "MELTANO_ENVIRONMENT": "prod",
                "TARGET_POSTGRES_HOST": "127.0.0.1",
                "TARGET_POSTGRES_PORT": "1",
                "TARGET_POSTGRES_USER": "ada",
                "TARGET_POSTGRES_PASSWORD": "secret",
            },
            "refused",
        ),
    ],
)
def test_it_cannot_be_known(project: Project, environment: dict[str, str], words: str) -> None:
    done = status(project, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert words in line
    assert "secret" not in line


def test_outside_a_project(installed: Callable[[str], str], tmp_path: Path) -> None:
    installed(MELTANO)
    done = subprocess.run(
        [COMMAND, "status", "--json"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout) == {
        "state": "unknown",
        "error": "Meltano has failed: `meltano invoke` must be run inside a Meltano project.",
    }


BROKEN = [
    ("jobs: [\n", """found '<stream end>' in "{folder}/meltano.yml", line """),
    ("schedules:\n- {name: half, interval: 0 3 * * *}\n", "'extractor', 'loader', and 'transform'"),
    ("", "Your meltano.yml file is empty. "),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
@pytest.mark.parametrize("tenants", [[], ["--tenants"]])
def test_a_broken_meltano_yml(
    installed: Callable[[str], str], tmp_path: Path, text: str, words: str, tenants: list[str]
) -> None:
    installed(MELTANO)
    (tmp_path / "meltano.yml").write_text(text)
    write(tmp_path, "ada", content("ada"))
    command = [COMMAND, "status", "--json", *tenants]
    # With the colors of GitHub Actions.
    done = execute(*command, folder=tmp_path, HOME=str(tmp_path), FORCE_COLOR="1")
    assert (done.code, done.log) == (2, "")
    found = json.loads(done.stdout)
    assert found.keys() == {"state", "error"}
    assert found["state"] == "unknown"
    assert words.format(folder=tmp_path) in found["error"]
    assert "\n" not in found["error"]
    assert "Traceback" not in found["error"]


def test_tenants_whose_run_history_cannot_be_read(project: Project) -> None:
    write(project.folder, "ada", content("ada"))
    for name, uri in ODD_DATABASES.items():
        write(project.folder, name, content(name, MELTANO_DATABASE_URI=uri))
    done = project.execute(COMMAND, "status", "--tenants")
    assert (done.returncode, done.stderr) == (2, "")
    _, ada, bob, cy = done.stdout.splitlines()
    assert ada.endswith("  never")
    reason = "unknown: Meltano's run history cannot be read: "
    assert bob.endswith(
        f"{reason}No module named 'psycopg': install into .venv what MELTANO_DATABASE_URI needs"
    )
    assert cy.endswith(f"{reason}MELTANO_DATABASE_URI is not the URI of a database")


def test_an_env_file_names_the_environment(project: Project) -> None:
    """A token alone in .env makes that `local`, which is not for another file."""
    project.write_env(YNAB_PERSONAL_ACCESS_TOKEN=TOKEN)
    (project.folder / "ada.env").write_text(
        f"YNAB_PERSONAL_ACCESS_TOKEN={TOKEN}\nMELTANO_ENVIRONMENT=prod\n"
    )
    done = status(project, "--env-file=ada.env")
    assert done.returncode == 2
    assert "the database is not configured: set TARGET_POSTGRES_HOST" in done.stderr


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_alone_counts_in_a_folder_of_the_project_too(project: Project, name: str) -> None:
    """There it would be the sandbox otherwise, by Meltano's default."""
    project.write_env(**{name: TOKEN})
    (project.folder / "notes").mkdir()
    done = project.execute("/bin/sh", "-c", 'cd notes && exec "$0" status', COMMAND)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "Environment local, schema ynab: no sync yet"
