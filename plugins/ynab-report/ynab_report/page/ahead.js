// What is scheduled, and the balances that it leads to.

const UPCOMING_ROWS = 8;
const SOON = 30;
const SERIES = 4;

/** Shows what is coming, whatever the period. */
function showAhead(budget) {
  fill("ahead-sentence", aheadSentence(budget));
  fill("ahead-alerts", ...budget.forecast.map((ahead) => alertOf(budget, ahead)).filter(Boolean));
  const { forecast, upcoming } = budget;
  const isDrawn = forecast.length > 0 && (upcoming.length > 0 || forecast.some(rangeOf));
  byId("ahead-chart").hidden = !isDrawn;
  byId("ahead-table").hidden = !upcoming.length;
  if (isDrawn) drawAhead(budget);
  const columns = [
    ["Due", "day"],
    ["Payee", ""],
    ["Amount", "amount"],
  ];
  fill(
    "ahead-table",
    longTable(
      "Due in the next three months",
      columns,
      upcoming.map((row) => upcomingRow(budget, row)),
      UPCOMING_ROWS,
    ),
  );
}

/** Returns what the next days bring, in words. */
function aheadSentence(budget) {
  const { money, upcoming, asOf } = budget;
  if (!upcoming.length) return "Nothing is scheduled for the next three months.";
  const soon = upcoming.filter(([day, , , , transfer]) => day <= asOf + SOON && transfer < 0);
  const sum = (sign) => soon.reduce((total, row) => total + Math.max(0, sign * row[5]), 0);
  const amounts = `${money.full(sum(-1))} will go out and ${money.full(sum(1))} come in`;
  const start = `In the ${SOON} days after ${dayName(asOf)}, ${amounts}, as far as scheduled.`;
  if (budget.forecast.some(firstBelowZero)) return start;
  return `${start} No cash account falls below zero within a year.`;
}

/** Returns the place of the first day on which an account is below zero, or undefined. */
function firstBelowZero({ balances }) {
  const place = balances.findIndex((balance) => balance < 0);
  return place < 0 ? undefined : { place };
}

/** Returns a line on an account that will be below zero, or null. */
function alertOf(budget, ahead) {
  const below = firstBelowZero(ahead);
  if (!below) return null;
  const name = named(accountName(budget, ahead.account));
  const balance = budget.money.full(ahead.balances[below.place]);
  const when =
    below.place === 0
      ? "is below zero now"
      : `falls below zero on ${dayName(ahead.first + below.place)}`;
  return make("li", {}, name, ` ${when}, at ${balance}.`);
}

/** Returns the difference between the highest and the lowest of an account's projected balances. */
const rangeOf = ({ balances }) => Math.max(...balances) - Math.min(...balances);

/** Draws balances of the year ahead: of accounts that change or are below zero, those that change most. */
function drawAhead(budget) {
  const { money } = budget;
  const moving = budget.forecast.filter((ahead) => rangeOf(ahead) || firstBelowZero(ahead));
  const shown = [...(moving.length ? moving : budget.forecast)]
    .sort((one, other) => rangeOf(other) - rangeOf(one))
    .slice(0, SERIES);
  const days = shown[0].balances.map((_, n) => shown[0].first + n);
  draw("ahead-chart", {
    description: "Projected balances of cash accounts, a year ahead",
    first: "Day",
    axis: labelsOf(days),
    titles: days.map(dayName),
    write: money.full,
    writeShort: money.short,
    fromZero: true,
    series: shown.map((ahead, n) => ({
      name: accountName(budget, ahead.account),
      values: ahead.balances,
      color: `series-${n + 1}`,
      kind: "line",
    })),
  });
}

/** Returns a row of what is due. */
function upcomingRow(budget, [day, payee, category, account, transfer, amount]) {
  const where = [categoryName(budget, category), accountName(budget, account)].filter(Boolean);
  const who =
    transfer < 0
      ? named(budget.payees[payee])
      : make("span", {}, "Transfer to ", named(accountName(budget, transfer)));
  const details = make(
    "small",
    {},
    ...where.flatMap((name, n) => (n ? [" \u00b7 ", named(name)] : [named(name)])),
  );
  return [shortDayName(day), make("span", {}, who, details), budget.money.full(amount)];
}
