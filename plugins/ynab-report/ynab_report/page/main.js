// Reads the data, offers budgets and periods, and shows what is chosen.

const DEFAULT_PERIOD = "12-months";
const report = JSON.parse(byId("data").textContent);
const budgets = report.budgets.map(unpack);

/** Offers choices in a select element, and keeps the one that was chosen if it is still there. */
function offer(select, choices, fallback) {
  const chosen = select.value || fallback;
  select.replaceChildren(...choices.map(([value, text]) => make("option", { value }, text)));
  select.value = choices.some(([value]) => value === chosen) ? chosen : fallback;
}

/** Shows the chosen budget in the chosen period. */
function show() {
  const budget = budgets[Number(byId("budget").value)];
  const periods = periodsOf(budget);
  offer(
    byId("period"),
    periods.map(({ key, label }) => [key, label]),
    DEFAULT_PERIOD,
  );
  const period = periods.find(({ key }) => key === byId("period").value);
  document.title = `${budget.name} \u2013 budget report`;
  showWorth(budget, period);
  showFlow(budget, period);
  showSpending(budget, period);
  showAssigned(budget, period);
  showGoals(budget);
  showAge(budget, period);
  showAhead(budget);
  showLedger(budget, period);
  showPayees(budget);
  showTrust(report, budget);
}

/** Shows what was just chosen. */
function choose() {
  closeRows();
  show();
}

/** Draws all charts in the colors of print, or of the screen again. */
function redraw(isPrinting) {
  document.documentElement.classList.toggle("printing", isPrinting);
  show();
}

/** Shows the first budget, and follows the reader. */
function begin() {
  byId("main").hidden = false;
  if (!budgets.length) {
    fill(
      "main",
      make(
        "p",
        { class: "hero lede" },
        "There is no budget in the database yet. After the first sync, make this report again.",
      ),
    );
    return;
  }
  byId("trust").hidden = false;
  offer(
    byId("budget"),
    budgets.map(({ name }, n) => [String(n), name]),
    "0",
  );
  for (const id of ["budget", "period"]) byId(id).addEventListener("change", choose);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  addEventListener("beforeprint", () => redraw(true));
  addEventListener("afterprint", () => redraw(false));
  show();
}

begin();
