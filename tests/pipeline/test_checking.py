"""`ynab-pipeline verify` and `preview`, run as a person runs them."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from ynab_sandbox import serve

from tests.support.comparing import everything
from tests.support.databases import new_database
from tests.support.meltano_project import MELTANO, PYTHON, Project
from tests.support.pipeline import Database
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project_postgres import Server

PIPELINE = str(PYTHON.with_name("ynab-pipeline"))
#: As YNAB makes them.
TOKEN = "t8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bk"  # noqa: S105 opens nothing
BUDGETS = ("Our Household", "Ferienwohnung")
#: A list of budgets, and five requests for each of the two.
MOST_REQUESTS = 1 + 2 * 5


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path) -> Iterator[Project]:
    """A fresh copy of the project; what it starts is stopped."""
    installed(MELTANO)
    with ExitStack() as stack:
        project = Project(tmp_path)
        stack.callback(project.stop)
        yield project


def last_line(process: subprocess.CompletedProcess[str]) -> str:
    return process.stdout.splitlines()[-1]


def test_the_demo(project: Project) -> None:
    project.start_small_sandbox()
    first = project.execute(PIPELINE, "preview")
    assert first.returncode == 0, first.stderr
    assert "  transactions " in first.stdout
    assert project.run("run", "sync").returncode == 0
    database = project.database(".data/demo/postgres")

    payee, transaction = (
        project.sandbox("entities", kind=kind)[0]["id"] for kind in ("payees", "transactions")
    )
    project.sandbox("edit", kind="payees", id=payee, fields={"name": "Edited"})
    before = everything(database), state(project)
    project.sandbox("clear-requests")
    previewed = project.execute(PIPELINE, "preview", "--environment=demo")
    assert previewed.returncode == 0, previewed.stderr
    assert "\n  payees                                   0           1           0\n" in (
        previewed.stdout
    )
    assert requests(project) <= MOST_REQUESTS
    assert (everything(database), state(project)) == before
    assert project.run("run", "sync").returncode == 0
    assert last_line(project.execute(PIPELINE, "preview")) == "Ferienwohnung: nothing"

    before = everything(database), state(project)
    project.sandbox("clear-requests")
    verified = project.execute(PIPELINE, "verify")
    assert verified.returncode == 0, verified
    assert last_line(verified).endswith("rows are as in YNAB, column by column.")
    assert verified.stderr == "Reading the account ...\n"
    assert requests(project) <= MOST_REQUESTS
    assert (everything(database), state(project)) == before

    with psycopg.connect(database.url) as connection:
        connection.execute("update ynab.transactions set memo = 'x' where id = %s", [transaction])
    drift = project.execute(PIPELINE, "verify")
    assert drift.returncode == 1
    assert f"\n  {transaction}  memo\n" in drift.stdout
    repaired = project.execute(PIPELINE, "--environment", "demo", "verify", "--repair")
    assert repaired.returncode == 0, repaired
    assert last_line(repaired) == last_line(verified)
    assert state(project) == before[1]
    assert not list((project.folder / ".meltano/run").glob("preview-*"))

    with psycopg.connect(database.url) as connection:
        connection.execute("drop table ynab.payees")
    payees = sum(len(project.sandbox("entities", kind="payees", budget=name)) for name in BUDGETS)
    lost = project.execute(PIPELINE, "preview").stdout
    assert sum(map(int, re.findall(r"(?m)^  payees +(\d+) +0 +0$", lost))) == payees
    assert len(re.findall(r"(?m)^  \w+", lost)) == len(BUDGETS)


def state(project: Project) -> str:
    """What Meltano keeps of the last sync."""
    name = "demo:tap-ynab-to-target-postgres"
    return project.run("--log-level=error", "state", "get", name).stdout


def requests(project: Project) -> int:
    """How many requests there were since they were last cleared."""
    return len(project.sandbox("requests"))


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_an_account_of_ones_own(project: Project, server: Server, environment: str) -> None:
    account = small_sandbox()
    account.set_token(TOKEN)
    with serve(account) as url:
        variables = {
            "YNAB_PERSONAL_ACCESS_TOKEN": TOKEN,
            "MELTANO_ENVIRONMENT": environment,
            "TAP_YNAB_API_URL": url,
            "MELTANO_RUN_STATE_ID_SUFFIX": "ours",
        }
        own = new_database(server)
        if environment == "prod":
            found = psycopg.conninfo.conninfo_to_dict(own.url)
            for name in ("host", "port", "user", "password"):
                variables[f"TARGET_POSTGRES_{name.upper()}"] = str(found[name])
            variables["TARGET_POSTGRES_DATABASE"] = str(found["dbname"])
        project.write_env(**variables)
        assert project.run("run", "sync").returncode == 0
        database = project.database(".data/postgres") if environment == "local" else own
        assert Database(database.url).alive("transactions")
        verified = project.execute(PIPELINE, "verify")
        assert (verified.returncode, verified.stderr) == (0, "Reading the account ...\n")
        payee = account.budgets[0].entities("payees")[0]["id"]
        account.budgets[0].edit("payees", payee, name="Edited")
        account.clear_requests()
        previewed = project.execute(PIPELINE, "preview")
        # The bookmarks of the tenant: the second budget needs only one request.
        assert len([one for one in account.requests if account.budgets[1].id in one.path]) == 1
        assert "\n  payees                                   0           1           0\n" in (
            previewed.stdout
        )
        account.set_token(TOKEN, "401")
        refused = project.execute(PIPELINE, "verify")
    assert refused.returncode == 2
    assert not refused.stdout
    assert "settings/developer" in refused.stderr
    assert refused.stderr.splitlines()[-1].endswith("the lines above say why")
    assert TOKEN not in refused.stderr
    assert not project.daemon.running()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--environment=nowhere", "verify"], "Environment 'nowhere' was not found."),
        (["--environment=prod", "preview"], "the database is not configured"),
    ],
)
def test_trouble_is_one_line_and_no_request(
    project: Project, arguments: list[str], words: str
) -> None:
    account = small_sandbox()
    with serve(account) as url:
        project.write_env(YNAB_PERSONAL_ACCESS_TOKEN=TOKEN, TAP_YNAB_API_URL=url)
        process = project.execute(PIPELINE, *arguments)
    assert process.returncode == 2
    [line] = process.stderr.splitlines()
    assert words in line
    assert not account.requests
