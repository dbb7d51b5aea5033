// Copies a secret that is shown this once.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.closest(".row").querySelector("[data-said]").textContent = button.dataset.copied;
  });
}
