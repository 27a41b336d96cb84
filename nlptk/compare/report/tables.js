
// ---- all numbers, sortable ----
const std = (model) => (model.best?.seeds?.scores?.length > 1 ? model.best.seeds.std : null);
const states = (model) => model.cells.map((cell) => cell.status).filter((status) => status !== "done").at(-1) ?? "not run";
const COLUMNS = [
  { name: "Model", of: (m) => m.name, cell: (m) => named(m), text: true },
  { name: "Kind", of: (m) => m.kind, tell: String, text: true },
  { name: METRIC + ", %", of: (m) => m.best?.score, cell: (m) => (m.best ? [percent(m.best.score), html("small", {}, interval(m.best))] : [html("em", {}, states(m))]), better: 1 },
  { name: "± over seeds", of: std, tell: percent },
  { name: "Known words", of: (m) => m.best?.known?.score, tell: percent, better: 1 },
  { name: "Unknown words", of: (m) => m.best?.unknown?.score, tell: percent, better: 1 },
  { name: "Tokens/s", of: (m) => m.best?.tokens_per_second, tell: rate, better: 1 },
  { name: "Latency p50", of: (m) => m.best?.latency_ms?.p50, tell: milliseconds, better: -1 },
  { name: "Latency p95", of: (m) => m.best?.latency_ms?.p95, tell: milliseconds, better: -1 },
  { name: "Training", of: (m) => m.best?.train_seconds, tell: seconds, better: -1 },
  { name: "Memory to train", of: (m) => m.best?.train_memory_bytes, tell: bytes, better: -1 },
  { name: "Memory in use", of: (m) => m.best?.memory_bytes, tell: bytes, better: -1 },
  { name: "On disk", of: (m) => m.best?.disk_bytes, tell: bytes, better: -1 },
  { name: "Loading", of: (m) => m.best?.load_seconds, tell: seconds, better: -1 },
  { name: "Energy", of: (m) => m.best?.energy_joules, tell: (v) => (isNumber(v) ? rate(v) + " J" : "—"), better: -1 },
  { name: "Learned from", of: (m) => m.best?.size, tell: whole },
].filter((column) => column.text || MODELS.some((model) => isNumber(column.of(model))));
let sorted = { column: COLUMNS.findIndex((column) => column.name === METRIC + ", %"), down: true };
if (sorted.column < 0) sorted = { column: 0, down: false };
function paintNumbers() {
  const by = COLUMNS[sorted.column], sign = sorted.down ? -1 : 1;
  const rows = [...MODELS].sort((a, b) => {
    const [x, y] = [by.of(a) ?? null, by.of(b) ?? null];
    if (x === null || y === null) return (x === null) - (y === null) || a.i - b.i;  // what is not there comes last
    return sign * (by.text ? x.localeCompare(y, "en") : x - y) || a.i - b.i;
  });
  const best = COLUMNS.map(({ of, better }) => better && Math.max(...MODELS.map(of).filter(isNumber).map((value) => better * value)));
  const head = COLUMNS.map((column, k) => html("th", { scope: "col", "aria-sort": k === sorted.column ? (sorted.down ? "descending" : "ascending") : null, class: column.text ? null : "number" },
    html("button", { type: "button", click: () => { sorted = { column: k, down: k === sorted.column ? !sorted.down : !column.text && column.better !== -1 }; paintNumbers(); find(`#numbers th:nth-child(${k + 1}) button`).focus(); } }, column.name)));
  const body = rows.map((model) => html("tr", {}, ...COLUMNS.map((column, k) => {
    const value = column.of(model), content = column.cell ? [column.cell(model)].flat() : [column.tell(value)];
    const top = column.better && MODELS.length > 1 && isNumber(value) && column.better * value === best[k];
    return html(k ? "td" : "th", { scope: k ? null : "row", title: k ? null : model.about, class: [column.text ? "" : "number", top ? "best" : ""].join(" ").trim() || null }, ...content);
  })));
  find("#numbers table").replaceChildren(html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...body));
}

// ---- matrices of pairs ----
function matrix(section, corner, cell) {
  const head = DONE.map((model) => html("th", { scope: "col" }, html("span", {}, named(model))));
  const rows = DONE.map((row) => html("tr", {}, html("th", { scope: "row" }, named(row)),
    ...DONE.map((column) => (row === column ? html("td", { class: "self" }) : cell(row, column) ?? html("td", {}, "—")))));
  find(`#${section} table`).replaceChildren(html("thead", {}, html("tr", {}, html("th", {}, corner), ...head)), html("tbody", {}, ...rows));
}
function paintDifferences() {
  const pairs = (data.differences ?? []).filter((pair) => isNumber(pair.difference));
  $("differences").hidden = DONE.length < 2 || !pairs.length;
  const significant = new Set((data.differences ?? []).filter((_, k) => data.significant[k]));
  const largest = Math.max(...pairs.map((pair) => Math.abs(pair.difference))) || 1, largestSize = Math.max(...data.sizes);
  matrix("differences", "", (row, column) => {
    const pair = pairs.find(({ a, b }) => (a === row.name && b === column.name) || (b === row.name && a === column.name));
    if (!pair) return null;
    const sign = pair.a === row.name ? 1 : -1, value = sign * pair.difference, clear = significant.has(pair);
    const share = clear ? 15 + (45 * Math.abs(value)) / largest : 0;
    const one = html("td", { class: clear ? (value > 0 ? "plus" : "minus") : "soft", style: `--share: ${share}%`, tabindex: 0 }, points(value), html("small", {}, "p " + probability(pair.p)), pair.size < largestSize ? html("small", {}, "of " + whole(pair.size)) : "");
    return telling(one, () => [
      [named(row), " less ", named(column)],
      [html("b", {}, points(value)), ` points (${(pair.interval ? [...pair.interval].map((v) => sign * v).sort((a, b) => a - b).map(points) : []).join(" to ")})`],
      `p = ${probability(pair.p)}, ${clear ? "significant" : "not significant"} with Holm's correction`,
      `${whole(pair.size)} ${UNIT} to learn from`,
    ]);
  });
}
function paintDisagreements() {
  const pairs = data.disagreements ?? [], units = data.task === "classifiers" ? "texts" : data.task === "segmenters" ? "words" : data.metric === "f1" ? "entities" : "words";
  $("disagreements").hidden = DONE.length < 2 || !pairs.length;
  find("#disagreements .about").textContent = `How many ${units} the row's model has right and the column's wrong.` + (data.browser ? " A number shows them below." : "");
  const largest = Math.max(...pairs.map((pair) => pair.units)) || 1;
  matrix("disagreements", "right \\ wrong", (row, column) => {
    const pair = pairs.find(({ right, wrong }) => right === row.name && wrong === column.name);
    if (!pair) return null;
    const value = data.browser ? html("button", { type: "button", title: `${row.name} right, ${column.name} wrong`, click: () => choose({ right: row.i, wrong: column.i }) }, whole(pair.units)) : whole(pair.units);
    return html("td", { class: "count", style: `--share: ${(60 * pair.units) / largest}%` }, value);
  });
}

// ---- every training, and what did not come of it ----
function paintCells() {
  const sizes = [...new Set(MODELS.flatMap((model) => model.cells.map((cell) => cell.size)))].sort((a, b) => a - b);
  const mean = (values) => { const there = values.filter(isNumber); return there.length ? there.reduce((a, b) => a + b) / there.length : null; };
  const rows = MODELS.map((model) => html("tr", {}, html("th", { scope: "row" }, named(model)), ...sizes.map((size) => {
    const cells = model.cells.filter((cell) => cell.size === size), bad = cells.filter((cell) => cell.status !== "done");
    if (!cells.length) return html("td", { class: "number soft" }, "—");
    const score = mean(cells.map((cell) => cell.score)), why = bad.map((cell) => cell.why ?? cell.status).join("; ");
    return html("td", { class: "number", title: why || null }, ...(score === null ? [] : [percent(score), html("small", {}, seconds(mean(cells.map((cell) => cell.train_seconds))))]),
      ...(bad.length ? [html("em", { class: bad[0].status.replace(" ", "-") }, bad[0].status + (cells.length > 1 ? ` (${bad.length} of ${cells.length})` : ""))] : []));
  })));
  find("#cells table").replaceChildren(html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "Model"), ...sizes.map((size) => html("th", { scope: "col", class: "number" }, whole(size))))), html("tbody", {}, ...rows));
  find("#cells .about").textContent = `${METRIC}, %, and time to train` + (data.seeds.length > 1 ? ` (means of ${data.seeds.length} seeds)` : "") + `, by training ${UNIT}.`;
  const reasons = new Map();
  for (const model of MODELS) for (const cell of model.cells) {
    if (cell.status === "done") continue;
    const key = JSON.stringify([model.i, cell.status, cell.why]);
    reasons.set(key, [...(reasons.get(key) ?? []), cell]);
  }
  $("reasons").replaceChildren(...[...reasons].map(([key, cells]) => {
    const [i, status, why] = JSON.parse(key), at = [...new Set(cells.map((cell) => whole(cell.size)))].join(", ");
    const of = data.seeds.length > 1 ? `, seed ${[...new Set(cells.map((cell) => cell.seed))].join(", ")}` : "";
    return html("li", {}, named(MODELS[i]), ` with ${at} ${UNIT}${of}: `, html("em", { class: status.replace(" ", "-") }, status), why ? ": " : "", word(why ?? ""));
  }));
}

// ---- head and foot ----
function paintHead() {
  const test = (data.data ?? []).find((file) => file.role === "test");
  $("counts").append([
    data.task + (data.column ? ` (${data.column})` : ""), many(MODELS.length, "models"), `up to ${many(Math.max(0, ...data.sizes), UNIT)} to learn from`,
    ...(test ? [`${many(test.sentences, UNIT)} to test on`] : []), ...(data.created ? [data.created.slice(0, 10)] : []),
  ].join(" · "));
  $("headlines").append(...data.headlines.map(({ title, model, text }) => html("li", {}, html("span", {}, title), html("b", {}, named(byName(model))), html("p", {}, text))));
  if (!DONE.length) $("headlines").append(html("li", { class: "none" }, html("b", {}, "No model has finished"), html("p", {}, "Why, stands below, under Every training.")));
  const undone = MODELS.flatMap((model) => model.cells).filter((cell) => cell.status !== "done").length;
  const warnings = [...(data.warnings ?? []), ...(undone ? [`${many(undone, "trainings")} failed or ${undone === 1 ? "was" : "were"} left out: why, stands below.`] : [])];
  $("warnings").hidden = !warnings.length;
  $("warnings").append(...warnings.map((warning) => html("li", {}, word(warning))));
  $("shown").hidden = DONE.length < 2;
  $("shown").append(...DONE.map((model) => {
    const input = html("input", { type: "checkbox", checked: true });
    input.addEventListener("change", () => {
      if (input.checked) hidden.delete(model.i); else hidden.add(model.i);
      paintFigures();
    });
    return html("label", { title: model.about }, input, html("span", {}, named(model)));
  }));
}
function paintFoot() {
  const machine = data.machine ?? {}, on = Object.entries(machine.devices ?? {}).map(([what, name]) => `${what} on ${name}`), code = (text) => html("code", {}, text);
  const files = (data.data ?? []).map((file) => html("li", {}, `${file.role}: `, word(file.name), `, ${many(file.sentences, UNIT)}, ${many(file.tokens, "tokens")}`, html("br"), code(`sha256 ${file.sha256}`)));
  const entries = [
    ["Command", data.command && html("pre", { tabindex: 0 }, data.command)],
    ["Machine", [machine.cpu, machine.cores && many(machine.cores, "cores"), machine.memory_bytes && bytes(machine.memory_bytes), machine.system, machine.threads && many(machine.threads, "threads"), ...on].filter(Boolean).join(", ")],
    ["Versions", Object.entries(data.versions ?? {}).map(([name, version]) => `${name} ${version}`).join(", ") + (data.commit ? ` (commit ${data.commit})` : "")],
    ["Seeds", data.seeds.join(", ")],
    ["Data", files.length && html("ul", {}, ...files)],
    ["Given", data.checkpoints?.length && html("ul", {}, ...data.checkpoints.map((one) => html("li", {}, `--${one.option}: `, word(one.name), html("br"), code(`sha256 ${one.sha256}`))))],
    ["Made", data.created],
    ["Models", html("ul", {}, ...MODELS.map((model) => html("li", {}, named(model), ` (${model.kind}): `, word(model.about ?? ""))))],
    ["Files", data.note],
  ];
  find("#foot dl").append(...entries.filter(([, value]) => value).flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]));
}
