// Assigned against spent, overspent categories first; goals.

const ASSIGNED_ROWS = 12;

/** Shows assigned against spent in a period. */
function showAssigned(budget, period) {
  const rows = assignedRows(budget, period);
  const over = rows.filter(({ available }) => available < 0);
  fill("assigned-sentence", assignedSentence(budget, period, rows, over));
  byId("assigned-table").hidden = !rows.length;
  const columns = [
    ["Category", ""],
    ["Assigned", "amount wide"],
    ["Spent", "amount"],
    ["Available", "amount"],
  ];
  fill(
    "assigned-table",
    longTable(
      `Categories, overspent ones first; available at the end of ${monthName(period.last)}`,
      columns,
      rows.map((row) => assignedRow(budget, columns, row)),
      Math.max(ASSIGNED_ROWS, over.length),
    ),
  );
}

/** Returns a row for each category: overspent ones first, then those with the most spent. */
function assignedRows(budget, period) {
  const byCategory = new Map();
  eachRow(budget, "assigned", period, 5, (month, category, assigned, activity, available, credit) => {
    const row = byCategory.get(category) ?? {
      category,
      assigned: 0,
      spent: 0,
      available: 0,
      credit: 0,
    };
    byCategory.set(category, row);
    row.assigned += assigned;
    row.spent -= activity;
    if (month === period.last) Object.assign(row, { available, credit });
  });
  return [...byCategory.values()].sort(
    (one, other) =>
      Math.min(one.available, 0) - Math.min(other.available, 0) || other.spent - one.spent,
  );
}

/** Returns the categories that are overspent, in words. */
function assignedSentence(budget, period, rows, over) {
  const { money } = budget;
  if (!rows.length) return `Nothing was assigned or spent in ${period.name}.`;
  const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
  const amounts = `${money.full(sum("assigned"))} and spent ${money.full(sum("spent"))}`;
  const start = `You assigned ${amounts} in ${period.name}.`;
  const end = `at the end of ${monthName(period.last)}`;
  if (!over.length) return `${start} No category is overspent ${end}.`;
  const short = over.reduce((total, { available }) => total - available, 0);
  const credit = over.reduce((total, row) => total + row.credit, 0);
  const part = credit
    ? `, ${credit === short ? "all" : money.full(credit)} of it by credit card`
    : "";
  const are = over.length === 1 ? "1 category is" : `${over.length} categories are`;
  return `${start} ${are} overspent ${end}, by ${money.full(short)} in total${part}.`;
}

/** Returns a row of the table. */
function assignedRow(budget, columns, { category, assigned, spent, available }) {
  const { money } = budget;
  const [name, group] = budget.categories[category];
  const isOver = available < 0;
  const share = isOver ? 1 : spent / (spent + available);
  const head = make(
    "span",
    {},
    named(name),
    make("small", {}, named(budget.groups[group])),
    track(share, isOver ? "over" : "green"),
  );
  const left = make(
    "span",
    { class: isOver ? "over" : null },
    isOver ? `${money.full(-available)} over` : money.full(available),
  );
  return tableRow(columns, [head, money.full(assigned), money.full(spent), left]);
}

/** Shows the goals as they are now, the least complete first. */
function showGoals(budget) {
  const { goals, money } = budget;
  byId("goals").hidden = !goals.length;
  const done = goals.filter(({ percent: complete }) => complete >= 100).length;
  const needed = goals.reduce((sum, { underFunded }) => sum + (underFunded ?? 0), 0);
  const needs = needed
    ? ` To stay on course, they need ${money.full(needed)} this month.`
    : " None needs more this month.";
  const are = done === 1 ? "is" : "are";
  const complete = `${done} of ${count(goals.length, "goal")} ${are} complete`;
  fill("goals-sentence", `As of ${dayName(budget.asOf)}, ${complete}.${needs}`);
  fill("goals-list", ...goals.map((goal) => goalItem(budget, goal)));
}

/** Returns a goal with its progress. */
function goalItem(budget, goal) {
  const { money } = budget;
  const complete = goal.percent ?? 0;
  const parts = [];
  if (goal.target) parts.push(`of ${money.full(goal.target)}`);
  if (goal.day !== null) parts.push(`by ${dayName(goal.day)}`);
  if (goal.underFunded) parts.push(`\u2013 needs ${money.full(goal.underFunded)} this month`);
  return make(
    "li",
    {},
    make("div", {}, named(categoryName(budget, goal.category)), make("span", {}, `${complete}%`)),
    track(complete / 100, "green"),
    make("small", { class: "quiet" }, parts.join(" ")),
  );
}
