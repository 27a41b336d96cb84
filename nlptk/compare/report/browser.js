
// ---- errors: sentences by who has what wrong ----
const PAGE = 20;
const browser = data.browser;
const byLabels = data.task !== "segmenters";
let matching = [], more = PAGE;
/** Whether a unit's wrong answers [[answer, models]] are what the filters ask for. */
function asked(row, [unit, wrong], filter) {
  if (filter.right !== null && wrong.some(([, models]) => models.includes(filter.right))) return false;
  if (byLabels && filter.gold !== "" && browser.types[row[1][unit]] !== filter.gold) return false;
  return wrong.some(([answer, models]) => (filter.wrong === null || models.includes(filter.wrong)) && (filter.answer === "" || browser.types[answer] === filter.answer));
}
function search() {
  const number = (id) => ($(id).value === "" ? null : Number($(id).value));
  const filter = { wrong: number("wrong"), right: number("right"), gold: $("gold").value, answer: $("answer").value };
  const text = $("search").value.trim().toLowerCase();
  matching = [];
  let units = 0;
  browser.rows.forEach((row, k) => {
    if (text && !texts[k].includes(text)) return;
    const found = new Set(row[2].filter((one) => asked(row, one, filter)));
    if (!found.size) return;
    units += found.size;
    matching.push([row, found]);
  });
  more = PAGE;
  $("found").textContent = matching.length
    ? `${many(units, "errors")} in ${many(matching.length, UNIT)}` + (matching.length < browser.rows.length ? ` of ${whole(browser.rows.length)}` : "")
    : `No ${UNIT.slice(0, -1)} has such errors.`;
  if (data.erring_sentences > browser.rows.length) $("found").textContent += ` (Of ${many(data.erring_sentences, UNIT)} with errors the first ${whole(browser.rows.length)} are here.)`;
  paintConfusions(filter);
  paintSentences();
}
const goldOf = (row, unit) => (byLabels ? browser.types[row[1][unit]] : row[0][unit]);
function paintConfusions(filter) {
  const counts = new Map();
  for (const [row, found] of matching) for (const [unit, wrong] of found) for (const [answer, models] of wrong) {
    const of = filter.wrong === null ? models.length : models.includes(filter.wrong) ? 1 : 0;
    if (!of) continue;
    const key = JSON.stringify([goldOf(row, unit), browser.types[answer]]);
    counts.set(key, (counts.get(key) ?? 0) + of);
  }
  const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10);
  $("confusions").replaceChildren(...top.map(([key, count]) => {
    const [gold, answer] = JSON.parse(key);
    const go = () => (byLabels ? choose({ gold, answer }, true) : choose({ text: gold }, true));
    return html("li", {}, html("button", { type: "button", click: go }, word(gold), " → ", word(answer || "nothing"), html("small", {}, ` ${whole(count)}`)));
  }));
}
function paintSentences() {
  $("sentences").replaceChildren(...matching.slice(0, more).map(sentence));
  const button = find("#errors .more"), left = matching.length - more;
  button.hidden = left <= 0;
  button.textContent = `Show ${Math.min(left, PAGE)} more of ${whole(left)}`;
}
function sentence([row, found]) {
  const [words, gold, errors] = row, wrongAt = new Map(errors.map((one) => [one[0], one]));
  const inText = words.map((one, k) => {
    const error = wrongAt.get(k), tag = byLabels && data.task !== "classifiers" ? browser.answers[gold[k]] : "";
    const label = tag && tag !== "O" ? [html("span", { class: "tag" }, word(tag))] : [];
    return html("span", { class: error ? (found.has(error) ? "word wrong" : "word wrong other") : "word" }, word(one), ...label);
  });
  const told = errors.map((error) => {
    const [unit, wrong] = error, wrongs = new Set(wrong.flatMap(([, models]) => models));
    const rights = browser.models.filter((i) => !wrongs.has(i));
    const group = (name, answer, ...who) => html("span", { class: name }, html("b", {}, word(answer || "nothing")), ...who);
    const list = (models) => models.map((i) => named(MODELS[i]));
    const of = data.task === "classifiers" ? [] : [html("b", { class: "unit" }, word(words[unit]))];
    return html("li", { class: found.has(error) ? null : "other" }, ...of,
      ...wrong.map(([answer, models]) => group("answer bad", browser.answers[answer], ...list(models))),
      group("answer good", byLabels ? browser.answers[gold[unit]] : words[unit], ...(rights.length > 3 ? [" all others"] : rights.length ? list(rights) : [" none"])));
  });
  return html("li", {}, html("p", { class: `text ${data.task}` }, ...inText), html("ul", {}, ...told));
}
/** Sets the filters and goes to what they find; `keep` leaves those not named as they are. */
function choose({ wrong, right, gold, answer, text }, keep = false) {
  if (!browser) return;
  if (!keep) $("filters").reset();
  for (const [id, value] of Object.entries({ wrong, right, gold, answer, search: text })) if (value !== undefined) $(id).value = value;
  search();
  $("errors").scrollIntoView();
}
const texts = browser?.rows.map(([words]) => words.join(data.lang === "zh" ? "" : " ").toLowerCase());
function startBrowser() {
  if (!browser || !browser.rows.length) {
    for (const one of document.querySelectorAll("#errors > :not(h2, #found)")) one.hidden = true;
    $("found").textContent = browser ? `No model has an error to show.` : `The ${UNIT} were left out of this report on purpose (--without-texts): their corpus may not be passed on.`;
    return;
  }
  const models = browser.models.map((i) => [i, MODELS[i].name]);
  options("wrong", [["", "any model"], ...models], "");
  options("right", [["", "any or none"], ...models], "");
  const types = [...new Set(browser.types)].sort(), count = (rows) => rows.map((type) => [type, type]);
  options("gold", [["", "any"], ...(byLabels ? count(types) : [])], "");
  options("answer", [["", "any"], ...(byLabels ? count(types) : [])], "");
  document.querySelectorAll(".of-labels").forEach((one) => { one.hidden = !byLabels; });
  $("filters").addEventListener("input", search);
  $("clear").addEventListener("click", () => { $("filters").reset(); search(); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  find("#errors .more").addEventListener("click", () => { more += PAGE; paintSentences(); });
  search();
}

// ---- all of it ----
function paintFigures() {
  redraw();
  if (!$("labels").hidden) paintLabels();
  paintFacets();
}
function start() {
  paintHead();
  paintFoot();
  paintNumbers();
  paintDifferences();
  paintDisagreements();
  paintCells();
  const has = (part) => DONE.some(part);
  $("frontier").hidden = !COSTS.length;
  $("numbers").hidden = $("errors").hidden = !DONE.length;
  $("curves").hidden = new Set(DONE.flatMap((model) => (model.curve ?? []).map((point) => point.size))).size < 2;
  $("labels").hidden = !has((model) => Object.keys(model.best.per_label ?? {}).length);
  $("lengths").hidden = !has((model) => model.best.by_length?.length);
  $("robust").hidden = !facets().length;
  for (const [pair, apart] of [[["frontier", "curves"]], [["labels", "lengths"]], [["differences", "disagreements"], DONE.length > 6]]) {
    const alone = apart || pair.some((id) => $(id).hidden);
    pair.forEach((id) => $(id).classList.toggle("wide", alone));
  }
  find("#lengths .about").textContent = `How good each model is on short and long ${UNIT}.`;
  if (!$("frontier").hidden) {
    options("cost", COSTS.map(({ key, name }) => [key, name]), COSTS[0].key);
    $("cost").addEventListener("change", redraw);
    chart("frontier", tall, `${METRIC} of each model against its cost`, paintFrontier);
  }
  $("scale").addEventListener("change", redraw);
  if (!$("curves").hidden) chart("curves", tall, `${METRIC} by the number of training ${UNIT}`, paintCurves);
  if (!$("lengths").hidden) chart("lengths", tall, `${METRIC} by length`, paintLengths);
  if (!$("labels").hidden) {
    const models = DONE.filter((model) => model.best.per_label);
    options("bars", models.map((model) => [model.i, model.name]), models[0].i);
    for (const id of ["bars", "measure", "order"]) $(id).addEventListener("change", paintLabels);
    find("#labels .more").addEventListener("click", () => { allLabels = !allLabels; paintLabels(); });
    paintLabels();
  }
  paintFacets();
  startBrowser();
}
start();
