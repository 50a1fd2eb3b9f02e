// Charts, drawn by Chart.js: each with a key, a description, and its figures in a table.

const charts = new Map();

/** Returns the value of a color of the style sheet. */
const colorOf = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * Draws a chart in place of the one that the element has.
 *
 * A series is {name, values, color, kind} with kind "line", "area" or "bar". `write` and
 * `writeShort` turn values into text. `axis` holds labels of the ticks, empty for none, `titles`
 * those of tooltip and table. `fromZero` has the axis begin at 0.
 */
function draw(id, chart) {
  charts.get(id)?.destroy();
  const canvas = make("canvas", { role: "img", "aria-label": chart.description });
  fill(
    id,
    keyOf(chart.series),
    make("div", { class: "canvas" }, canvas),
    behind("The figures as a table", () => tableOf(chart)),
  );
  charts.set(id, new Chart(canvas, configuration(chart)));
}

/** Returns the figures of a chart, the latest first. */
function tableOf(chart) {
  const columns = [[chart.first, ""], ...chart.series.map(({ name }) => [named(name), "amount"])];
  const rows = chart.titles.map((title, n) => [
    title,
    ...chart.series.map(({ values }) => (values[n] === null ? "" : chart.write(values[n]))),
  ]);
  return table(chart.description, columns, rows.reverse());
}

/** Returns the key: a color and a name for each series. */
function keyOf(series) {
  return make(
    "ul",
    { class: "key" },
    ...series.map(({ name, color: own }) => make("li", {}, make("i", { class: own }), named(name))),
  );
}

/** Returns what Chart.js draws. */
function configuration(chart) {
  const quiet = colorOf("quiet");
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
  return {
    data: { labels: chart.axis, datasets: chart.series.map((series) => datasetOf(series, chart)) },
    options: {
      animation: false,
      maintainAspectRatio: false,
      devicePixelRatio: Math.max(2, devicePixelRatio),
      interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: false }, tooltip: tooltipOf(chart, font) },
      scales: {
        x: {
          grid: { display: false },
          border: { color: colorOf("rule") },
          ticks: { color: quiet, font, maxRotation: 0, autoSkipPadding: 24 },
          afterBuildTicks: (scale) => {
            scale.ticks = scale.ticks.filter(({ value }) => chart.axis[value] !== "");
          },
        },
        y: {
          beginAtZero: chart.fromZero || chart.series.some(({ kind }) => kind === "bar"),
          border: { display: false },
          grid: { color: (line) => colorOf(line.tick?.value === 0 ? "before" : "rule") },
          ticks: { color: quiet, font, maxTicksLimit: 6, callback: chart.writeShort },
        },
      },
    },
  };
}

/** Returns a series as Chart.js has it. */
function datasetOf({ name, values, color: own, kind }, { series }) {
  const color = colorOf(own);
  const common = { label: name, data: values, borderColor: color };
  if (kind === "bar") {
    return {
      ...common,
      type: "bar",
      backgroundColor: color,
      borderRadius: 2,
      order: 1,
      maxBarThickness: 36,
      categoryPercentage: 0.72,
      barPercentage: 0.9,
    };
  }
  const hasPoints =
    values.length === 1 || (values.length < 40 && series.some((other) => other.kind === "bar"));
  const line = {
    ...common,
    type: "line",
    borderWidth: 2,
    borderJoinStyle: "round",
    order: 0,
    pointRadius: hasPoints ? 3 : 0,
    pointHitRadius: 12,
    pointBackgroundColor: color,
  };
  if (kind === "area") {
    return {
      ...line,
      borderWidth: 1,
      fill: "origin",
      backgroundColor: colorOf(`${own}-wash`),
      order: 1,
    };
  }
  return line;
}

/** Returns the look of the tooltip. */
function tooltipOf(chart, font) {
  return {
    backgroundColor: colorOf("ink"),
    titleColor: colorOf("paper"),
    bodyColor: colorOf("paper"),
    titleFont: font,
    bodyFont: font,
    padding: 10,
    cornerRadius: 4,
    boxWidth: 10,
    boxHeight: 2,
    callbacks: {
      title: (items) => chart.titles[items[0].dataIndex],
      label: (item) => ` ${item.dataset.label}: ${chart.write(item.raw)}`,
    },
  };
}
