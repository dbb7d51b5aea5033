// A field that a test found wrong is marked where it stands; without scripts the page comes with the mark.
document.addEventListener("htmx:after:swap", () => {
  const trial = document.getElementById("trial");
  const form = trial?.closest("form");
  if (!form) return;
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    document.getElementById(`wrong-${field.name}`)?.remove();
  }
  for (const found of trial.querySelectorAll("[data-wrong]")) {
    const field = form.elements.namedItem(found.dataset.wrong);
    if (!field) continue;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${found.id}`.trim());
    const hidden = field.closest("details");
    if (hidden) hidden.open = true;
    field.focus();
  }
});
