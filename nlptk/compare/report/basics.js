"use strict";
const $ = (id) => document.getElementById(id);
const find = (what) => document.querySelector(what);
const data = JSON.parse($("data").textContent);
const MODELS = data.models.map((model, i) => ({ ...model, i }));
const DONE = MODELS.filter((model) => model.best).sort((a, b) => b.best.score - a.best.score);
const COLOURS = 12;
const UNIT = data.task === "classifiers" ? "texts" : "sentences";
const METRIC = data.metric === "f1" ? "F1" : data.metric;
const hidden = new Set();  // numbers of the models that figures leave out
const shown = () => DONE.filter((model) => !hidden.has(model.i));
const byName = (name) => MODELS.find((model) => model.name === name);

// ---- elements ----
function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}
const html = (name, attributes = {}, ...children) => build(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => build(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
/** Text that may be of any script, on its own. */
const word = (text) => html("bdi", {}, text);
const colour = (i) => `--c: var(--m${i % COLOURS})`;
/** A model's mark: a circle for a classical one, a square for a neural one, a triangle for a peer. */
function mark(model, x, y, r, hollow = false) {
  const paths = {
    neural: `M${x - r * 0.9} ${y - r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}z`,
    peer: `M${x} ${y - r * 1.1}L${x + r * 1.1} ${y + r * 0.9}H${x - r * 1.1}z`,
  };
  const circle = `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  return svg("path", { class: hollow ? "mark hollow" : "mark", style: colour(model.i), d: paths[model.kind] ?? circle });
}
const icon = (model) => svg("svg", { class: "icon", width: 12, height: 12, "aria-hidden": "true" }, mark(model, 6, 6, 4.5));
const named = (model) => html("span", { class: "named" }, icon(model), word(model.name));
function options(id, pairs, value) {
  $(id).replaceChildren(...pairs.map(([key, name]) => html("option", { value: key, selected: key === value }, name)));
}

// ---- numbers ----
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const told = (format) => (value) => (isNumber(value) ? format(value) : "—");
const many = (count, noun) => count.toLocaleString("en") + " " + (count === 1 ? noun.replace(/s$/, "") : noun);
const percent = told((value) => (100 * value).toFixed(2));
const points = told((value) => (value < 0 ? "−" : "+") + Math.abs(100 * value).toFixed(2));
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const rate = told((value) => compact.format(value));
const whole = (value) => (value ?? 0).toLocaleString("en");
const digits = (value) => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2))));
const seconds = told((value) => {
  if (value < 1) return digits(1000 * value) + " ms";
  if (value < 120) return value.toFixed(value < 10 ? 1 : 0) + " s";
  return value < 7200 ? Math.round(value / 60) + " min" : (value / 3600).toFixed(1) + " h";
});
const milliseconds = told((value) => digits(value) + " ms");
const bytes = told((value) => {
  const step = value < 1e6 ? [1e3, " kB"] : value < 1e9 ? [1e6, " MB"] : [1e9, " GB"];
  return digits(value / step[0]) + step[1];
});
const probability = told((value) => (value < 0.001 ? value.toPrecision(1) : value.toFixed(value < 0.1 ? 3 : 2)));
const interval = (of) => (of?.interval ? `${percent(of.interval[0])} – ${percent(of.interval[1])}` : "");

// ---- what is told of the place that is pointed at ----
function tell(event, lines) {
  const tip = $("tip");
  tip.replaceChildren(...lines.map((line) => html("div", {}, ...[line].flat())));
  tip.hidden = false;
  const box = tip.getBoundingClientRect(), room = document.documentElement.clientWidth;
  const left = event.clientX + 14 + box.width > room ? event.clientX - 14 - box.width : event.clientX + 14;
  const top = event.clientY + 14 + box.height > innerHeight ? event.clientY - 14 - box.height : event.clientY + 14;
  tip.style.left = Math.max(4, Math.min(left, room - box.width - 4)) + scrollX + "px";
  tip.style.top = Math.max(4, top) + scrollY + "px";
}
const untell = () => { $("tip").hidden = true; };
/** Lets pointer and keyboard ask what there is to say of an element. */
function telling(node, lines) {
  const ask = (event) => tell(event, lines());
  node.addEventListener("pointermove", ask);
  node.addEventListener("pointerleave", untell);
  node.addEventListener("focus", () => { const box = node.getBoundingClientRect(); ask({ clientX: box.left, clientY: box.bottom }); });
  node.addEventListener("blur", untell);
  return node;
}
addEventListener("keydown", (event) => { if (event.key === "Escape") untell(); });
