
// ---- label by label: a bar for one model, marks for the others ----
const FIRST_LABELS = 18;
let allLabels = false;
function paintLabels() {
  const measured = $("measure").value, order = $("order").value, chosen = MODELS[$("bars").value] ?? DONE[0];
  const table = chosen.best.per_label ?? {};
  const models = shown().filter((model) => model.best.per_label);
  const labels = Object.keys(table);
  const by = { gold: (a, b) => table[b].gold - table[a].gold, worst: (a, b) => (table[a][measured] ?? 2) - (table[b][measured] ?? 2), name: (a, b) => (a < b ? -1 : 1) };
  labels.sort(by[order]);
  const drawn = allLabels ? labels : labels.slice(0, FIRST_LABELS);
  // Where all are high the scale begins at the tens below them, so that they can be told apart.
  const lowest = Math.min(...models.flatMap((model) => drawn.map((label) => model.best.per_label[label]?.[measured])).filter(isNumber));
  const start = lowest >= 0.5 ? Math.floor(10 * Math.min(lowest, 0.99)) / 10 : 0, place = (score) => (100 * (score - start)) / (1 - start);
  find("#labels .about").textContent = `The scale goes from ${Math.round(100 * start)} to 100 %. The bar is the chosen model, the marks are the others.` + (data.browser ? " A label shows its errors below." : "");
  const rows = drawn.map((label) => {
    const value = table[label][measured];
    const track = html("span", { class: "track" }, html("span", { class: "bar", style: `${colour(chosen.i)}; width: ${isNumber(value) ? Math.max(0, place(value)) : 0}%` }));
    for (const model of models) {
      const other = model.best.per_label[label]?.[measured];
      if (model !== chosen && isNumber(other)) track.append(html("span", { class: "tick", style: `${colour(model.i)}; left: ${place(other)}%` }));
    }
    const row = html("button", { type: "button", class: "row", "data-label": label, click: () => choose({ gold: label, wrong: chosen.i }) },
      html("span", { class: "name" }, word(label), html("small", {}, ` ${whole(table[label].gold)}`)), track, html("span", { class: "value" }, percent(value)));
    return telling(row, () => [
      html("b", {}, word(label), ` ${$("measure").selectedOptions[0].text}, ${whole(table[label].gold)} in gold`),
      ...models.map((model) => [model, model.best.per_label[label]?.[measured]]).sort((a, b) => (b[1] ?? -1) - (a[1] ?? -1))
        .map(([model, score]) => [named(model), " ", html("b", {}, percent(score))]),
    ]);
  });
  find("#labels .rows").replaceChildren(...rows);
  const more = find("#labels .more");
  more.hidden = labels.length <= FIRST_LABELS;
  more.textContent = allLabels ? "Show fewer" : `Show all ${labels.length} labels`;
}

// ---- from one score to another: robustness, and words known and unknown ----
function facets() {
  const found = [];
  const hasWords = DONE.some((model) => model.best.unknown && model.best.known);
  if (hasWords) {
    const units = DONE.find((model) => model.best.unknown)?.best.unknown.units;
    found.push({ title: "Words that training did not have", about: `from known words to the ${whole(units)} unknown ones`, from: (m) => m.best.known, to: (m) => m.best.unknown });
  }
  const told = { typos: "the test file with typing errors", "lower case": "the test file in lower case" };
  for (const what of new Set(DONE.flatMap((model) => Object.keys(model.robustness ?? {})))) {
    const name = what.replace(/^also: */, "");
    found.push({ title: name.charAt(0).toUpperCase() + name.slice(1), about: `from the test file to ${told[what] ?? "this other one"}`, from: (m) => m.best, to: (m) => m.robustness?.[what] });
  }
  return found;
}
function paintFacets() {
  find("#robust .facets").replaceChildren(...facets().map(({ title, about, from, to }) => {
    const models = shown().filter((model) => isNumber(from(model)?.score) && isNumber(to(model)?.score)).sort((a, b) => to(b).score - to(a).score);
    const scores = models.flatMap((model) => [from(model).score, to(model).score]);
    const low = Math.min(...scores), span = Math.max(...scores) - low || 1;
    const place = (score) => 3 + (94 * (score - low)) / span;
    const rows = models.map((model) => {
      const [a, b] = [from(model).score, to(model).score], [left, right] = [place(Math.min(a, b)), place(Math.max(a, b))];
      const track = html("span", { class: "track" },
        html("span", { class: "lost", style: `${colour(model.i)}; left: ${left}%; width: ${right - left}%` }),
        html("span", { class: "dot hollow", style: `${colour(model.i)}; left: ${place(a)}%` }),
        html("span", { class: "dot", style: `${colour(model.i)}; left: ${place(b)}%` }));
      const row = html("div", { class: "row", tabindex: 0 }, html("span", { class: "name" }, named(model)), track, html("span", { class: "value" }, percent(b), html("small", {}, points(b - a))));
      return telling(row, () => [named(model), `${percent(a)} → ${percent(b)} % (${points(b - a)})`, html("small", {}, to(model).interval ? `95 %: ${interval(to(model))}` : "")]);
    });
    return html("div", { class: "facet" }, html("h3", {}, word(title)), html("p", { class: "about" }, about), html("div", { class: "rows" }, ...rows));
  }));
}
