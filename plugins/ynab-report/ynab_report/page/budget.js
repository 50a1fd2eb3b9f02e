// A budget's compact lists, made ready to ask: what was spent, owned, assigned in a period.

/** Returns the values of a list of changes. */
function valuesOf(changes) {
  let value = 0;
  return changes.map((change) => (value += change));
}

/** Returns a budget with its lists unpacked. */
function unpack(budget) {
  return {
    ...budget,
    money: moneyOf(budget.format),
    lastMonth: budget.months.first + budget.months.income.length - 1,
    netWorth: {
      first: budget.netWorth.first,
      assets: valuesOf(budget.netWorth.assets),
      debts: valuesOf(budget.netWorth.debts),
    },
    accounts: budget.accounts.map((account) => ({ ...account, ends: valuesOf(account.ends) })),
    forecast: budget.forecast.map((ahead) => ({ ...ahead, balances: valuesOf(ahead.balances) })),
  };
}

/** Returns assets, debts and net worth at the end of a day. */
function worthOn(budget, day) {
  const { first, assets, debts } = budget.netWorth;
  const place = first === null ? -1 : Math.min(day - first, assets.length - 1);
  const [owned, owed] = place < 0 ? [0, 0] : [assets[place], debts[place]];
  return { assets: owned, debts: owed, net: owned - owed };
}

/** Returns a figure of a month, such as `income`; 0 if the budget does not have the month. */
const ofMonth = (budget, name, month) => budget.months[name][month - budget.months.first] ?? 0;

/** Returns the sum of a figure over a period. */
function sumOf(budget, name, period) {
  return monthsOf(period).reduce((sum, month) => sum + ofMonth(budget, name, month), 0);
}

/** Calls a function with the numbers of each row of a list by months. */
function eachRow(budget, name, period, width, use) {
  for (const month of monthsOf(period)) {
    const list = budget[name][month - budget.months.first] ?? [];
    for (let place = 0; place < list.length; place += width) {
      use(month, ...list.slice(place, place + width));
    }
  }
}

/** Returns the months of a period since the budget's first one. */
const knownMonths = (budget, { first, last }) =>
  monthsOf({ first: Math.max(first, budget.months.first), last });

/** Months of which a chart has a bar for each. */
const MOST_BARS = 48;

/** Returns the bars of a chart, as {first, last, name, short}: a period's months, or its years. */
function barsOf(budget, period) {
  const months = knownMonths(budget, period);
  if (months.length <= MOST_BARS) {
    return months.map((month) => ({
      first: month,
      last: month,
      name: monthName(month),
      short: shortMonthName(month),
    }));
  }
  const years = [...new Set(months.map((month) => Math.floor(month / 12)))];
  return years.map((year) => ({
    first: Math.max(12 * year, months[0]),
    last: Math.min(12 * year + 11, months.at(-1)),
    name: String(year),
    short: String(year),
  }));
}

/** Returns what the bars of a chart stand for. */
const unitOf = (bars) => (bars.every(({ first, last }) => first === last) ? "Month" : "Year");

/** Returns the last day of a period of which the budget knows. */
const endOf = (budget, period) => Math.min(lastDay(period.last), budget.asOf);

/** Tells whether a month or year goes on after the last day of which the budget knows. */
const isRunning = (budget, period) => Boolean(period.before) && lastDay(period.last) > budget.asOf;

const categoryName = (budget, place) => (place < 0 ? "" : budget.categories[place][0]);
const accountName = (budget, place) => (place < 0 ? "" : budget.accounts[place].name);
