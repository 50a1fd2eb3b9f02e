// The footer: how fresh the data is by the reader's clock, and whether balances agree.

/** Shows freshness and reconciliation; the footer is red if either is wrong, and so is its line. */
function showTrust(report, budget) {
  const now = Date.now() / 1000;
  const [isWrong, status] = freshness(report, budget, now);
  const differing = budget.accounts.filter(({ agrees }) => !agrees);
  const footer = byId("trust");
  footer.classList.toggle("wrong", isWrong || differing.length > 0);
  byId("warning").hidden = !isWrong;
  byId("warning").firstElementChild.textContent = status;
  fill("made", origin(report, now));
  fill(
    "trust-body",
    make("p", { class: isWrong ? "status over" : "status" }, status),
    failure(report, budget),
    make("p", { class: differing.length ? "over" : null }, agreement(budget, differing)),
    behind("Accounts", () => accountsTable(budget)),
    behind("Streams", () => streamsTable(budget, now)),
  );
}

/** Returns when the file was made, and what it holds, in words. */
function origin({ madeAt, redacted }, now) {
  const day = dayName(Math.floor(madeAt / 86_400));
  const when = `${day}, ${ago(madeAt, now)}`;
  const made = `This file was made on ${when}. It loads nothing from the network.`;
  return redacted ? `${made} Names and amounts are invented.` : made;
}

/** Returns whether the data is old or its last sync failed, and that in words. */
function freshness(report, budget, now) {
  const successes = budget.streams.map(([, , , success]) => success).filter((at) => at !== null);
  if (!successes.length) return [true, "This budget was never synced in full."];
  const last = Math.max(...successes);
  const isOld = now - last > report.staleAfter * 3600;
  const isPart = budget.streams.some(([, status]) => status === "incomplete");
  if (hasFailed(report, budget))
    return [true, `The last sync failed. These figures are from ${ago(last, now)}.`];
  if (isOld)
    return [true, `The last sync was ${ago(last, now)}: these figures may be out of date.`];
  if (isPart)
    return [
      false,
      `Synced ${ago(last, now)}; the next sync reads what YNAB's hourly limit has left.`,
    ];
  return [false, `Fresh: synced ${ago(last, now)}.`];
}

/** Tells whether the last run failed for the budget, or before it came to any. */
function hasFailed({ lastRun }, { streams }) {
  const latest = Math.max(...streams.map(([, , run]) => run));
  return (
    streams.some(([, status]) => status === "failed") ||
    (lastRun.status === "failed" && lastRun.startedAt > latest)
  );
}

/** Returns the error of the last sync if it failed, or null. */
function failure(report, budget) {
  if (!budget.streams.length || !hasFailed(report, budget)) return null;
  return make(
    "p",
    { class: "over" },
    named(budget.syncError ?? report.lastRun.errors ?? "There is no message."),
  );
}

/** Returns how many accounts agree with their transactions, in words. */
function agreement(budget, differing) {
  const all = budget.accounts.length;
  if (!all) return "There are no accounts.";
  if (!differing.length) {
    return all === 1
      ? "The balance of the account agrees with its transactions."
      : `The balances of all ${all} accounts agree with their transactions.`;
  }
  const some = `${differing.length} of ${count(all, "account")}`;
  return `The balances of ${some} do not agree with their transactions.`;
}

/** Returns the table of the accounts' reconciliation. */
function accountsTable(budget) {
  const { money } = budget;
  const columns = [
    ["Account", ""],
    ["Balance", "amount"],
    ["Difference", "amount"],
    ["Uncleared", "amount wide"],
    ["Reconciled", "amount"],
  ];
  return table(
    "Balances against the sum of transactions",
    columns,
    budget.accounts.map((account) => [
      named(account.name),
      money.full(account.balance),
      account.agrees
        ? "none"
        : make(
            "span",
            { class: "over" },
            money.signed(account.difference || account.clearedDifference),
          ),
      String(account.uncleared),
      account.reconciled === null ? "never" : dayName(account.reconciled),
    ]),
  );
}

/** Returns the table of the streams' last syncs. */
function streamsTable(budget, now) {
  const columns = [
    ["Stream", ""],
    ["Last run", ""],
    ["Last success", "amount"],
  ];
  return table(
    "Last sync of each stream",
    columns,
    budget.streams.map(([stream, status, , success]) => [
      stream,
      status,
      success === null ? "never" : ago(success, now),
    ]),
  );
}
