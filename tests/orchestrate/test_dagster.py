"""Dagster on a project with an own account and tenants: runs, limits, messages, and the page."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from ynab_sandbox import serve

from tests.support import browser
from tests.support.dagster import (
    DAGSTER,
    Dagster,
    await_,
    let_hours_pass,
    prepare,
    processes,
    running,
)
from tests.support.meltano_project import MELTANO, Project, project_of
from tests.support.receiver import Receiver, receive
from tests.support.rows import BUDGET_STREAMS
from tests.support.small import small_sandbox
from tests.support.tenants import env_file, pipeline, set_values, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page
    from ynab_sandbox import Sandbox

OWN, ADA, BEN = ".env", "ada", "ben"
TOKENS = {
    OWN: "own-Jb4nQx1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8Z",
    ADA: "ada-x1VwR6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8ZqJb4n",
    BEN: "ben-R6yLm0KcP3sFhD9uGaEi2oTzXr7Bkt8ZqJb4nQx1V",
}
#: In the URLs of the service that gets messages.
SECRET = "ahW4phei"  # noqa: S105 opens nothing
#: What a person may have in the shell from which Dagster is started: nothing for any account.
OTHERS = {
    "YNAB_PERSONAL_ACCESS_TOKEN": "another-token",
    "TAP_YNAB_BUDGET_IDS": "00000000-0000-0000-0000-000000000000",
    "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "elsewhere",
}
#: A schedule that is due soon.
EVERY_MINUTE = """\
- name: every-minute
  interval: '* * * * *'
  job: sync
"""
#: Not a number; PostgreSQL's error quotes it.
AMOUNT = "12.345.678,90"
SPOIL = """
update ynab.transactions set subtransactions = '[{"amount": "12.345.678,90"}]'
where id = (select min(id) from ynab.transactions where subtransactions = '[]')"""
MEND = """
update ynab.transactions set subtransactions = '[]'
where subtransactions #>> '{0,amount}' = '12.345.678,90'"""
#: Milliseconds for what takes seconds on a machine with nothing else to do.
LIMIT = 240_000

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
        set_values(
            self.project, name, TAP_YNAB_API_URL=url, YNAB_PIPELINE_NOTIFY=self.messages_go_to(name)
        )
        self.passwords.append(values(self.project, name)["TARGET_POSTGRES_PASSWORD"])
        await_(lambda: name in self.dagster.accounts())
        return account

    @contextmanager
    def without_output(self) -> Iterator[None]:
        """Put a file in the place of the folder of reports, so that none can be written."""
        output = self.project.folder / "output"
        shutil.rmtree(output, ignore_errors=True)
        output.touch()
        try:
            yield
        finally:
            output.unlink()

    def messages_go_to(self, account: str) -> str:
        """The URL for messages about an account."""
        return self.receiver.notify(f"{SECRET}/{account}")

    def told(self, account: str) -> list[tuple[str, str]]:
        """Title and text of each message that this URL got in this test."""
        path = f"/{SECRET}/{account}"
        found = [body for _, requested, body in self.receiver.requests if requested == path]
        return [(body["title"], body["message"]) for body in found]

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
        folder = tmp_path_factory.mktemp("a household")
        project = stack.enter_context(project_of(own, folder, TOKENS[OWN]))
        found = Household(project, Dagster(""), receiver, own, served)
        with (folder / ".env").open("a") as file:
            file.write(f"YNAB_PIPELINE_NOTIFY='{found.messages_go_to(OWN)}'\n")
        with (folder / "meltano.yml").open("a") as file:
            file.write(EVERY_MINUTE)
        prepare(project)
        with running(project, **OTHERS) as found.dagster:
            yield found
        secrets = [*TOKENS.values(), SECRET, *OTHERS.values(), *found.passwords]
        for path in (folder / ".data/dagster").rglob("*"):
            if path.is_file():
                assert not [each for each in secrets if each.encode() in path.read_bytes()], path


@pytest.fixture(autouse=True)
def peace(household: Household) -> Iterator[None]:
    """No message before a test, and nothing after it that has others fail."""
    household.receiver.requests.clear()
    household.receiver.status = 200
    yield
    household.account.set_token(TOKENS[OWN])
    for account in (household.account, *(other for other, _ in household.others.values())):
        account.clear_faults()


@pytest.fixture
def page(household: Household) -> Iterator[Page]:
    with browser.started() as chromium:
        page = chromium.new_page(base_url=household.dagster.url)
        page.set_default_timeout(LIMIT)
        yield page


def test_a_person_syncs_from_the_page(household: Household, page: Page) -> None:
    dagster, requested = household.dagster, list[str]()
    before = set(dagster.runs())
    page.on("request", lambda request: requested.append(request.url))
    page.goto("/jobs")
    for job in ("sync", "reconcile"):
        expect(page.get_by_role("link", name=job)).to_be_visible(timeout=LIMIT)
    page.get_by_role("link", name="sync").click()
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="All", exact=True).click()
    dialog.get_by_role("button", name="Launch").click()
    await_(lambda: set(dagster.runs()) - before)
    (run,) = set(dagster.runs()) - before
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
    with household.without_output():
        failed = dagster.launch("sync", OWN)
        assert dagster.ended(failed) == "FAILURE"
        assert dagster.steps(failed) == {"tables": "SUCCESS", "report": "FAILURE"}
        assert dagster.alert(failed) == "a message was sent"
        again = dagster.again(failed)
        assert dagster.ended(again) == "FAILURE"
        assert dagster.alert(again) == "no message, since the run before failed in the same way"
    ((title, text),) = household.told(OWN)
    assert title == "tap-ynab, .env: report failed"
    assert text.splitlines()[0] in dagster.failure(failed)
    fixed = dagster.again(failed)
    assert dagster.ended(fixed) == "SUCCESS"
    assert dagster.steps(fixed) == {"report": "SUCCESS"}


def test_a_message_that_no_service_takes_comes_with_the_next_failure(household: Household) -> None:
    dagster = household.dagster
    household.receiver.status = 500
    with household.without_output():
        failed = dagster.launch("sync", OWN)
        assert dagster.alert(failed).startswith("no service took the message; ")
        household.receiver.status = 200
        again = dagster.again(failed)
        assert dagster.alert(again) == "a message was sent"
    assert [title for title, _ in household.told(OWN)] == ["tap-ynab, .env: report failed"] * 2


def test_of_runs_that_fail_together_each_is_told_of_once(household: Household) -> None:
    dagster = household.dagster
    household.add(ADA)
    with dagster.alerts_held():
        with household.without_output():
            first = dagster.launch("sync", ADA)
            assert dagster.ended(first) == "FAILURE"
        household.account.set_token(TOKENS[OWN], "401")
        second = dagster.launch("sync", OWN)
        assert dagster.ended(second) == "FAILURE"
    assert dagster.alert(first) == "a message was sent"
    # ynab-pipeline run tells of a sync itself.
    assert dagster.alert(second) == "no message, since ynab-pipeline run tells of it, once"
    assert ": YNAB does not accept the token" in dagster.failure(second)
    assert [title for title, _ in household.told(ADA)] == ["tap-ynab, ada: report failed"]
    assert [title for title, _ in household.told(OWN)] == ["tap-ynab, local: sync failed"]
    household.account.set_token(TOKENS[OWN])
    assert dagster.ended(dagster.launch("sync", OWN)) == "SUCCESS"
    assert not dagster.alerts_failed()


def test_the_page_has_history_and_says_why_a_run_failed(household: Household, page: Page) -> None:
    dagster = household.dagster
    household.account.set_token(TOKENS[OWN], "401")
    failed = dagster.launch("sync", OWN)
    assert dagster.ended(failed) == "FAILURE"
    household.account.set_token(TOKENS[OWN])
    succeeded = dagster.launch("sync", OWN)
    assert dagster.ended(succeeded) == "SUCCESS"
    page.goto("/runs")
    for run, status in ((failed, "Failure"), (succeeded, "Success")):
        row = page.locator("div").filter(has=page.get_by_role("link", name=run[:8]))
        # The innermost that also has the link at its end.
        row = row.filter(has=page.get_by_role("link", name="View", exact=True)).last
        expect(row.get_by_text(status, exact=True)).to_be_visible(timeout=LIMIT)
        expect(row.get_by_text("partition: .env")).to_be_visible(timeout=LIMIT)
    page.get_by_role("link", name=failed[:8]).click()
    expect(page.get_by_text("YNAB does not accept the token").first).to_be_visible(timeout=LIMIT)


@pytest.mark.parametrize(
    ("name", "spoil", "reason", "told"),
    [
        (BEN, lambda path: path.chmod(0o644), "holds a token and others can read it", BEN),
        # Nobody can read in it whom to tell.
        (ADA, lambda path: path.write_bytes(b"\xff\n"), "is not text in UTF-8", OWN),
    ],
    ids=["open", "garbled"],
)
def test_a_tenants_file_is_refused_and_somebody_is_told(
    household: Household, name: str, spoil: Callable[[Path], object], reason: str, told: str
) -> None:
    household.add(name)
    path = env_file(household.project, name)
    content = path.read_bytes()
    spoil(path)
    try:
        failed = household.dagster.launch("sync", name)
        assert household.dagster.ended(failed) == "FAILURE"
        assert household.dagster.alert(failed) == "a message was sent"
    finally:
        path.write_bytes(content)
        path.chmod(0o600)
    ((title, text),) = household.told(told)
    assert title == f"tap-ynab, {name}: tables failed"
    assert f"tenants/{name}.env {reason}" in text
    assert len(household.receiver.requests) == 1


def test_a_message_has_no_figure_that_dbt_logs(household: Household) -> None:
    dagster = household.dagster
    assert dagster.ended(dagster.launch("sync", OWN)) == "SUCCESS"
    database = household.project.database(".data/postgres")
    database.execute(SPOIL)
    try:
        failed = dagster.launch("reconcile", OWN, "views")
        assert dagster.ended(failed) == "FAILURE"
    finally:
        database.execute(MEND)
    assert any(AMOUNT in line for line in dagster.log(failed))
    assert dagster.alert(failed) == "a message was sent"
    ((title, text),) = household.told(OWN)
    assert title == "tap-ynab, .env: views failed"
    assert text.startswith("Failure in test ")
    assert AMOUNT not in text


def test_a_run_that_does_not_end_is_ended_and_told_of(household: Household) -> None:
    dagster = household.dagster
    household.account.fail("stall", path="/plans", times=9)  # the tap repeats its request
    run = dagster.launch("sync", OWN)
    dagster.await_line(run, "database: ynab")
    let_hours_pass(household.project, run)
    assert dagster.ended(run) == "FAILURE"
    assert dagster.alert(run) == "a message was sent"
    ((title, text),) = household.told(OWN)
    assert title == "tap-ynab, .env: sync failed"
    assert "Exceeded maximum runtime of 21600 seconds" in text
    dagster.await_line(run, "sync has ended after SIGTERM")


def test_accounts_take_turns_and_a_canceled_run_ends(household: Household) -> None:
    """Two runs at a time, and one for each account; the others wait."""
    dagster = household.dagster
    accounts = {OWN: household.account, ADA: household.add(ADA), BEN: household.add(BEN)}
    for name in (OWN, ADA):
        accounts[name].fail("stall", path="/plans", times=9)
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
    commands = processes(household.project).values()
    assert not [each for each in commands if "venv/bin/" in each], commands
    assert sorted(household.due()) == [OWN, ADA, BEN]


def test_a_tenant_has_all_that_follows_a_sync_and_goes(household: Household) -> None:
    account = household.add(ADA)
    run = household.dagster.launch("reconcile", ADA)
    assert household.dagster.ended(run) == "SUCCESS", household.dagster.log(run)
    assert household.dagster.steps(run) == dict.fromkeys(("tables", "views", "report"), "SUCCESS")
    database = household.project.database(".data/postgres")
    names = database.query("select distinct budget_name from budget_ada.entries")
    assert {row["budget_name"] for row in names} == {budget.name for budget in account.budgets}
    assert (household.project.folder / "output/ada/budget.html").exists()
    (household.project.folder / "tenants/ada.env").unlink()
    await_(lambda: ADA not in household.dagster.accounts())


def test_schedules_are_those_of_meltano_and_off(
    household: Household, meltano: dict[str, Any]
) -> None:
    wanted = {
        schedule["name"].replace("-", "_"): (
            schedule["interval"].replace("0 ", "0,5,10,15,20,25 ", 1),
            "STOPPED",
        )
        for schedule in meltano["schedules"]
    }
    assert household.dagster.schedules() == {**wanted, "every_minute": ("* * * * *", "STOPPED")}


def test_a_schedule_that_is_on_runs_each_account_by_itself(household: Household) -> None:
    dagster, accounts = household.dagster, household.dagster.accounts()
    with dagster.scheduled("every_minute"):
        await_(lambda: len(dagster.runs(schedule_name="every_minute")) >= len(accounts))
    runs = dagster.runs(schedule_name="every_minute")
    assert {dagster.ended(run) for run in runs} == {"SUCCESS"}
    for account in accounts:
        assert dagster.runs(schedule_name="every_minute", partition=account)


def test_an_unknown_account(household: Household) -> None:
    """A person can add a partition on the page, and give it any name."""
    run = household.dagster.launch("sync", "../../etc/ada")
    assert household.dagster.ended(run) == "FAILURE"
    assert "There is no account ../../etc/ada" in household.dagster.failure(run)
