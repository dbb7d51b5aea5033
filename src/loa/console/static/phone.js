// The first minutes: what is on the handsets and what a crash left behind come by one stream, closed while hidden.
const page = document.querySelector("[data-phone]");
let mark = page.dataset.mark;
let stream = null;

function settle() {
  const bubbles = document.querySelector(".bubbles");
  if (bubbles) bubbles.scrollTop = bubbles.scrollHeight;
  document.querySelector("[data-choose] [data-needless]")?.setAttribute("hidden", "");
}

function take(event) {
  mark = event.lastEventId || mark;
  for (const [id, html] of Object.entries(JSON.parse(event.data))) document.getElementById(id).innerHTML = html;
  const form = document.querySelector("[data-with-handset]");
  const chosen = document.querySelector("[data-chosen]").dataset.chosen;
  if (form) {
    form.hidden = !chosen;
    form.elements.handset.value = chosen;
  }
  settle();
}

function open() {
  if (stream || document.hidden) return;
  const address = new URL(page.dataset.stream, location.href);
  address.searchParams.set("after", mark);
  stream = new EventSource(address);
  stream.onopen = () => (page.dataset.phoneState = "live");
  stream.onmessage = take;
  stream.onerror = () => {
    page.dataset.phoneState = "lost";
    if (stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    setTimeout(open, 1000);
  };
}

function close() {
  stream?.close();
  stream = null;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose] select")) event.target.form.requestSubmit();
  if (event.target.matches("[data-via] input")) {
    const text = event.target.form.elements.text;
    const known = [...document.querySelectorAll("[data-via] input")].map((each) => each.dataset.text);
    if (!text.value || known.includes(text.value)) text.value = event.target.dataset.text;
  }
});
document.addEventListener("htmx:after:swap", settle);
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
settle();
open();
