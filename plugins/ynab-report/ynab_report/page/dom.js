// Elements. Text from the data becomes text nodes only, never markup.

/** Returns the element with an id. */
const byId = (id) => document.getElementById(id);

/** Returns an element with attributes and children; a child may be a text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Returns a name of somebody's choice, kept from changing the direction of the text around it. */
const named = (text) => make("bdi", {}, text);

/** Puts children in place of those that an element has. */
function fill(id, ...children) {
  byId(id).replaceChildren(...children.filter((child) => child !== null));
}

/** Returns a bar that is a share of its row wide. */
function track(share, color) {
  const bar = make("i", { class: color });
  bar.style.width = `${Math.max(0, Math.min(1, share || 0)) * 100}%`;
  return make("span", { class: "track", "aria-hidden": "true" }, bar);
}

/**
 * Returns a table. A column is [heading, class]; a row is a list of cells, or an element.
 * The first cell of a row is its heading.
 */
function table(caption, columns, rows, foot = null) {
  const heads = columns.map(([text, kind]) => make("th", { scope: "col", class: kind }, text));
  const body = rows.map((row) => (Array.isArray(row) ? tableRow(columns, row) : row));
  return make(
    "table",
    {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...body),
    foot && make("tfoot", {}, tableRow(columns, foot)),
  );
}

/** Returns a row whose cells have the classes of their columns. */
function tableRow(columns, cells, attributes = {}) {
  return make(
    "tr",
    attributes,
    ...cells.map((cell, n) => {
      const kind = { class: columns[n][1] };
      return n === 0 ? make("th", { ...kind, scope: "row" }, cell) : make("td", kind, cell);
    }),
  );
}

/** Returns a table of its first rows, and a button for the others. */
function longTable(caption, columns, rows, most) {
  const shown = table(caption, columns, rows.slice(0, most));
  if (rows.length <= most) return shown;
  const more = make("button", { type: "button", class: "more" }, `Show all ${rows.length}`);
  more.addEventListener("click", () => {
    const all = table(caption, columns, rows);
    all.tabIndex = -1;
    more.parentNode.replaceChildren(all);
    all.focus();
  });
  return make("div", {}, shown, more);
}

/** Returns a part whose contents are made when it is first opened. */
function behind(title, makeContents) {
  const scroll = make("div", {
    class: "scroll",
    tabindex: "0",
    role: "region",
    "aria-label": title,
  });
  const part = make("details", {}, make("summary", {}, title), scroll);
  part.addEventListener("toggle", () => scroll.childElementCount || scroll.append(makeContents()));
  return part;
}
