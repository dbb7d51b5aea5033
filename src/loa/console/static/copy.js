// Buttons that copy the code beside them.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const said = button.textContent;
  await navigator.clipboard.writeText(button.closest("section").querySelector("pre").textContent);
  button.textContent = button.dataset.copy;
  button.addEventListener("blur", () => (button.textContent = said), { once: true });
});
// htmx puts new buttons in; a style says that they are of use, since scripts run here.
document.documentElement.classList.add("copies");
