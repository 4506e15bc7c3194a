// Feedback on answers without leaving the page: the same fields that the form sends. It also puts
// the form under answers that a script wrote. Without it the form works by itself.
"use strict";

const pattern = document.querySelector("template[data-feedback-form]");

document.addEventListener("answered", (event) => {
  if (!pattern) return;
  const places = event.target.querySelectorAll(".tried");
  event.detail.forEach(({ text, label }, at) => {
    const form = pattern.content.firstElementChild.cloneNode(true);
    for (const one of form.querySelectorAll("[id], [for]")) {
      if (one.id) one.id += `-${at}`;
      if (one.htmlFor) one.htmlFor += `-${at}`;
    }
    for (const [name, value] of Object.entries({ text, given: label, label })) {
      form.elements[name].value = value;
    }
    places[at]?.append(form);
  });
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-feedback]")) return;
  event.preventDefault();
  const told = form.querySelector("[data-said]");
  const fields = new FormData(form, event.submitter);
  const value = (name) => fields.get(name) ?? "";
  const said = { name: form.dataset.name, keep: false };
  for (const name of ["text", "answer", "comment"]) {
    if (value(name)) said[name] = value(name);
  }
  const thumb = value("thumb");
  const label = thumb ? "" : value("label");
  if (thumb) said.thumb = thumb;
  else if (label) said.thumb = label === value("given") ? "up" : "down";
  if (label) {
    said.label = label;
    said.keep = fields.has("keep");
  }
  try {
    const reply = await fetch("/metier/v1/feedback", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(said),
    });
    const answer = await reply.json();
    if (!reply.ok) throw new Error([answer.error.message, answer.error.remedy].filter(Boolean).join(" "));
    told.className = "said facts";
    told.textContent = answer.kept_text
      ? "Taken, and the text is kept: rivals are asked on it when the watch next looks."
      : "Taken. It counts for this specialist alone.";
    if (!thumb) form.querySelector("details").open = false;
  } catch (error) {
    told.className = "said problem";
    told.textContent = error instanceof TypeError ? "The server cannot be reached." : error.message;
  }
});
