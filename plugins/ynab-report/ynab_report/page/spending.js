// Spending by group, category and payee, against the year before. Opening a row charts it, too.

const PAYEES = 40;
const opened = new Set();
let charted = null;

/** Closes all rows, as for another budget. */
function closeRows() {
  charted = null;
  opened.clear();
}

/** Shows the table with the rows that are open, and the chart of the row opened last. */
function showSpending(budget, period) {
  const tree = spendingTree(budget, period);
  fill("spending-sentence", spendingSentence(budget, period, tree));
  for (const part of ["hint", "chart", "table"])
    byId(`spending-${part}`).hidden = !tree.children.length;
  if (!tree.children.length) return;
  drawSpending(budget, period, charted ?? tree);
  fill("spending-table", spendingTable(budget, period, tree));
}

/** Returns all spending as a tree of {key, name, spent, before, children}, the largest first. */
function spendingTree(budget, period) {
  const root = nodeOf("", "All spending");
  const add = (which) => (month, category, payee, spent) => {
    const [name, group] = budget.categories[category];
    const path = [
      [`g${group}`, budget.groups[group]],
      [`c${category}`, name],
      [`c${category}p${payee}`, budget.payees[payee]],
    ];
    let node = root;
    node[which] += spent;
    for (const [key, own] of path) {
      if (!node.byKey.has(key)) node.byKey.set(key, nodeOf(key, own));
      node = node.byKey.get(key);
      node[which] += spent;
    }
  };
  eachRow(budget, "spending", period, 3, add("spent"));
  eachRow(budget, "spending", yearBefore(period), 3, add("before"));
  return sorted(root);
}

/** Returns a node without anything below it. */
const nodeOf = (key, name) => ({ key, name, spent: 0, before: 0, byKey: new Map(), children: [] });

/** Sorts what is below a node. */
function sorted(node) {
  node.children = [...node.byKey.values()]
    .map(sorted)
    .sort((one, other) => other.spent - one.spent || other.before - one.before);
  return node;
}

/** Tells whether the data reaches back to the beginning of the year before. */
const hasBefore = (budget, period) => yearBefore(period).first >= budget.months.first;

/** Returns what was spent, in words, against the year before. */
function spendingSentence(budget, period, tree) {
  const { money } = budget;
  const soFar = isRunning(budget, period) ? " so far" : "";
  const spent = `You spent ${money.full(tree.spent)} in ${period.name}${soFar}`;
  if (!tree.children.length) return `Nothing was spent in ${period.name}.`;
  const [largest] = tree.children;
  const most = make(
    "span",
    {},
    " Most went to ",
    named(largest.name),
    `: ${money.full(largest.spent)}.`,
  );
  if (!hasBefore(budget, period)) return make("span", {}, `${spent}.`, most);
  const change = tree.spent - tree.before;
  const same = change
    ? `${money.full(Math.abs(change))} ${change < 0 ? "less" : "more"} than`
    : "as much as";
  const then = period.before ? `in ${soFar && "the whole of "}${period.before}` : "a year before";
  return make("span", {}, `${spent}, ${same} ${then}.`, most);
}

/** Draws a row of the table by month, beside the year before. */
function drawSpending(budget, period, node) {
  const { money } = budget;
  const bars = barsOf(budget, period);
  const values = bars.map((bar) => spentOn(budget, bar, node));
  const series = [{ name: node.name, values, color: "clay", kind: "bar" }];
  if (hasBefore(budget, period)) {
    const before = bars.map((bar) => spentOn(budget, earlier(bar, monthsBack(period)), node));
    series.push({ name: "A year before", values: before, color: "before", kind: "bar" });
  }
  draw("spending-chart", {
    description: `${node.name} in ${period.name}, by ${unitOf(bars).toLowerCase()}`,
    first: unitOf(bars),
    axis: bars.map(({ short }) => short),
    titles: bars.map(({ name }) => name),
    write: money.full,
    writeShort: money.short,
    series,
  });
}

/** Returns what was spent in a period on what a row of the table stands for. */
function spentOn(budget, period, { key }) {
  let sum = 0;
  eachRow(budget, "spending", period, 3, (month, category, payee, spent) => {
    const keys = [
      "",
      `g${budget.categories[category][1]}`,
      `c${category}`,
      `c${category}p${payee}`,
    ];
    if (keys.includes(key)) sum += spent;
  });
  return sum;
}

/** Returns the table of the tree, with those rows open that were opened. */
function spendingTable(budget, period, tree) {
  const columns = [
    ["", ""],
    ["Spent", "amount"],
  ];
  if (hasBefore(budget, period))
    columns.push(["Year before", "amount quiet wide"], ["Change", "amount quiet"]);
  const rows = [];
  const most = Math.max(...tree.children.map(({ spent }) => spent));
  const add = (node, level) => {
    rows.push(spendingRow(budget, period, columns, node, level, most));
    if (!opened.has(node.key)) return;
    node.children.slice(0, PAYEES).forEach((child) => add(child, level + 1));
    if (node.children.length > PAYEES) rows.push(othersRow(budget, columns, node, level + 1));
  };
  tree.children.forEach((group) => add(group, 1));
  const made = table(
    "Spending by group, category and payee",
    columns,
    rows,
    cellsOf(budget, columns, tree),
  );
  made.classList.add("tree");
  return made;
}

/** Returns a row of the tree; unless it is a payee's, a button opens it. */
function spendingRow(budget, period, columns, node, level, most) {
  const name = named(node.name);
  const isOpen = opened.has(node.key);
  const head =
    level === 3
      ? make("span", { class: "name" }, name)
      : make(
          "button",
          { type: "button", "aria-expanded": String(isOpen), "data-key": node.key },
          name,
        );
  if (level < 3) head.addEventListener("click", () => toggle(budget, period, node, level));
  const [, ...cells] = cellsOf(budget, columns, node);
  const bar = level === 3 ? null : track(node.spent / most, level === 1 ? "clay" : "before");
  return tableRow(columns, [make("span", {}, head, bar), ...cells], { class: `level-${level}` });
}

/** Returns the cells of a row of the tree. */
function cellsOf(budget, columns, { name, spent, before }) {
  const { money } = budget;
  return [name, money.full(spent), money.full(before), money.signed(spent - before)].slice(
    0,
    columns.length,
  );
}

/** Returns the row that stands for what is beyond the most that are shown. */
function othersRow(budget, columns, node, level) {
  const others = node.children.slice(PAYEES);
  const sum = (which) => others.reduce((total, other) => total + other[which], 0);
  const row = { name: `${others.length} others`, spent: sum("spent"), before: sum("before") };
  return tableRow(columns, cellsOf(budget, columns, row), { class: `level-${level}` });
}

/** Opens or closes a row, and keeps the focus on its button. */
function toggle(budget, period, node) {
  if (opened.delete(node.key)) charted = null;
  else {
    opened.add(node.key);
    charted = node;
  }
  showSpending(budget, period);
  byId("spending-table").querySelector(`[data-key="${node.key}"]`)?.focus({ preventScroll: true });
}
