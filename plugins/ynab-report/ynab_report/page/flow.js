// Income, expense and what was saved, month by month, or year by year; the age of money.

/** Shows what was earned and spent in a period. */
function showFlow(budget, period) {
  const { money } = budget;
  const bars = barsOf(budget, period);
  const income = bars.map((bar) => sumOf(budget, "income", bar));
  const expense = bars.map((bar) => sumOf(budget, "expense", bar));
  fill("flow-sentence", flowSentence(budget, period));
  const isIdle = !income.some(Boolean) && !expense.some(Boolean);
  byId("flow-chart").hidden = isIdle;
  if (isIdle) return;
  draw("flow-chart", {
    description: `Earned and spent in ${period.name}, by ${unitOf(bars).toLowerCase()}`,
    first: unitOf(bars),
    axis: bars.map(({ short }) => short),
    titles: bars.map(({ name }) => name),
    write: money.full,
    writeShort: money.short,
    series: [
      {
        name: "Saved",
        values: income.map((earned, n) => earned - expense[n]),
        color: "ink",
        kind: "line",
      },
      { name: "Earned", values: income, color: "green", kind: "bar" },
      { name: "Spent", values: expense, color: "clay", kind: "bar" },
    ],
  });
}

/** Returns what was saved, in words, and in how many months. */
function flowSentence(budget, period) {
  const { money } = budget;
  const income = sumOf(budget, "income", period);
  const expense = sumOf(budget, "expense", period);
  if (!income && !expense) return `Nothing was earned or spent in ${period.name}.`;
  const soFar = isRunning(budget, period) ? " so far" : "";
  const saved = income - expense;
  const first =
    saved >= 0
      ? `You saved ${money.full(saved)} in ${period.name}${soFar}`
      : `You spent ${money.full(-saved)} more than you earned in ${period.name}${soFar}`;
  const rate = saved > 0 && income > 0 ? `: ${percent(saved / income)} of what you earned.` : ".";
  const months = knownMonths(budget, period);
  const good = months.filter((m) => ofMonth(budget, "income", m) >= ofMonth(budget, "expense", m));
  const often =
    months.length > 1
      ? ` In ${good.length} of ${months.length} months you spent no more than you earned.`
      : "";
  return first + rate + often;
}

/** Returns the age of money in the last month of a period that has one, or null. */
function ageAt(budget, period) {
  for (let month = period.last; month >= period.first; month -= 1) {
    const age = budget.months.age[month - budget.months.first];
    if (age !== null && age !== undefined) return age;
  }
  return null;
}

/** Shows the age of money in a period. */
function showAge(budget, period) {
  const months = knownMonths(budget, period);
  const ages = months.map((month) => budget.months.age[month - budget.months.first] ?? null);
  const age = ageAt(budget, period);
  byId("age").hidden = age === null;
  if (age === null) return;
  fill("age-sentence", `Money was yours for ${count(age, "day")} before you spent it, on average.`);
  draw("age-chart", {
    description: `Age of money in ${period.name}, by month`,
    first: "Month",
    axis: months.map(shortMonthName),
    titles: months.map(monthName),
    write: (days) => count(days, "day"),
    writeShort: (days) => String(days),
    fromZero: true,
    series: [{ name: "Days", values: ages, color: "green", kind: "line" }],
  });
}
