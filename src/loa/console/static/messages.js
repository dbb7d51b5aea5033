// Lists of messages: tick all of a page at once, and copy a command.
for (const form of document.querySelectorAll("[data-ticks]")) {
  const all = form.querySelector("[data-tick-all]");
  if (!all) continue;
  const ticks = [...form.querySelectorAll("input[name=id]")];
  const box = all.querySelector("input");
  all.hidden = false;
  box.addEventListener("change", () => {
    for (const each of ticks) each.checked = box.checked;
  });
  form.addEventListener("change", () => {
    box.checked = ticks.every((each) => each.checked);
  });
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  document.getElementById("toasts").textContent = button.dataset.sayCopied;
});
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
