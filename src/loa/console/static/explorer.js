// Trying a call: from this page to this very origin, without the console's cookie. The key stays in its field. What
// comes back may hold anything, so it is only ever shown as text.
const MOST = 200000;
const PATIENCE_MS = 60000;
const form = document.querySelector("[data-try]");
const part = (name) => document.querySelector(`main [data-${name}]`);
const shown = part("answer");

function problem(text) {
  part("problem").textContent = text;
  part("problem").hidden = !text;
}

function address() {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[data-where]")) {
    if (field.dataset.where === "path") path = path.replaceAll(`{${field.dataset.name}}`, encodeURIComponent(field.value));
    if (field.dataset.where === "query" && field.value) query.append(field.dataset.name, field.value);
  }
  return query.size ? `${path}?${query}` : path;
}

function request(key) {
  const headers = new Headers();
  if (key) headers.set("API-KEY", key);
  for (const field of form.querySelectorAll('[data-where="header"]')) {
    if (field.value) headers.set(field.dataset.name, field.value);
  }
  const body = part("body")?.value;
  if (body !== undefined) headers.set("Content-Type", "application/json");
  return {
    method: form.dataset.method,
    headers,
    body,
    credentials: "omit",
    cache: "no-store",
    redirect: "manual",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(PATIENCE_MS),
  };
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function show(answer, text, ms) {
  const status = part("status");
  status.textContent = `${answer.status} ${answer.statusText}`.trim();
  status.className = `mark bare ${answer.status < 300 ? "good" : answer.status < 500 ? "warn" : "bad"}`;
  part("time").textContent = `${Math.round(ms)} ms`;
  part("headers").textContent = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const whole = pretty(text);
  part("shown").textContent = whole.slice(0, MOST);
  part("shown").hidden = !whole;
  part("cut").textContent = form.dataset.sayCut;
  part("cut").hidden = whole.length <= MOST;
  shown.hidden = false;
}

const isSure = (key) => {
  const { asks } = form.dataset;
  return asks === "never" || (asks === "live" && key.startsWith("loa_test_")) || part("sure").checked;
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = part("key")?.value.trim() ?? "";
  if (!isSure(key)) {
    problem(form.dataset.saySure);
    part("sure").focus();
    return;
  }
  problem("");
  const button = form.querySelector("button");
  button.disabled = true;
  const began = performance.now();
  try {
    const answer = await fetch(address(), request(key));
    show(answer, await answer.text(), performance.now() - began);
  } catch (error) {
    problem(`${form.dataset.sayFailed} ${error.message}`);
  } finally {
    button.disabled = false;
  }
});
part("body")?.addEventListener("input", (event) => {
  let wrong = "";
  try {
    JSON.parse(event.target.value);
  } catch {
    wrong = form.dataset.sayJson;
  }
  problem(wrong);
});
part("without").hidden = true;
form.hidden = false;
