// The live tail: one stream, closed while the tab is hidden or paused, and never more rows than the page began with,
// neither shown nor held back while somebody reads further down.
const tail = document.querySelector("[data-tail]");
const rows = tail.querySelector("tbody");
const button = tail.querySelector("[data-tail-pause]");
const said = tail.querySelector("[data-tail-said]");
const rate = tail.querySelector("[data-tail-rate]");
const held = tail.querySelector("[data-tail-held]");
const most = Number(tail.dataset.rows);
const rateOver = 5000;
let position = tail.dataset.position;
let stream = null;
let paused = false;
let happened = [];
let changes = 0;
const waiting = new Map();

function show(state) {
  tail.dataset.tailState = state;
  said.textContent = tail.dataset[`say${state[0].toUpperCase()}${state.slice(1)}`];
}

function showRate() {
  const now = performance.now();
  happened = happened.filter(([at]) => now - at < rateOver);
  const count = happened.reduce((sum, [, each]) => sum + each, 0);
  rate.textContent = stream ? tail.dataset.sayRate.replace("#", Math.round((count * 1000) / rateOver)) : "";
}

function put(row) {
  const old = document.getElementById(row.id);
  row.classList.add("new");
  if (old) old.replaceWith(row);
  else rows.prepend(row);
}

function reading() {
  return scrollY > 0 && rows.getBoundingClientRect().top < 0;
}

function hold(row) {
  waiting.delete(row.id);
  waiting.set(row.id, row);
  if (waiting.size > most) waiting.delete(waiting.keys().next().value);
}

function resume() {
  waiting.forEach(put);
  waiting.clear();
  changes = 0;
  held.hidden = true;
  while (rows.children.length > most) rows.lastElementChild.remove();
}

function take(event) {
  position = event.lastEventId || position;
  const told = JSON.parse(event.data);
  const made = document.createElement("template");
  made.innerHTML = told.html;
  happened.push([performance.now(), told.happened]);
  tail.querySelector("[data-tail-left-out]").hidden = !told.leftOut;
  if (!made.content.children.length) return;
  tail.querySelector("[data-tail-empty]").hidden = true;
  tail.querySelector("[data-tail-table]").hidden = false;
  const keep = reading() ? hold : put;
  changes += told.happened;
  for (const row of [...made.content.children]) keep(row);
  if (keep === put) resume();
  held.hidden = keep === put;
  held.querySelector("span").textContent = tail.dataset.sayHeld.replace("#", changes);
}

// A stream that is refused does not say why: asked for again, its status does.
async function refused(address) {
  const stop = new AbortController();
  try {
    const answer = await fetch(address, { signal: stop.signal });
    show(answer.status === 429 ? "full" : "lost");
  } catch {
    show("lost");
  }
  stop.abort();
}

function open() {
  if (stream || paused || document.hidden) return;
  const address = new URL(tail.dataset.stream, location.href);
  address.searchParams.set("after", position);
  stream = new EventSource(address);
  stream.onopen = () => show("live");
  stream.onmessage = take;
  stream.onerror = () => {
    show("lost");
    if (stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    refused(address);
  };
}

function close() {
  stream?.close();
  stream = null;
}

button.hidden = false;
button.addEventListener("click", () => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  if (paused) {
    close();
    show("paused");
  } else open();
});
held.addEventListener("click", () => {
  scrollTo({ top: 0 });
  resume();
});
document.addEventListener("scroll", () => waiting.size && !reading() && resume(), { passive: true });
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
setInterval(showRate, 1000);
open();
