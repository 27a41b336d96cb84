
// ---- places of labels ----
const clear = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
const around = (x, y, width, height) => ({ left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 });
/** Of each point { x, y, width } the middle of its label, or null: the nearest place clear of marks and labels before it. */
function placeLabels(list, room, height = 16, radius = 8) {
  const taken = list.map(({ x, y }) => around(x, y, 2 * radius, 2 * radius));
  return list.map(({ x, y, width }) => {
    let best = null, least = Infinity;
    const look = (cx, cy, cost) => {
      if (cost >= least) return;
      const box = around(cx, cy, width, height);
      if (box.left < room.left || box.right > room.right || box.top < room.top || box.bottom > room.bottom) return;
      if (taken.some((other) => !clear(box, other))) return;
      best = [cx, cy];
      least = cost;
    };
    look(x + radius + width / 2 + 1, y, 0);
    look(x - radius - width / 2 - 1, y, 0.1);
    for (let cy = room.top + height / 2; cy <= room.bottom && least > 0.1; cy += 4) {
      for (let cx = room.left + width / 2; cx <= room.right; cx += 4) {
        const dx = Math.max(0, Math.abs(cx - x) - width / 2), dy = Math.max(0, Math.abs(cy - y) - height / 2);
        look(cx, cy, Math.hypot(dx, dy) + 0.2 * Math.abs(cy - y) + 0.1);
      }
    }
    if (best) taken.push(around(...best, width, height));
    return best;
  });
}
/** Places on a line, moved as little as it takes to be `gap` apart; less where the room is too small. */
function spread(places, gap, low, high) {
  const order = [...places.keys()].sort((a, b) => places[a] - places[b]), out = [];
  gap = Math.min(gap, (high - low) / Math.max(1, places.length - 1));
  let now = low - gap;
  for (const i of order) now = out[i] = Math.max(places[i], now + gap);
  now = high + gap;
  for (const i of order.reverse()) now = out[i] = Math.min(out[i], now - gap);
  return out;
}

// ---- scales ----
function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const first = Math.ceil(low / step), last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}
function logTicks(low, high, most, steps = [1, 2, 5]) {
  const found = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) for (const m of steps) found.push(m * 10 ** p);
  const inside = found.filter((v) => v >= low && v <= high);
  return inside.length > most ? inside.filter((v) => Math.abs(Math.log10(v) % 1) < 1e-9) : inside;
}
/** Seconds that have round names: the few of them where they are enough, else more. */
function timeTicks(low, high) {
  const few = [0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 360000], more = [...few, 0.03, 0.3, 3, 30, 180, 1800, 10800, 108000];
  const inside = (list) => list.filter((v) => v >= low && v <= high);
  return inside(few).length > 3 ? inside(few) : inside(more);
}
const logScale = (low, high, from, to) => (v) => from + (Math.log(v / low) / Math.log(high / low)) * (to - from);
const scale = (low, high, from, to) => (v) => from + ((v - low) / (high - low)) * (to - from);

const pen = document.createElement("canvas").getContext("2d");
function measure(text) {
  pen.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}
function clipped(text, width) {
  if (measure(text) <= width) return text;
  let all = [...text];
  while (all.length > 1 && measure(all.join("") + "…") > width) all = all.slice(0, -1);
  return all.join("") + "…";
}
const write = (x, y, text, anchor, name) => svg("text", { x, y, class: name, "text-anchor": anchor, dy: ".35em" }, text);

// ---- a chart: an SVG as wide as its place, that tells of the stop nearest to the pointer ----
const charts = [];
function chart(section, height, label, paint) {
  const host = find(`#${section} .chart`);
  const view = svg("svg", { tabindex: 0, role: "img", "aria-label": label });
  const cursor = svg("g", { class: "cursor" });
  let stops = [], at = -1, drawn = 0;
  host.append(view);
  function draw() {
    const width = host.clientWidth;
    if (!width) return;
    drawn = width;
    const high = typeof height === "function" ? height(width) : height;
    view.setAttribute("width", width);
    view.setAttribute("height", high);
    view.replaceChildren();
    stops = paint(view, width, high);
    view.append(cursor);
    leave();
  }
  function stop(i, event) {
    at = i;
    const { x, y, lines, sign } = stops[i], box = view.getBoundingClientRect();
    cursor.replaceChildren(...sign());
    tell(event ?? { clientX: box.left + x, clientY: box.top + y }, lines());
  }
  function leave() { at = -1; cursor.replaceChildren(); untell(); }
  view.addEventListener("pointermove", (event) => {
    const box = view.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const far = (one) => Math.hypot(one.x - x, one.column ? 0 : one.y - y);
    const best = stops.reduce((b, one, i) => (b < 0 || far(one) < far(stops[b]) ? i : b), -1);
    if (best >= 0 && far(stops[best]) < 60) stop(best, event); else leave();
  });
  view.addEventListener("pointerleave", leave);
  view.addEventListener("blur", leave);
  view.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") leave();
    if (!step || !stops.length) return;
    event.preventDefault();
    stop(at < 0 ? 0 : (at + step + stops.length) % stops.length);
  });
  new ResizeObserver(() => { if (host.clientWidth !== drawn) draw(); }).observe(host);
  charts.push(draw);
  draw();
}
const redraw = () => charts.forEach((draw) => draw());

/** Score axis with its lines, or that of errors, whose share is told in logarithms; returns its scale. */
function scoreAxis(view, frame, low, high, errors = false) {
  if (errors) {
    const least = 1e-4, share = (score) => Math.max(least, 1 - score), [few, most] = [share(high) / 1.15, share(low) * 1.15];
    const at = logScale(few, most, frame.top, frame.bottom);
    scoreLines(view, frame, logTicks(few, most, 12, [1, 1.5, 2, 3, 4, 5, 7]).map((tick) => [at(tick), 100 * tick]), "errors, % (100 − " + METRIC + ")");
    return (score) => at(share(score));
  }
  const pad = 0.06 * (high - low) || 0.01;
  const [from, to] = [Math.max(0, low - pad), Math.min(1, high + pad)];
  const y = scale(from, to, frame.bottom, frame.top);
  scoreLines(view, frame, ticks(100 * from, 100 * to, 6).map((tick) => [y(tick / 100), tick]), METRIC + ", %");
  return y;
}
function scoreLines(view, frame, lines, title) {
  for (const [at, tick] of lines) {
    view.append(svg("path", { class: "grid", d: `M${frame.left} ${at}H${frame.right}` }));
    view.append(write(frame.left - 8, at, String(Number(tick.toFixed(6))), "end", "tick"));
  }
  view.append(write(2, 8, title, "start", "title"));
}

// ---- score against cost ----
const COSTS = [
  { key: "speed", name: "tokens a second, in batches", of: (b) => b.tokens_per_second, more: true, tell: (v) => rate(v) + " tokens/s", tick: rate },
  { key: "latency", name: "latency of one, median", of: (b) => b.latency_ms?.p50, tell: milliseconds },
  { key: "training", name: "time to train", of: (b) => b.train_seconds, tell: seconds, ticks: timeTicks },
  { key: "memory", name: "memory in use", of: (b) => b.memory_bytes, tell: bytes },
  { key: "learning", name: "memory to train", of: (b) => b.train_memory_bytes, tell: bytes },
  { key: "disk", name: "size on disk", of: (b) => b.disk_bytes, tell: bytes },
  { key: "energy", name: "energy, one run over the test file", of: (b) => b.energy_joules, tell: (v) => rate(v) + " J" },
].filter((cost) => DONE.some((model) => cost.of(model.best) > 0));

function paintFrontier(view, width, height) {
  const cost = COSTS.find(({ key }) => key === $("cost").value);
  const models = shown().filter((model) => cost.of(model.best) > 0);
  if (!models.length) return [];
  const frame = { left: 44, right: width - 10, top: 24, bottom: height - 44 };
  const values = models.map((model) => cost.of(model.best));
  const [low, high] = [Math.min(...values) / 1.7, Math.max(...values) * 1.7];
  const x = cost.more ? logScale(low, high, frame.left, frame.right) : logScale(low, high, frame.right, frame.left);
  const ends = models.flatMap(({ best }) => best.interval ?? [best.score]);
  const y = scoreAxis(view, frame, Math.min(...ends), Math.max(...ends));
  for (const tick of cost.ticks?.(low, high) ?? logTicks(low, high, width / 70)) {
    view.append(svg("path", { class: "grid", d: `M${x(tick)} ${frame.top}V${frame.bottom}` }));
    view.append(write(x(tick), frame.bottom + 14, (cost.tick ?? cost.tell)(tick), "middle", "tick"));
  }
  view.append(write((frame.left + frame.right) / 2, height - 8, cost.name + " (better is to the right)", "middle", "title"));

  const places = models.map((model, k) => ({ model, x: x(values[k]), y: y(model.best.score) }));
  const front = [...places].sort((a, b) => b.x - a.x || a.y - b.y).reduce((kept, one) => (kept.length && one.y >= kept.at(-1).y ? kept : [...kept, one]), []);
  view.append(svg("path", { class: "front", d: `M${front[0].x} ${frame.bottom}V` + front.map((one) => `${one.y}H`).map((part, k) => part + (front[k + 1]?.x ?? frame.left)).join("V") }));
  const names = places.map(({ model }) => clipped(model.name, 0.4 * width));
  const labels = placeLabels(places.map((one, k) => ({ ...one, width: measure(names[k]) + 6 })), frame);
  for (const { model, x: px } of places) {
    const [from, to] = model.best.interval ?? [model.best.score, model.best.score];
    view.append(svg("path", { class: "whisker", style: colour(model.i), d: `M${px} ${y(from)}V${y(to)}` }));
  }
  labels.forEach((at, k) => {
    const { x: px, y: py } = places[k];
    if (at && Math.hypot(Math.max(0, Math.abs(at[0] - px) - measure(names[k]) / 2), at[1] - py) > 20) {
      view.append(svg("path", { class: "leader", d: `M${px} ${py}L${at[0]} ${at[1]}` }));
    }
  });
  places.forEach(({ model, x: px, y: py }) => view.append(mark(model, px, py, 6)));
  labels.forEach((at, k) => { if (at) view.append(write(...at, names[k], "middle", "label")); });
  return places.map(({ model, x: px, y: py }) => ({
    x: px, y: py, sign: () => [mark(model, px, py, 9)],
    lines: () => [named(model), `${percent(model.best.score)} % (${interval(model.best)})`, cost.tell(cost.of(model.best)), html("small", {}, word(model.about ?? ""))],
  }));
}

// ---- lines over sizes or lengths ----
/** series: [{ model, points: [{ at, score, interval }] }] by `at`, an index into columns: [{ x, name, more, title }]. */
function paintLines(view, width, height, series, columns, title, place, errors = false) {
  if (!series.length) return [];
  const room = Math.max(...series.map(({ model }) => Math.min(0.32 * width, measure(model.name)))) + 26;
  const frame = { left: 44, right: width - room, top: 24, bottom: height - 48 };
  const ends = series.flatMap(({ points: all }) => all.flatMap((one) => one.interval ?? [one.score]));
  const y = scoreAxis(view, frame, Math.min(...ends), Math.max(...ends), errors);
  const x = place(frame.left + 14, frame.right - 6);
  let next = Infinity;
  [...columns.entries()].reverse().forEach(([k, column]) => {
    view.append(svg("path", { class: "grid", d: `M${x(k)} ${frame.top}V${frame.bottom}` }));
    const half = measure(column.name) / 2 + 3;
    if (x(k) + half > next) return;  // a name that would lie over the one after it
    next = x(k) - half;
    view.append(write(x(k), frame.bottom + 14, column.name, "middle", "tick"));
  });
  view.append(write((frame.left + frame.right) / 2, height - 8, title, "middle", "title"));
  const groups = series.map(({ model, points: all }) => {
    const group = svg("g", { class: "series", style: colour(model.i) });
    const banded = all.filter((one) => one.interval);
    if (banded.length > 1) {
      const up = banded.map((one) => `${x(one.at)} ${y(one.interval[1])}`), down = banded.map((one) => `${x(one.at)} ${y(one.interval[0])}`);
      group.append(svg("path", { class: "band", d: `M${[...up, ...down.reverse()].join("L")}z` }));
    } else banded.forEach((one) => group.append(svg("path", { class: "whisker", d: `M${x(one.at)} ${y(one.interval[0])}V${y(one.interval[1])}` })));
    group.append(svg("path", { class: "line", d: "M" + all.map((one) => `${x(one.at)} ${y(one.score)}`).join("L") }));
    all.forEach((one) => group.append(mark(model, x(one.at), y(one.score), 3.5)));
    view.append(group);
    return group;
  });
  const lasts = series.map(({ points: all }) => all.at(-1));
  spread(lasts.map((one) => y(one.score)), 16, frame.top - 6, frame.bottom + 6).forEach((at, k) => {
    const { model } = series[k], only = (on) => () => groups.forEach((group, j) => group.classList.toggle("dim", on && j !== k));
    view.append(svg("path", { class: "leader", style: colour(model.i), d: `M${x(lasts[k].at) + 5} ${y(lasts[k].score)}L${frame.right + 6} ${y(lasts[k].score)}L${frame.right + 16} ${at}` }));
    const text = write(frame.right + 20, at, clipped(model.name, 0.32 * width), "start", "label");
    text.addEventListener("pointerenter", only(true));
    text.addEventListener("pointerleave", only(false));
    view.append(text);
  });
  return columns.map((column, k) => ({
    x: x(k), y: frame.top, column: true,
    sign: () => [svg("path", { class: "ruler", d: `M${x(k)} ${frame.top}V${frame.bottom}` })],
    lines: () => [html("b", {}, column.title), ...series
      .map(({ model, points: all }) => [model, all.find((one) => one.at === k)]).filter(([, one]) => one)
      .sort((a, b) => b[1].score - a[1].score)
      .map(([model, one]) => [named(model), " ", html("b", {}, percent(one.score)), html("small", {}, one.interval ? ` ${interval(one)}` : "")])],
  }));
}
function paintCurves(view, width, height) {
  const series = shown().filter((model) => model.curve?.length);
  const sizes = [...new Set(series.flatMap((model) => model.curve.map((point) => point.size)))].sort((a, b) => a - b);
  const columns = sizes.map((size) => {
    const tokens = series.flatMap((model) => model.curve).find((point) => point.size === size)?.tokens;
    return { name: whole(size), title: many(size, UNIT) + (tokens ? `, ${many(tokens, "tokens")}` : "") };
  });
  const place = (from, to) => {
    const at = sizes.length > 1 ? logScale(sizes[0], sizes.at(-1), from, to) : () => (from + to) / 2;
    return (k) => at(sizes[k]);
  };
  const lines = series.map((model) => ({ model, points: model.curve.map((point) => ({ ...point, at: sizes.indexOf(point.size) })) }));
  return paintLines(view, width, height, lines, columns, `training ${UNIT}`, place, $("scale").value === "errors");
}
function paintLengths(view, width, height) {
  const series = shown().filter((model) => model.best.by_length?.length);
  if (!series.length) return [];
  const columns = series[0].best.by_length.map((bin) => {
    const name = bin.to === null ? `${bin.from}+` : bin.from === bin.to ? String(bin.from) : `${bin.from}–${bin.to}`;
    return { name, title: `${name} tokens: ${many(bin.sentences, UNIT)}` };
  });
  const place = (from, to) => (k) => (columns.length > 1 ? from + (k / (columns.length - 1)) * (to - from) : (from + to) / 2);
  const lines = series.map((model) => ({ model, points: model.best.by_length.map((bin, at) => ({ at, score: bin.score })).filter((one) => isNumber(one.score)) }));
  return paintLines(view, width, height, lines.filter((line) => line.points.length), columns, `tokens of a ${UNIT.slice(0, -1)}`, place);
}
const tall = (width) => Math.max(width < 500 ? 320 : 380, 17 * shown().length + 90);
