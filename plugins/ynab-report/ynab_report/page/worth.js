// Net worth: the headline, how it got there, and the accounts.

/** Shows the net worth at the end of a period. */
function showWorth(budget, period) {
  const { money } = budget;
  const end = endOf(budget, period);
  const now = worthOn(budget, end);
  const before = worthOn(budget, firstDay(period.first) - 1);
  const headline = byId("net-worth");
  headline.textContent = money.full(now.net);
  headline.classList.toggle("long", headline.textContent.length > 18);
  fill("name", named(budget.name));
  fill("worth-sentence", worthSentence(budget, period, now, before));
  showFacts(budget, period);
  const days = daysToDraw(budget, period);
  byId("worth-chart").hidden = !days.length;
  if (days.length) drawWorth(budget, days);
  fill("accounts", ...accountTables(budget, period));
}

/** Returns how the net worth changed in a period, in words. */
function worthSentence(budget, period, now, before) {
  const { money, netWorth } = budget;
  const on = `On ${dayName(endOf(budget, period))}`;
  if (netWorth.first === null) return "There are no transactions yet.";
  const change = now.net - before.net;
  const has = now.debts
    ? `${on} you owned ${money.full(now.assets)} and owed ${money.full(now.debts)}.`
    : `${on} you owned ${money.full(now.assets)} and owed nothing.`;
  if (firstDay(period.first) <= netWorth.first) return has;
  const share = before.net > 0 && change ? ` (${percent(Math.abs(change) / before.net)})` : "";
  const way = change < 0 ? "less" : "more";
  const difference = change ? `${money.full(Math.abs(change))} ${way}${share} than` : "The same as";
  return `${difference} at the end of ${monthName(period.first - 1)}. ${has}`;
}

/** Shows the figures of a period beside the headline. */
function showFacts(budget, period) {
  const { money } = budget;
  const income = sumOf(budget, "income", period);
  const expense = sumOf(budget, "expense", period);
  const rate = income > 0 ? ` (${percent((income - expense) / income)})` : "";
  const facts = [
    ["Earned", money.full(income), "earned"],
    ["Spent", money.full(expense), "spent"],
    [
      income < expense ? "Spent beyond that" : "Saved",
      money.full(Math.abs(income - expense)) + rate,
      "saved",
    ],
  ];
  const age = ageAt(budget, period);
  if (age !== null) facts.push(["Age of money", count(age, "day"), "age-now"]);
  fill(
    "facts",
    ...facts.map(([term, text, id]) =>
      make("div", {}, make("dt", {}, term), make("dd", { id }, text)),
    ),
  );
}

/** Returns the days of which the chart has points: all of up to two years, else ends of months. */
function daysToDraw(budget, period) {
  const { first } = budget.netWorth;
  if (first === null) return [];
  const start = Math.max(firstDay(period.first), first);
  const end = endOf(budget, period);
  if (end - start < 800)
    return Array.from({ length: Math.max(0, end - start + 1) }, (_, n) => start + n);
  return monthsOf({ first: monthOf(start), last: monthOf(end) }).map((m) =>
    Math.min(lastDay(m), end),
  );
}

/** Draws assets above the line, debts below it, and the net worth. */
function drawWorth(budget, days) {
  const { money } = budget;
  const worth = days.map((day) => worthOn(budget, day));
  draw("worth-chart", {
    description: `Net worth from ${dayName(days[0])} to ${dayName(days.at(-1))}`,
    first: "Day",
    axis: labelsOf(days),
    titles: days.map(dayName),
    write: money.full,
    writeShort: money.short,
    series: [
      { name: "Net worth", values: worth.map(({ net }) => net), color: "ink", kind: "line" },
      { name: "Assets", values: worth.map(({ assets }) => assets), color: "green", kind: "area" },
      { name: "Debts", values: worth.map(({ debts }) => -debts), color: "clay", kind: "area" },
    ],
  });
}

/** Returns a table of what is owned, and one of what is owed. */
function accountTables(budget, period) {
  const at = (account, month) => account.ends[month - budget.months.first] ?? 0;
  const rows = budget.accounts
    .map((account) => ({
      account,
      now: at(account, period.last),
      before: at(account, period.first - 1),
    }))
    .filter(({ account, now, before }) => now || before || !account.closed);
  const tables = [];
  const owned = rows.filter(({ now }) => now >= 0);
  const owed = rows.filter(({ now }) => now < 0);
  if (owned.length) tables.push(accountTable(budget, "What you own", owned));
  if (owed.length) tables.push(accountTable(budget, "What you owe", owed));
  return tables;
}

/** Returns a table of accounts, the largest first. */
function accountTable(budget, caption, rows) {
  const { money } = budget;
  const columns = [
    ["Account", ""],
    ["Balance", "amount"],
    ["Change", "amount quiet"],
  ];
  const sum = (which) => rows.reduce((total, row) => total + row[which], 0);
  const cells = (name, now, before) => [name, money.full(now), money.signed(now - before)];
  rows.sort((one, other) => Math.abs(other.now) - Math.abs(one.now));
  return table(
    caption,
    columns,
    rows.map(({ account, now, before }) => cells(named(account.name), now, before)),
    rows.length > 1 ? cells("Total", sum("now"), sum("before")) : null,
  );
}
