"""Dagster on a project with an own account and tenants: runs, limits, messages, and the page."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from ynab_sandbox import serve

from tests.support import browser
from tests.support.dagster import DAGSTER, Dagster, await_, processes, running
from tests.support.meltano_project import MELTANO, Project, project_of
from tests.support.receiver import Receiver, receive
from tests.support.rows import BUDGET_STREAMS
from tests.support.small import small_sandbox
from tests.support.tenants import pipeline, set_values, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page
    from ynab_sandbox import Sandbox

OWN, ADA, BEN = ".env", "ada", "ben"
TOKENS = {
    OWN: "own-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8Z",
    ADA: "ada-x1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8ZqJb4n",
    BEN: "ben-R6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8ZqJb4nQx1V",
}
#: In the URL of the service that gets messages.
SECRET = "ahW4phei"  # noqa: S105 opens nothing
#: What a person may have in the shell from which Dagster is started: nothing for any account.
OTHERS = {
    "YNAB_PERSONAL_ACCESS_TOKEN": "another-token",
    "TAP_YNAB_BUDGET_IDS": "00000000-0000-0000-0000-000000000000",
    "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "elsewhere",
}
#: Milliseconds for what takes seconds on a machine with nothing else to do.
LIMIT = 600_000

pytestmark = pytest.mark.slow


@dataclass
class Household:
    """A project with Dagster, and what is around it."""

    project: Project
    dagster: Dagster
    receiver: Receiver
    #: The account of `.env`.
    account: Sandbox
    #: Accounts of those that become tenants, each with its URL.
    others: dict[str, tuple[Sandbox, str]]
    #: Those of the tenants' roles.
    passwords: list[str] = field(default_factory=list)

    def add(self, name: str) -> Sandbox:
        """Add a tenant, and wait until Dagster has seen it."""
        account, url = self.others[name]
        if name in self.dagster.accounts():
            return account
        added = pipeline(self.project, "tenants", "add", name, stdin=f"{TOKENS[name]}\n")
        assert added.returncode == 0, added.stderr
        set_values(self.project, name, TAP_YNAB_API_URL=url)
        self.passwords.append(values(self.project, name)["TARGET_POSTGRES_PASSWORD"])
        await_(lambda: name in self.dagster.accounts())
        return account

    def due(self) -> list[str]:
        """The accounts that the schedule of `sync` finds due, at the times at which it looks."""
        first = datetime(2026, 11, 21, 4).astimezone()
        times = [(first + timedelta(minutes=minute)).timestamp() for minute in range(0, 30, 5)]
        return [each for at in times for each in self.dagster.due("sync_every_4_hours", at)]


@pytest.fixture(scope="module")
def household(
    installed: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Household]:
    for program in (MELTANO, DAGSTER):
        installed(program)
    with ExitStack() as stack:
        receiver = stack.enter_context(receive())
        own, *others = (small_sandbox() for _ in TOKENS)
        for account, token in zip((own, *others), TOKENS.values(), strict=True):
            account.set_token(token)
        served = {
            name: (each, stack.enter_context(serve(each)))
            for name, each in zip((ADA, BEN), others, strict=True)
        }
        folder = tmp_path_factory.mktemp("household")
        project = stack.enter_context(project_of(own, folder, TOKENS[OWN]))
        with (folder / ".env").open("a") as file:
            file.write(f"YNAB_PIPELINE_NOTIFY='{receiver.notify(SECRET)}'\n")
        dagster = stack.enter_context(running(project, **OTHERS))
        found = Household(project, dagster, receiver, own, served)
        yield found
        secrets = [*TOKENS.values(), SECRET, *OTHERS.values(), *found.passwords]
        for path in (folder / ".data/dagster").rglob("*"):
            if path.is_file():
                assert not [each for each in secrets if each.encode() in path.read_bytes()], path


@pytest.fixture
def page(household: Household) -> Iterator[Page]:
    with browser.started() as chromium:
        page = chromium.new_page(base_url=household.dagster.url)
        page.set_default_timeout(LIMIT)
        yield page


def test_a_person_syncs_from_the_page(household: Household, page: Page) -> None:
    dagster, requested = household.dagster, list[str]()
    page.on("request", lambda request: requested.append(request.url))
    page.goto("/jobs")
    for job in ("sync", "reconcile"):
        expect(page.get_by_role("link", name=job)).to_be_visible(timeout=LIMIT)
    page.get_by_role("link", name="sync").click()
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_role("button", name="Launch").click()
    await_(dagster.runs)
    (run,) = dagster.runs()
    page.goto(f"/runs/{run}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=LIMIT)
    expect(page.get_by_text("Synced 2 budgets: ").first).to_be_visible(timeout=LIMIT)
    assert all(url.startswith((dagster.url, "data:", "blob:")) for url in requested), requested

    assert dagster.steps(run) == {"tables": "SUCCESS", "report": "SUCCESS"}
    database = household.project.database(".data/postgres")
    loaded = sum(len(database.query(f"table ynab.{name}")) for name in BUDGET_STREAMS)
    assert dagster.numbers(run) == {"budgets": 2, "rows": loaded, "requests": 11}
    assert (household.project.folder / "output/budget.html").exists()


def test_a_step_that_fails_is_told_of_once_and_run_again(household: Household) -> None:
    dagster = household.dagster
    output = household.project.folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.touch()  # no folder
    failed = dagster.launch("sync", OWN)
    assert dagster.ended(failed) == "FAILURE"
    assert dagster.steps(failed) == {"tables": "SUCCESS", "report": "FAILURE"}
    await_(lambda: household.receiver.messages)
    (message,) = household.receiver.messages
    title, reason, _ = message.split("\n")
    assert title == "tap-ynab, .env: report failed"
    assert reason in dagster.failure(failed)

    assert dagster.ended(dagster.again(failed)) == "FAILURE"
    output.unlink()
    fixed = dagster.again(failed)
    assert dagster.ended(fixed) == "SUCCESS"
    assert dagster.steps(fixed) == {"report": "SUCCESS"}

    # ynab-pipeline run tells of a sync itself.
    household.account.set_token(TOKENS[OWN], "401")
    failed = dagster.launch("sync", OWN)
    assert dagster.ended(failed) == "FAILURE"
    household.account.set_token(TOKENS[OWN])
    assert dagster.steps(failed)["tables"] == "FAILURE"
    assert "sync failed: YNAB does not accept the token" in dagster.failure(failed)
    await_(lambda: any("ynab-pipeline run has told" in why for why in dagster.alerts_skipped()))
    titles = [each.partition("\n")[0] for each in household.receiver.messages]
    assert titles == [title, "tap-ynab, local: sync failed"]


def test_accounts_take_turns_and_a_canceled_run_ends(household: Household) -> None:
    """Two runs at a time, and one for each account; the others wait."""
    dagster = household.dagster
    accounts = {OWN: household.account, ADA: household.add(ADA), BEN: household.add(BEN)}
    for name in (OWN, ADA):
        accounts[name].fail("stall", path="/plans")
    own, ada = (dagster.launch("sync", name) for name in (OWN, ADA))
    for run in (own, ada):
        dagster.await_line(run, "database: ynab")
    next_own, ben = (dagster.launch("sync", name) for name in (OWN, BEN))
    assert household.due() == []
    dagster.cancel(ada)
    assert dagster.ended(ada) == "CANCELED"
    assert dagster.log(ada)[-1].startswith("sync has ended after SIGTERM. Nothing is lost")
    # The older one of the same account still waits, although there was room.
    await_(lambda: dagster.status(ben) != "QUEUED")
    assert dagster.status(next_own) == "QUEUED"
    for run in (next_own, own):
        dagster.cancel(run)
        assert dagster.ended(run) == "CANCELED"
    assert dagster.ended(ben) == "SUCCESS"
    commands = [" ".join(process.cmdline()) for process in processes(household.project)]
    assert not [each for each in commands if "venv/bin/" in each], commands
    assert sorted(household.due()) == [OWN, ADA, BEN]


def test_a_tenant_has_all_that_follows_a_sync_and_goes(household: Household) -> None:
    account = household.add(ADA)
    run = household.dagster.launch("reconcile", ADA)
    assert household.dagster.ended(run) == "SUCCESS", household.dagster.log(run)
    assert household.dagster.steps(run) == dict.fromkeys(("tables", "views", "report"), "SUCCESS")
    database = household.project.database(".data/postgres")
    payees = database.query("select distinct budget_name from budget_ada.entries")
    assert {row["budget_name"] for row in payees} == {budget.name for budget in account.budgets}
    assert (household.project.folder / "output/ada/budget.html").exists()
    (household.project.folder / "tenants/ada.env").unlink()
    await_(lambda: ADA not in household.dagster.accounts())


def test_schedules_are_those_of_meltano_and_off(
    household: Household, meltano: dict[str, Any]
) -> None:
    assert household.dagster.schedules() == {
        schedule["name"].replace("-", "_"): (
            schedule["interval"].replace("0 ", "0,5,10,15,20,25 ", 1),
            "STOPPED",
        )
        for schedule in meltano["schedules"]
    }


def test_an_account_that_is_none(household: Household) -> None:
    """A person can add a partition on the page, and give it any name."""
    run = household.dagster.launch("sync", "../../etc/ada")
    assert household.dagster.ended(run) == "FAILURE"
    assert "There is no account ../../etc/ada" in household.dagster.failure(run)
