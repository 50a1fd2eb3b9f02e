// Days are counted from 1970-01-01; a month is 12 * year + month - 1.

const DAY = 86_400_000;
const dayNames = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const shortDayNames = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
const monthNames = new Intl.DateTimeFormat("en-GB", {
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const shortMonthNames = new Intl.DateTimeFormat("en-GB", {
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});

/** Returns the first day of a month. */
const firstDay = (month) => Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY;

/** Returns the last day of a month. */
const lastDay = (month) => firstDay(month + 1) - 1;

/** Returns the month of a day. */
function monthOf(day) {
  const date = new Date(day * DAY);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
}

/** Keeps a date on one line. */
const unbroken = (text) => text.replaceAll(" ", "\u00a0");

const dayName = (day) => unbroken(dayNames.format(day * DAY));
const shortDayName = (day) => unbroken(shortDayNames.format(day * DAY));
const monthName = (month) => monthNames.format(firstDay(month) * DAY);
const shortMonthName = (month) => shortMonthNames.format(firstDay(month) * DAY);

/** Returns labels for an axis of days: each, if they are few, else that of each month. */
function labelsOf(days) {
  if (days.at(-1) - days[0] < 100) return days.map(shortDayName);
  return days.map((day, n) =>
    n === 0 || monthOf(day) !== monthOf(days[n - 1]) ? shortMonthName(monthOf(day)) : "",
  );
}

/**
 * Returns the periods to choose from, as {key, label, name, first, last}.
 *
 * `name` and `before`, the same a year before, go on a sentence that says "in". Only a period that
 * is named by the calendar has `before`.
 */
function periodsOf(budget) {
  const now = monthOf(budget.asOf);
  const start = Math.min(budget.months.first, now);
  const year = now - (now % 12);
  const periods = [
    {
      key: "this-month",
      label: "This month",
      name: monthName(now),
      before: monthName(now - 12),
      first: now,
      last: now,
    },
    {
      key: "last-month",
      label: "Last month",
      name: monthName(now - 1),
      before: monthName(now - 13),
      first: now - 1,
      last: now - 1,
    },
    {
      key: "3-months",
      label: "Last 3 months",
      name: "the last 3 months",
      first: now - 2,
      last: now,
    },
    {
      key: "12-months",
      label: "Last 12 months",
      name: "the last 12 months",
      first: now - 11,
      last: now,
    },
    {
      key: "this-year",
      label: "This year",
      name: String(year / 12),
      before: String(year / 12 - 1),
      first: year,
      last: now,
    },
    {
      key: "last-year",
      label: "Last year",
      name: String(year / 12 - 1),
      before: String(year / 12 - 2),
      first: year - 12,
      last: year - 1,
    },
    {
      key: "all",
      label: "All time",
      name: `the time since ${monthName(start)}`,
      first: start,
      last: now,
    },
  ];
  for (let first = year - 24; first + 11 >= start; first -= 12) {
    const name = String(first / 12);
    periods.push({
      key: name,
      label: name,
      name,
      before: String(first / 12 - 1),
      first,
      last: first + 11,
    });
  }
  return periods;
}

/** Returns the months of a period. */
const monthsOf = ({ first, last }) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);

/** Returns the months by which the time to compare with is earlier: those of a year, or of more. */
const monthsBack = ({ first, last }) => Math.ceil((last - first + 1) / 12) * 12;

/** Returns a period some months earlier. */
const earlier = ({ first, last }, months) => ({ first: first - months, last: last - months });

/** Returns the same period a year before; of a period of years, the time as long before it. */
const yearBefore = (period) => earlier(period, monthsBack(period));

/** Returns how long ago a moment is, in seconds since 1970, in words. */
function ago(moment, now) {
  const minutes = Math.max(0, Math.round((now - moment) / 60));
  if (minutes < 1) return "just now";
  if (minutes < 120) return `${count(minutes, "minute")} ago`;
  if (minutes < 48 * 60) return `${count(Math.round(minutes / 60), "hour")} ago`;
  return `${count(Math.round(minutes / 1440), "day")} ago`;
}

/** Returns a number and its noun. */
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
