// Charts over the numbers that stand in the page. The page renews itself; a plot is kept and given the new numbers.
const zone = "Asia/Ho_Chi_Minh";
const language = document.documentElement.lang;
const plots = new Map();
const count = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const steps = [1, 1000, 60000, 3600000];

function live() {
  return document.querySelector("#live");
}

function waited(ms) {
  const units = live().dataset.units.split("|");
  const place = ms < 1000 ? 0 : ms < 60000 ? 1 : ms < 3600000 ? 2 : 3;
  return units[place].replace("#", count.format(ms / steps[place]));
}

function moments() {
  const days = live().dataset.range === "7d";
  const shape = days ? { day: "2-digit", month: "2-digit" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const written = new Intl.DateTimeFormat(language, { timeZone: zone, ...shape });
  return (_plot, times) => times.map((at) => written.format(at * 1000));
}

// What a chart's part of the page says: when its spans begin, and the values of each line with its colour.
function read(figure) {
  const items = [...figure.querySelectorAll(".legend li")];
  const lines = items.map((item) => item.dataset.values.split(" ").map((each) => (each === "-" ? null : Number(each))));
  const from = Number(figure.dataset.from) / 1000;
  const times = lines[0].map((_, place) => from + (place * Number(figure.dataset.step)) / 1000);
  const marks = items.map((item) => ({
    color: getComputedStyle(item, "::before").borderBlockStartColor,
    dashed: item.classList.contains("dashed"),
    shown: item.querySelector("b"),
  }));
  return { times, lines, marks };
}

// Stacked lines are drawn as sums, the highest first, so that each covers what is not its own.
function drawn(kind, { times, lines }) {
  if (kind !== "stack") return [times, ...lines];
  const sums = [];
  for (const line of [...lines].reverse()) {
    const below = sums[0] ?? line.map(() => 0);
    sums.unshift(line.map((value, place) => value + below[place]));
  }
  return [times, ...sums];
}

function make(figure, room) {
  const kind = figure.dataset.chart;
  const ms = "ms" in figure.dataset;
  const told = read(figure);
  const style = getComputedStyle(figure);
  const write = ms ? waited : (value) => count.format(value);
  const axis = { stroke: getComputedStyle(room).color, grid: { stroke: style.borderBlockStartColor, width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars({ size: [0.86, 40], align: 1 });
  const points = { show: told.times.length < 8 || told.lines.every((line) => line.filter((v) => v !== null).length < 12) };
  const series = told.marks.map(({ color, dashed }) =>
    kind === "lines"
      ? { stroke: color, width: 2, dash: dashed ? [6, 5] : undefined, points: { ...points, size: 5, fill: color }, spanGaps: false }
      : { stroke: color, fill: color, width: 0, paths: bars, points: { show: false } },
  );
  // Of a scale by powers, the marks that read as 1, 2 and 5.
  const readable = figure.id === "chart-latency" ? { filter: (_plot, marks) => marks.map((each) => ("125".includes(String(each)[0]) ? each : null)) } : {};
  const lowest = ms && figure.id === "chart-latency" ? { distr: 3, log: 10 } : { range: (_plot, _low, high) => [0, Math.max(high * 1.08, 1)] };
  return new uPlot(
    {
      width: room.clientWidth,
      height: 190,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      legend: { show: false },
      cursor: { y: false, points: { show: kind === "lines" }, drag: { x: false, y: false } },
      // The last span is as long as the others.
      scales: { x: { time: true, range: (_plot, low, high) => [low, high + Number(figure.dataset.step) / 1000] }, y: lowest },
      axes: [{ ...axis, size: 26, gap: 6, values: moments(), space: 64 }, { ...axis, size: 62, ...readable, values: (_plot, marks) => marks.map((each) => (each === null ? "" : write(each))) }],
      series: [{}, ...series],
      hooks: { setCursor: [(plot) => say(figure.id, plot.cursor.idx, write)] },
    },
    drawn(kind, told),
    room,
  );
}

// Says in the legend what stands under the pointer.
function say(id, place, write) {
  const figure = document.getElementById(id);
  if (!figure) return;
  const { lines, marks } = read(figure);
  marks.forEach(({ shown }, line) => {
    const value = place === null || place === undefined ? null : lines[line][place];
    shown.textContent = value === null || value === undefined ? "" : write(value);
  });
}

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const plot = plots.get(target)?.plot;
    if (plot && contentRect.width) plot.setSize({ width: contentRect.width, height: 190 });
  }
});

function draw() {
  for (const [room, { plot }] of plots) {
    if (room.isConnected) continue;
    plot.destroy();
    sizes.unobserve(room);
    plots.delete(room);
  }
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const room = figure.querySelector(".plot");
    if (!room) continue;
    const lines = figure.querySelectorAll(".legend li");
    const made = [...lines].map((each) => each.className + each.firstElementChild.textContent).join() + live().dataset.range;
    const kept = plots.get(room);
    if (kept && kept.made === made) {
      kept.plot.setData(drawn(figure.dataset.chart, read(figure)));
    } else {
      kept?.plot.destroy();
      plots.set(room, { plot: make(figure, room), made });
      sizes.observe(room);
    }
  }
}

function again() {
  for (const [room, { plot }] of plots) {
    plot.destroy();
    plots.delete(room);
  }
  draw();
}

// What is open stays open, and nobody is asked while nobody looks.
htmx.config.morphIgnore.push("open");
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});
document.addEventListener("htmx:after:swap", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
draw();
