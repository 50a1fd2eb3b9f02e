// Largest transactions of a period; payees that are likely the same.

const LARGEST_ROWS = 10;

/** Shows the largest transactions of a period. */
function showLedger(budget, period) {
  const first = firstDay(period.first);
  const last = lastDay(period.last);
  const within = budget.largest.filter(([day]) => day >= first && day <= last);
  const largest = (sign) =>
    within
      .filter((row) => sign * row[4] > 0)
      .sort((one, other) => Math.abs(other[4]) - Math.abs(one[4]))
      .slice(0, LARGEST_ROWS);
  const out = largest(-1);
  const come = largest(1);
  fill("ledger-sentence", ledgerSentence(budget, period, out));
  fill(
    "ledger-tables",
    ...[
      ["Out", out],
      ["In", come],
    ]
      .filter(([, rows]) => rows.length)
      .map(([caption, rows]) =>
        longTable(
          caption,
          LEDGER_COLUMNS,
          rows.map((row) => ledgerRow(budget, row)),
          5,
        ),
      ),
  );
}

const LEDGER_COLUMNS = [
  ["Day", "day"],
  ["Payee", ""],
  ["Amount", "amount"],
];

/** Returns the largest transaction, in words. */
function ledgerSentence(budget, period, [largest]) {
  if (!largest) return `Nothing was spent in ${period.name}.`;
  const [day, payee, , , amount] = largest;
  return make(
    "span",
    {},
    `The largest payment in ${period.name} was ${budget.money.full(-amount)} on ${dayName(day)}: `,
    named(budget.payees[payee]),
    ".",
  );
}

/** Returns a row of the largest transactions. */
function ledgerRow(budget, [day, payee, category, account, amount]) {
  const details = make(
    "small",
    {},
    named(categoryName(budget, category)),
    " \u00b7 ",
    named(accountName(budget, account)),
  );
  return [
    dayName(day),
    make("span", {}, named(budget.payees[payee]), details),
    budget.money.full(amount),
  ];
}

/** Shows payees that are likely the same. */
function showPayees(budget) {
  const columns = [
    ["Payee", ""],
    ["May be", ""],
    ["Transactions", "amount"],
  ];
  const rows = budget.duplicates.map(([payee, original, entries]) => [
    named(budget.payees[payee]),
    named(budget.payees[original]),
    String(entries),
  ]);
  byId("payees").hidden = !rows.length;
  fill("payees-table", longTable("Likely duplicates", columns, rows, 8));
}
