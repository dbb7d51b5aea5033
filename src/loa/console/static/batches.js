// Sends a file with a bar that moves. Without this the form goes as any other; the answer is the same.
const form = document.querySelector("[data-upload]");
const bar = form.querySelector("[data-upload-bar]");
const progress = bar.querySelector("progress");
const said = bar.querySelector("#upload-said");
const wrong = form.querySelector("#wrong");

function refuse(text) {
  bar.hidden = true;
  const note = document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = text;
  wrong.replaceChildren(note);
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

function answered(request) {
  if (request.status === 200) {
    location.assign(request.responseURL);
    return;
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  refuse(page.querySelector("[role=alert]")?.textContent.trim() || page.querySelector("main p")?.textContent.trim() || form.dataset.sayBroken);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  if (file && file.size > Number(form.dataset.most) * 1024 * 1024) {
    refuse(form.dataset.sayTooLarge);
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-Form-Token", form.elements.form_token.value);
  request.upload.addEventListener("progress", (sent) => {
    progress.value = sent.lengthComputable ? (100 * sent.loaded) / sent.total : 0;
    said.textContent = form.dataset.saySending;
  });
  request.upload.addEventListener("load", () => {
    progress.removeAttribute("value");
    said.textContent = form.dataset.sayReading;
  });
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => refuse(form.dataset.sayBroken));
  wrong.replaceChildren();
  bar.hidden = false;
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  request.send(new FormData(form));
});
