"""The Meltano project: its commands, and that each environment works on what is its own."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from ynab_sandbox import serve

from tests.support.meltano_project import MELTANO, PYTHON, Project
from tests.support.rows import STREAMS
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: As YNAB makes them.
TOKEN = "t8Zq-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bk"  # noqa: S105 opens nothing
PASSWORD = "pr0duction-passw0rd"  # noqa: S105 likewise
STATE = "demo:tap-ynab-to-target-postgres"
RECONCILE_STATE = "demo:tap-ynab-reconcile-to-target-postgres"
DEMO, LOCAL = ".data/demo/postgres", ".data/postgres"
EXAMPLE = {"YNAB_PERSONAL_ACCESS_TOKEN": TOKEN, "MELTANO_ENVIRONMENT": "local"}


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path) -> Iterator[Project]:
    """A fresh copy of the project; what it starts is stopped."""
    installed(MELTANO)
    with ExitStack() as stack:
        project = Project(tmp_path)
        stack.callback(project.stop)
        yield project


@contextmanager
def never_contacted() -> Iterator[int]:
    """The port of a server to which nobody comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)  # noqa: FBT003 as the standard library has it
        yield listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()


def good(process: subprocess.CompletedProcess[str]) -> str:
    """Return the log of a command, which must succeed."""
    log = process.stdout + process.stderr
    assert process.returncode == 0, log[-5000:]
    return log


def first_lines(log: str) -> str:
    """Return the lines before those of the streams."""
    before, began, _ = log.partition("accounts of ")
    assert began, log[-5000:]
    return before


def some(project: Project, kind: str) -> dict[str, Any]:
    """An entity of the demo's first budget."""
    found: dict[str, Any] = project.sandbox("entities", kind=kind)[0]
    return found


def read_in_full(project: Project) -> set[str]:
    """Return the lists requested in full since the last call of this function."""
    requests = project.sandbox("requests")
    project.sandbox("clear-requests")
    return {
        request["path"].split("/")[-1]
        for request in requests
        if "last_knowledge_of_server" not in request["query"]
    }


def test_the_commands_of_the_demo(project: Project) -> None:
    project.start_small_sandbox()
    first = good(project.run("run", "tap-ynab", "target-postgres"))
    running = project.daemon.running()
    assert running is not None
    assert f"account: the YNAB sandbox at {running.url}" in first_lines(first)
    assert "(project PostgreSQL in " in first
    assert f"{DEMO})" in first
    database = project.database(DEMO)
    rows = database.alive("transactions")
    budgets = [budget["name"] for budget in project.sandbox("state")["budgets"]]
    assert len(rows) == sum(
        len(project.sandbox("entities", kind="transactions", budget=name)) for name in budgets
    )
    assert not [name for name in next(iter(rows.values())) if name.endswith("_formatted")]
    assert "transactions" in read_in_full(project)

    edited = some(project, "payees")["id"]
    project.sandbox("edit", kind="payees", id=edited, fields={"name": "Edited once"})
    good(project.run("run", "sync"))
    assert database.alive("payees")[edited]["name"] == "Edited once"
    assert "payees" not in read_in_full(project)

    project.sandbox("edit", kind="payees", id=edited, fields={"name": "Edited twice"})
    good(project.run("schedule", "run", "sync-every-4-hours"))
    assert database.alive("payees")[edited]["name"] == "Edited twice"
    assert "payees" not in read_in_full(project)

    # Were it not told to, it would begin from this state.
    good(project.run("state", "copy", "--force", STATE, RECONCILE_STATE))
    gone = some(project, "payee_locations")["id"], some(project, "transactions")["id"]
    project.sandbox("forget", kind="payee_locations", id=gone[0])
    project.sandbox("forget", kind="transactions", id=gone[1])
    good(project.run("run", "reconcile"))
    assert gone[0] not in database.alive("payee_locations")
    assert gone[1] not in database.alive("transactions")
    assert len(database.alive("transactions")) == len(rows) - 1
    assert "transactions" in read_in_full(project)

    states = good(project.run("--log-level=warning", "state", "list")).split()
    assert {STATE, RECONCILE_STATE} <= set(states)

    gone_later = some(project, "transactions")["id"]
    project.sandbox("forget", kind="transactions", id=gone_later)
    good(project.run("run", "--full-refresh", "tap-ynab", "target-postgres"))
    assert gone_later not in database.alive("transactions")
    assert "transactions" in read_in_full(project)

    catalog = project.run("--log-level=warning", "invoke", "tap-ynab", "--discover")
    assert {entry["stream"] for entry in json.loads(catalog.stdout)["streams"]} == {
        *STREAMS,
        "syncs",
    }


def test_the_report(project: Project) -> None:
    report = ("invoke", "report:build")
    too_early = project.run(*report)
    assert (too_early.returncode, too_early.stdout) == (1, "")
    (line,) = too_early.stderr.splitlines()
    assert line.endswith(
        "there are no budgets in the schema ynab yet: "
        "run .venv/bin/meltano --environment=demo run sync"
    )

    tenant = {"MELTANO_RUN_STATE_ID_SUFFIX": "ada"}
    project.start_small_sandbox()
    good(project.run("run", "sync", **tenant))
    made = project.run(*report, **tenant)
    assert (made.returncode, made.stderr) == (0, "")
    page = project.folder / "output/ada/budget.html"
    assert made.stdout == f"report: {page}\n"
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.parent.parent.stat().st_mode & 0o777 == 0o700
    assert some(project, "accounts")["name"] in page.read_text(encoding="utf-8")
    assert list((project.folder / "output").rglob("*.html")) == [page]


def test_meltano_contacts_nobody_elsewhere(project: Project) -> None:
    lookup = "import socket; socket.getaddrinfo('example.org', 443)"
    assert project.execute(str(PYTHON), "-c", lookup).returncode != 0
    assert project.contacted() == {"example.org"}, "the watch sees nothing"
    good(project.run("state", "list"))
    assert project.contacted() == {"example.org"}


def test_the_demo_keeps_away_from_the_account_and_the_database_of_an_env_file(
    project: Project,
) -> None:
    project.start_small_sandbox()
    with never_contacted() as port:
        project.write_env(
            **EXAMPLE,
            TAP_YNAB_ACCESS_TOKEN=TOKEN,
            TAP_YNAB_API_URL=f"http://127.0.0.1:{port}/v1",
            TARGET_POSTGRES_HOST="127.0.0.1",
            TARGET_POSTGRES_PORT=str(port),
            TARGET_POSTGRES_USER="production",
            TARGET_POSTGRES_PASSWORD=PASSWORD,
            TARGET_POSTGRES_DATABASE="production",
            TARGET_POSTGRES_SQLALCHEMY_URL=f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:{port}/db",
        )
        log = good(project.run("--environment=demo", "run", "tap-ynab", "target-postgres"))
    assert "account: the YNAB sandbox at " in first_lines(log)
    assert f"{DEMO})" in log
    assert TOKEN not in log
    assert PASSWORD not in log
    assert {request["status"] for request in project.sandbox("requests")} == {200}
    assert project.database(DEMO).alive("transactions")
    assert not (project.folder / LOCAL).exists()


def test_the_demo_is_whole_whatever_an_env_file_chooses(project: Project) -> None:
    project.start_small_sandbox()
    project.write_env(
        **EXAMPLE,
        TAP_YNAB_BUDGET_IDS='["11111111-2222-4333-8444-555555555555"]',
        TAP_YNAB_SINCE_DATE="2099-01-01",
    )
    good(project.run("--environment=demo", "run", "tap-ynab", "target-postgres"))
    assert len(project.database(DEMO).alive("budgets")) == 2
    assert project.database(DEMO).alive("transactions")


def test_an_env_file_leads_to_its_account_and_never_to_the_sandbox(project: Project) -> None:
    account = small_sandbox()
    account.set_token(TOKEN)
    account.set_token("sandbox-token", "401")
    with serve(account) as url:
        # The environment is `local` if there is a token.
        project.write_env(YNAB_PERSONAL_ACCESS_TOKEN=TOKEN, TAP_YNAB_API_URL=url)
        log = good(project.run("run", "tap-ynab", "target-postgres"))
    assert f"Account at {url}, budgets: Our Household" in first_lines(log)
    assert f"{LOCAL})" in log
    assert TOKEN not in log
    assert {request.status for request in account.requests} == {200}
    alive = project.database(LOCAL).alive("transactions")
    assert len(alive) == sum(len(budget.entities("transactions")) for budget in account.budgets)
    assert project.daemon.running() is None
    assert not (project.folder / ".data/demo").exists()


@pytest.mark.parametrize("token", ["", None])
def test_without_a_token_the_account_is_not_the_sandbox(
    project: Project, token: str | None
) -> None:
    variables = {"MELTANO_ENVIRONMENT": "local"}
    if token is not None:
        variables["YNAB_PERSONAL_ACCESS_TOKEN"] = token
    with never_contacted() as port:
        project.write_env(**variables, TAP_YNAB_API_URL=f"http://127.0.0.1:{port}/v1")
        process = project.run("run", "tap-ynab", "target-postgres")
    log = process.stdout + process.stderr
    assert process.returncode != 0
    assert "settings/developer" in log
    assert "Traceback" not in log
    assert not (project.folder / ".data/demo").exists()
    assert project.daemon.running() is None
