// Lists of messages: tick all of a page at once.
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
