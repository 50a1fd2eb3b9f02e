"""The report as people see it, in headless Chromium."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.report.conftest import HOSTILE, HOSTILE_BUDGET
from tests.support import browser as browsers
from tests.support.databases import copy_of
from tests.support.reports import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page
    from project_postgres import Server

    from tests.support.pipeline import Database, Row
    from tests.support.reports import Built

HOUSEHOLD = "Our Household"
#: Soon after the sync.
NOW = "2026-11-21T13:00:00Z"
TWO_DAYS_LATER = "2026-11-23T13:00:00Z"
#: Periods that the page offers, with their first and last months.
PERIODS = {
    "this-month": ("2026-11-01", "2026-11-01"),
    "last-month": ("2026-10-01", "2026-10-01"),
    "3-months": ("2026-09-01", "2026-11-01"),
    "12-months": ("2025-12-01", "2026-11-01"),
    "this-year": ("2026-01-01", "2026-11-01"),
    "last-year": ("2025-01-01", "2025-12-01"),
    "all": ("2000-01-01", "2026-11-01"),
}
FIGURES = """
select
  (select coalesce(sum(balance), 0) from budget.net_worth
    where budget_name = %(name)s
      and date = least(as_of, %(last)s::date + interval '1 month - 1 day')) as worth,
  (select coalesce(sum(income), 0) from budget.income_vs_expense
    where budget_name = %(name)s and month between %(first)s and %(last)s) as income,
  (select coalesce(sum(expense), 0) from budget.income_vs_expense
    where budget_name = %(name)s and month between %(first)s and %(last)s) as expense
from budget.budgets where budget_name = %(name)s
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.started() as browser:
        yield browser


@dataclass
class Opened:
    """A page, and what went wrong in it."""

    page: Page
    errors: list[str]
    requests: list[str]

    def choose(self, name: str, period: str | None = None) -> None:
        """Choose a budget and a period, as a person does."""
        self.page.select_option("#budget", label=name)
        if period:
            self.page.select_option("#period", period)

    def text(self, selector: str) -> str:
        return plain(self.page.inner_text(selector))


@pytest.fixture
def open_report(browser: Browser) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def open_it(path: Path, *, width: int = 1440, scheme: Any = "light", now: str = NOW) -> Opened:
        size: Any = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        opened = Opened(page, [], [])
        page.on("console", lambda message: opened.errors.append(message.text))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.clock.set_fixed_time(now)
        page.goto(browsers.url_of(path))
        return opened

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def opened(open_report: Callable[..., Opened], report: Built) -> Opened:
    return open_report(report.path)


def plain(text: str) -> str:
    """Return a text without marks of direction, and with plain spaces and minus signs."""
    return re.sub("[\u2066-\u2069]", "", text).replace("\u00a0", " ").replace("\u2212", "-").strip()


def written(amount: Decimal, form: Row) -> str:
    """Return an amount as the budget writes it."""
    digits = 2 if form["decimal_digits"] is None else form["decimal_digits"]
    text = f"{abs(amount):,.{digits}f}"
    marks = {",": form["group_separator"] or ",", ".": form["decimal_separator"] or "."}
    number = "".join(marks.get(character, character) for character in text)
    symbol = form["currency_symbol"] or form["currency"] or ""
    if form["symbol_first"] is False:
        number = f"{number} {symbol}"
    else:
        gap = " " if len(symbol) > 1 and symbol[-1].isalpha() else ""
        number = symbol + gap + number
    return f"-{number}" if round(amount, digits) < 0 else number


def format_of(database: Database, name: str) -> Row:
    (form,) = database.query("select * from budget.budgets where budget_name = %s", name)
    return form


def figures(database: Database, name: str, first: str, last: str) -> dict[str, Decimal]:
    sql = FIGURES
    for key, value in {"name": name, "first": first, "last": last}.items():
        sql = sql.replace(f"%({key})s", "'" + value.replace("'", "''") + "'")
    (row,) = database.query(sql)
    return row


@pytest.mark.parametrize(
    "name", [HOUSEHOLD, "Ferienwohnung", "Three decimals", "Yen", "Without a format", "One day"]
)
def test_figures_follow_what_is_chosen(opened: Opened, loaded: Database, name: str) -> None:
    form = format_of(loaded, name)
    shown = set()
    for period, (first, last) in PERIODS.items():
        opened.choose(name, period)
        wanted = figures(loaded, name, first, last)
        assert opened.text("#net-worth") == written(wanted["worth"], form), period
        assert opened.text("#earned") == written(wanted["income"], form), period
        assert opened.text("#spent") == written(wanted["expense"], form), period
        saved = written(abs(wanted["income"] - wanted["expense"]), form)
        assert opened.text("#saved").partition(" (")[0] == saved, period
        shown.add(opened.text("#facts"))
    assert len(shown) > 1
    assert opened.errors == []


def table_behind(opened: Opened, chart: str) -> list[list[str]]:
    """Return the figures of a chart from the table behind it, the earliest first."""
    opened.page.locator(f"#{chart} summary").click()
    rows = opened.page.locator(f"#{chart} tbody tr")
    rows.first.wait_for()
    texts = [row.locator("th, td").all_inner_texts() for row in reversed(rows.all())]
    return [[plain(text) for text in row] for row in texts]


def test_charts_follow_the_period(opened: Opened, loaded: Database) -> None:
    form = format_of(loaded, HOUSEHOLD)
    for period in ("3-months", "last-year"):
        first, last = PERIODS[period]
        opened.choose(HOUSEHOLD, period)
        rows = loaded.query(
            "select i.month, net, i.income, expense, age_of_money as age, sum(spent) as spent "
            "from budget.income_vs_expense as i "
            "join budget.months as m using (budget_id, month) "
            "join budget.spending as s using (budget_id, month) "
            "where i.budget_name = %s and i.month between %s and %s "
            "group by 1, 2, 3, 4, 5 order by 1",
            *(HOUSEHOLD, first, last),
        )
        months = [f"{row['month']:%B %Y}" for row in rows]
        assert len(months) >= 3
        assert table_behind(opened, "flow-chart") == [
            [month, *(written(row[name], form) for name in ("net", "income", "expense"))]
            for month, row in zip(months, rows, strict=True)
        ]
        spent = [row[:2] for row in table_behind(opened, "spending-chart")]
        assert spent == [
            [month, written(row["spent"], form)] for month, row in zip(months, rows, strict=True)
        ]
        ages = [f"{row['age']} day{'s' * (row['age'] != 1)}" for row in rows]
        assert table_behind(opened, "age-chart") == [
            list(pair) for pair in zip(months, ages, strict=True)
        ]
        worth = loaded.query(
            "select date, sum(balance) as net, sum(assets) as assets, -sum(debts) as debts "
            "from budget.net_worth where budget_name = %s "
            "and date >= %s and date < %s::date + interval '1 month' group by 1 order by 1",
            *(HOUSEHOLD, first, last),
        )
        assert [row[1:] for row in table_behind(opened, "worth-chart")] == [
            [written(row[name], form) for name in ("net", "assets", "debts")] for row in worth
        ]


def rows_of(page: Page, level: int) -> dict[str, str]:
    """Return names and amounts of the rows of the spending table."""
    rows = page.locator(f"#spending-table .level-{level}").all()
    return {
        plain(row.locator("th").inner_text()): plain(row.locator("td").first.inner_text())
        for row in rows
    }


def spent_by(database: Database, column: str, rest: str = "") -> dict[str, str]:
    """Return what was spent in the last twelve months, by a column of the view."""
    form = format_of(database, HOUSEHOLD)
    rows = database.query(
        f"select {column} as name, sum(spent) as spent from budget.spending "  # noqa: S608
        f"where budget_name = %s and month between '2025-12-01' and '2026-11-01' {rest} "
        "group by 1 having sum(spent) <> 0",
        HOUSEHOLD,
    )
    return {row["name"]: written(row["spent"], form) for row in rows}


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(100):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("cannot be reached with Tab")


def test_drilling_down_with_the_keyboard(opened: Opened, loaded: Database) -> None:
    opened.choose(HOUSEHOLD)
    page = opened.page
    groups = spent_by(loaded, "category_group_name")
    groups["No group"] = groups.pop("Internal Master Category", groups.get("No group", ""))
    assert rows_of(page, 1) == {name: spent for name, spent in groups.items() if spent}
    assert rows_of(page, 2) == {}

    group = page.get_by_role("button", name="Quality of Life")
    tab_to(page, group)
    page.keyboard.press("Enter")
    categories = spent_by(loaded, "category_name", "and category_group_name = 'Quality of Life'")
    assert rows_of(page, 2) == categories
    focused = page.locator(":focus")
    assert focused.get_attribute("aria-expanded") == "true"
    assert focused.inner_text() == "Quality of Life"
    assert "Quality of Life" in opened.text("#spending-chart .key")

    category = next(iter(categories))
    tab_to(page, page.get_by_role("button", name=category))
    page.keyboard.press("Space")
    assert rows_of(page, 3) == spent_by(loaded, "payee_name", f"and category_name = '{category}'")
    page.keyboard.press("Enter")
    assert rows_of(page, 3) == {}
    assert page.locator(":focus").get_attribute("aria-expanded") == "false"


def test_against_the_year_before(opened: Opened, loaded: Database) -> None:
    form = format_of(loaded, HOUSEHOLD)
    opened.choose(HOUSEHOLD, "last-month")
    now, before = (
        figures(loaded, HOUSEHOLD, month, month)["expense"]
        for month in ("2026-10-01", "2025-10-01")
    )
    assert before
    change = written(abs(now - before), form)
    way = "more" if now > before else "less"
    wanted = f"You spent {written(now, form)} in October 2026, {change} {way} than in October 2025."
    assert opened.text("#spending-sentence").startswith(wanted)
    foot = [
        plain(cell) for cell in opened.page.locator("#spending-table tfoot td").all_inner_texts()
    ]
    sign = "+" if now > before else ""
    assert foot == [written(now, form), written(before, form), sign + written(now - before, form)]


def test_overspent_categories_come_first(opened: Opened, loaded: Database) -> None:
    opened.choose(HOUSEHOLD, "this-month")
    over = loaded.query(
        "select category_name from budget.budget_vs_actual "
        "where budget_name = %s and month = '2026-11-01' and available < 0 order by available",
        HOUSEHOLD,
    )
    names = opened.page.locator("#assigned-table tbody th bdi:first-child").all_inner_texts()
    assert over
    assert names[: len(over)] == [row["category_name"] for row in over]


def test_goals(opened: Opened, loaded: Database) -> None:
    opened.choose(HOUSEHOLD)
    goals = loaded.query(
        "select category_name as name, goal_percentage_complete as percent "
        "from budget.budget_vs_actual where budget_name = %s and month = '2026-11-01' "
        "and goal_type is not null and not is_hidden",
        HOUSEHOLD,
    )
    assert goals
    shown = opened.page.locator("#goals-list li > div").all()
    assert sorted(plain(goal.inner_text()).split("\n") for goal in shown) == sorted(
        [goal["name"], f"{goal['percent'] or 0}%"] for goal in goals
    )


def test_the_largest_transactions(opened: Opened, loaded: Database) -> None:
    form = format_of(loaded, HOUSEHOLD)
    opened.choose(HOUSEHOLD, "last-month")
    page = opened.page
    while page.locator("#ledger .more").count():
        page.locator("#ledger .more").first.click()
    for number, kinds in enumerate(("kind = 'spending' and amount < 0", "amount > 0")):
        rows = loaded.query(
            "select amount from budget.entries where budget_name = %s and month = '2026-10-01' "  # noqa: S608 -- above
            f"and kind in ('spending', 'income') and {kinds} "
            "order by abs(amount) desc limit 10",
            HOUSEHOLD,
        )
        amounts = page.locator("#ledger table").nth(number).locator("tbody td.amount")
        shown = [plain(text) for text in amounts.all_inner_texts()]
        assert shown == [written(row["amount"], form) for row in rows]


def test_what_is_below_zero_first(opened: Opened, loaded: Database) -> None:
    found = 0
    for name in (HOUSEHOLD, "Ferienwohnung", "Yen"):
        opened.choose(name)
        rows = loaded.query(
            "select account_name, date, balance from budget.cash_flow_forecast where budget_name = "
            "%s and is_first_below_zero and on_budget and account_kind = 'cash'",
            name,
        )
        form = format_of(loaded, name)
        alerts = [plain(text) for text in opened.page.locator("#ahead-alerts li").all_inner_texts()]
        assert len(alerts) == len(rows)
        for row in rows:
            found += 1
            day = f"{row['date']:%-d %b %Y}".replace("Sep ", "Sept ")
            when = f"falls below zero on {day}"
            if row["date"] == date(2026, 11, 21):
                when = "is below zero now"
            assert f"{row['account_name']} {when}, at {written(row['balance'], form)}." in alerts
    assert found


#: Opens all that can be opened, but the tables of hundreds of days.
OPEN = """() => document.querySelectorAll(
  ".tree button[aria-expanded=false], .more, #trust summary, #flow summary"
).forEach((element) => element.click())"""
#: Tells whether the page is no wider, at the latest some frames later, when charts have followed.
FITS = """(width) => new Promise((resolve) => {
  const check = (frames) => {
    const fits = document.documentElement.scrollWidth <= width;
    if (fits || !frames) resolve(fits);
    else requestAnimationFrame(() => check(frames - 1));
  };
  check(60);
})"""


def test_nothing_overflows_or_breaks(opened: Opened, report: Built) -> None:
    page = opened.page
    for name in page.locator("#budget option").all_inner_texts():
        for period in ("all", "this-month"):
            opened.choose(name, period)
            page.evaluate(OPEN)
            text = page.inner_text("body")
            assert not re.search(r"\b(?:undefined|null|NaN|Infinity|Invalid)\b", text), name
            for width in (375, 768, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate(FITS, width), (name, period, width)
    assert opened.errors == []
    assert opened.requests == [browsers.url_of(report.path)]


def test_hostile_names_are_text(opened: Opened) -> None:
    page = opened.page
    opened.choose(HOSTILE_BUDGET, "all")
    page.eval_on_selector_all("summary, .tree button", "all => all.forEach(e => e.click())")
    page.eval_on_selector_all(
        ".tree button[aria-expanded=false]", "all => all.forEach(e => e.click())"
    )
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script, main b, footer img").count() == 0
    assert page.inner_text("#name") == HOSTILE_BUDGET
    shown = set(page.locator("bdi").all_text_contents())
    assert len(shown & set(HOSTILE)) >= 5


#: Tries to reach an address, and returns the directive of the policy that has kept it from that.
TRY = """([way, url]) => new Promise((resolve) => {
  addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
  if (way === "fetch") fetch(url).catch(() => {});
  else if (way === "image") new Image().src = url;
  else document.head.append(Object.assign(document.createElement("script"), { src: url }));
})"""


def test_nothing_can_leave(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        stopped = [opened.page.evaluate(TRY, [way, url]) for way in ("fetch", "image", "script")]
        assert stopped == ["connect-src", "img-src", "script-src-elem"]
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 375)])
def test_accessibility(
    open_report: Callable[..., Opened], report: Built, scheme: str, width: int
) -> None:
    opened = open_report(report.path, scheme=scheme, width=width)
    page = opened.page
    for now in (NOW, TWO_DAYS_LATER):
        page.clock.set_fixed_time(now)
        opened.choose(HOUSEHOLD)
        for selector in ("#flow summary", "#trust summary", ".tree button", ".level-2 button"):
            page.locator(selector).first.click()
        found = Axe().run(page).response["violations"]
        assert [
            (fault["id"], [node["target"] for node in fault["nodes"]][:3])
            for fault in found
            if fault["impact"] in {"serious", "critical"}
        ] == []


def is_red(opened: Opened) -> bool:
    """Tell whether the footer's status is more red than anything else."""
    color = opened.page.locator("#trust .status").evaluate("e => getComputedStyle(e).color")
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    return red > green + 60 and red > blue + 60


def test_the_footer_when_all_is_well(opened: Opened) -> None:
    opened.choose(HOUSEHOLD)
    assert opened.text("#trust .status") == "Fresh: synced 60 minutes ago."
    assert not is_red(opened)
    assert not opened.page.is_visible("#warning")


def test_the_footer_of_an_old_report(open_report: Callable[..., Opened], report: Built) -> None:
    opened = open_report(report.path, now=TWO_DAYS_LATER)
    opened.choose(HOUSEHOLD)
    assert (
        opened.text("#trust .status")
        == "The last sync was 2 days ago: these figures may be out of date."
    )
    assert is_red(opened)
    assert opened.page.is_visible("#warning")


def test_the_footer_after_a_failure(
    open_report: Callable[..., Opened], loaded: Database, server: Server, tmp_path: Path
) -> None:
    database = copy_of(loaded, server)
    database.execute("""
      insert into ynab.syncs (id, budget_id, budget_name, started_at, finished_at, status, error,
        mode, rows, requests, streams)
      select 'failed' || id, budget_id, budget_name, '2026-11-21 12:30', '2026-11-21 12:31',
        'failed', 'YNAB is down for <b>maintenance</b>', mode, 0, 1, streams
      from ynab.syncs;
      update ynab.accounts set balance = balance + 990
      where name = 'Girokonto' and budget_id = (
        select id from ynab.budgets where name = 'Ferienwohnung');
    """)
    opened = open_report(build(database, tmp_path).path)
    opened.choose(HOUSEHOLD)
    assert (
        opened.text("#trust .status")
        == "The last sync failed. These figures are from 60 minutes ago."
    )
    assert "YNAB is down for <b>maintenance</b>" in opened.text("#trust")
    assert is_red(opened)
    opened.choose("Ferienwohnung")
    (wrong,) = opened.page.locator("#trust p.over", has_text="balances").all_inner_texts()
    assert wrong.startswith("The balances of 1 of 4 accounts do not agree")


def test_the_footer_after_a_run_that_came_to_no_budget(
    open_report: Callable[..., Opened], loaded: Database, server: Server, tmp_path: Path
) -> None:
    database = copy_of(loaded, server)
    database.execute("""
      insert into ynab.syncs (id, started_at, finished_at, status, error, mode, rows, requests)
      values ('failed', '2026-11-21 12:30', '2026-11-21 12:31', 'failed', 'No way to YNAB', 'delta',
        0, 1)
    """)
    opened = open_report(build(database, tmp_path).path)
    opened.choose(HOUSEHOLD)
    assert opened.text("#trust .status").startswith("The last sync failed.")
    assert "No way to YNAB" in opened.text("#trust")
    assert is_red(opened)


def test_the_footer_when_balances_differ(
    open_report: Callable[..., Opened], loaded: Database, server: Server, tmp_path: Path
) -> None:
    """It turns red, while the line about the sync does not. And a payment is due in half a year."""
    database = copy_of(loaded, server)
    database.execute(f"""
      update ynab.accounts set balance = balance + 990 where name = 'Girokonto';
      delete from ynab.scheduled_transactions where id not in (
        select s.id from ynab.scheduled_transactions as s
        join budget.accounts as a using (budget_id, account_id)
        where budget_name = '{HOUSEHOLD}' and account_kind = 'cash' limit 1);
      update ynab.scheduled_transactions
      set date_first = '2027-05-21', date_next = '2027-05-21', frequency = 'never';
    """)  # noqa: S608 -- a name of ours
    opened = open_report(build(database, tmp_path).path)
    opened.choose("Ferienwohnung")
    assert opened.page.locator("#trust.wrong").count() == 1
    assert opened.text("#trust .status").startswith("Fresh")
    assert not is_red(opened)
    assert opened.page.locator("#ahead canvas:visible").count() == 0
    opened.choose(HOUSEHOLD)
    assert opened.page.locator("#trust.wrong").count() == 0
    assert opened.text("#ahead-sentence").startswith("Nothing is scheduled for the next three")
    assert opened.page.locator("#ahead canvas:visible").count() == 1


def test_an_empty_budget(opened: Opened) -> None:
    opened.choose("Empty")
    assert opened.text("#worth-sentence") == "There are no transactions yet."
    assert opened.text("#ahead-sentence") == "Nothing is scheduled for the next three months."
    assert opened.page.locator("canvas:visible").count() == 0
    assert opened.errors == []


def test_an_account_without_budgets(
    open_report: Callable[..., Opened], loaded: Database, server: Server, tmp_path: Path
) -> None:
    database = copy_of(loaded, server)
    database.execute("delete from ynab.budgets")
    opened = open_report(build(database, tmp_path).path)
    assert "There is no budget in the database yet." in opened.text("#main")
    assert opened.errors == []


def test_print(open_report: Callable[..., Opened], report: Built, tmp_path: Path) -> None:
    opened = open_report(report.path, scheme="dark")
    page = opened.page
    page.evaluate("""addEventListener("beforeprint", () => {
      window.printed = document.documentElement.className;
    })""")
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert page.evaluate("window.printed") == "printing"
    assert page.evaluate("document.documentElement.className") == ""
    page.emulate_media(media="print")
    assert not page.is_visible(".bar")
    assert opened.errors == []
