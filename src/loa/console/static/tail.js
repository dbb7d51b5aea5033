// The live tail: one stream, closed while the tab is hidden or paused, and never more rows than the page began with.
const tail = document.querySelector("[data-tail]");
const rows = tail.querySelector("tbody");
const button = tail.querySelector("[data-tail-pause]");
const said = tail.querySelector("[data-tail-said]");
const most = Number(tail.dataset.rows);
let position = tail.dataset.position;
let stream = null;
let paused = false;

function show(state) {
  tail.dataset.tailState = state;
  said.textContent = tail.dataset[`say${state[0].toUpperCase()}${state.slice(1)}`];
}

function take(event) {
  position = event.lastEventId || position;
  const told = JSON.parse(event.data);
  const held = document.createElement("template");
  held.innerHTML = told.html;
  tail.querySelector("[data-tail-empty]").hidden = true;
  tail.querySelector("[data-tail-table]").hidden = false;
  tail.querySelector("[data-tail-left-out]").hidden = !told.leftOut;
  for (const row of [...held.content.children]) {
    const old = rows.querySelector(`#${row.id}`);
    row.classList.add("new");
    if (old) old.replaceWith(row);
    else rows.prepend(row);
  }
  while (rows.children.length > most) rows.lastElementChild.remove();
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
    if (stream.readyState === EventSource.CLOSED) stream = null;
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
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
open();
