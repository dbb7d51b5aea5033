// Keys, the palette, buttons that copy, and what is said in passing. Lists and letters stand in the page.
const help = document.getElementById("keys");
const palette = document.getElementById("palette");
const toasts = document.getElementById("toasts");
const OFF = "loa-keys-off";

// --- said in passing ---
const say = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  toasts.append(toast);
  setTimeout(() => toast.remove(), 4000);
};
// What stands in a page when it comes is not announced: it is put there once more.
const standing = toasts.querySelector(".toast");
if (standing) requestAnimationFrame(() => toasts.replaceChildren(standing));
const bare = new URL(location.href);
if (bare.searchParams.has("done")) {
  for (const name of ["done", "count"]) bare.searchParams.delete(name);
  history.replaceState(null, "", bare);
}
document.addEventListener("click", async (event) => {
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) {
    event.preventDefault();
    dismiss.closest(".toast").remove();
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const named = copy.dataset.copy && document.getElementById(copy.dataset.copy);
    const source = named || copy.closest(".code").querySelector("pre");
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    say(toasts.dataset.sayCopied);
  }
});
const show = (root) => {
  for (const button of root.querySelectorAll("[data-copy][hidden], [data-keys-help][hidden]")) button.hidden = false;
};
show(document);
document.addEventListener("htmx:after:swap", () => show(document));

// --- the palette: what is typed narrows the options, the last one searches for it ---
const typed = palette?.querySelector("input");
const options = [...(palette?.querySelectorAll("[role=option]") ?? [])];
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("đ", "d").replaceAll("Đ", "D").toLowerCase();
const shown = () => options.filter((each) => !each.hidden);
const choose = (option) => {
  for (const each of options) each.setAttribute("aria-selected", String(each === option));
  typed.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
};
const narrow = () => {
  const words = plain(typed.value).split(/\s+/).filter(Boolean);
  for (const each of options) {
    const searches = each.dataset.searchFor !== undefined;
    each.hidden = searches ? !typed.value.trim() : !words.every((word) => plain(each.textContent).includes(word));
    if (searches) each.querySelector("[data-asked]").textContent = typed.value.trim();
  }
  choose(shown()[0]);
};
const go = (option) => {
  if (!option) return;
  const to = new URL(option.dataset.to ?? option.dataset.searchFor, location.href);
  if (option.dataset.searchFor !== undefined) to.searchParams.set("q", typed.value.trim());
  location.assign(to);
};
const openPalette = () => {
  typed.value = "";
  narrow();
  palette.showModal();
  typed.focus();
};
typed?.addEventListener("input", narrow);
typed?.addEventListener("keydown", (event) => {
  const rows = shown();
  const place = rows.findIndex((each) => each.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) choose(rows[(place + step + rows.length) % rows.length]);
  else if (event.key === "Enter") go(rows[place]);
  else return;
  event.preventDefault();
});
palette?.addEventListener("click", (event) => go(event.target.closest("[role=option]")));

// --- keys ---
const rows = () => [...document.querySelectorAll("main tbody tr, main [data-row]")].filter((row) => row.querySelector("a[href]"));
const move = (step) => {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
  next?.querySelector("a[href]").focus();
};
const search = () => document.querySelector("[data-search]");
const KEYS = {
  "?": () => help.showModal(),
  "/": () => search()?.focus(),
  j: () => move(1),
  k: () => move(-1),
};
const jump = (key) => document.querySelector(`.side [data-key="${CSS.escape(key)}"]`)?.click();
const isTyping = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
let waits = -Infinity;
document.addEventListener("keydown", (event) => {
  if (!help || document.querySelector("dialog[open]") || isTyping(event.target)) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF)) return;
  const led = performance.now() - waits < 1500;
  waits = -Infinity;
  if (led && /^[a-z]$/.test(event.key)) jump(event.key);
  else if (event.key === "g") waits = performance.now();
  else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
document.querySelector("[data-keys-help]")?.addEventListener("click", () => help.showModal());
const single = help?.querySelector("[data-keys-on]");
if (single) single.checked = !localStorage.getItem(OFF);
single?.addEventListener("change", () => (single.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
for (const dialog of [help, palette])
  dialog?.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
