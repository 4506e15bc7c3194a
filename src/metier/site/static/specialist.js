// The script of an entry's page: several texts at once, digests copied with one press. It asks
// /v1/classify as any client does and writes text, never HTML; without it the form does the same.
"use strict";

import { answerNodes, few, isolated, made } from "./answering.js";

function answers(texts, reply) {
  const single = texts.length === 1;
  const nodes = texts.map((text, place) => {
    const result = reply.results[place];
    const given = single ? [] : [made("p", "given", isolated(text))];
    const part = made("section", "tried", ...given, ...answerNodes(result, single ? 5 : 2));
    part.setAttribute("aria-label", `Answer ${place + 1}`);
    return part;
  });
  const ms = reply.usage.milliseconds;
  const each = single ? "" : `, ${few(ms / texts.length)}\u202fms each`;
  const said = `${texts.length} ${single ? "text" : "texts"} in ${few(ms)}\u202fms on the server${each}`;
  return [...nodes, made("p", "facts took", said)];
}

function startLines(form) {
  const box = form.parentElement.querySelector("[data-answer]");
  const text = form.querySelector("textarea");
  form.querySelector("[data-hint]").hidden = false;
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const texts = text.value.split("\n").filter((line) => line.trim());
    if (texts.length > 100) {
      box.replaceChildren(made("p", "problem", `Write 1 to 100 texts, one a line; there are ${texts.length}.`));
      return;
    }
    const slow = setTimeout(() => box.replaceChildren(made("p", "facts", "Asking.")), 300);
    try {
      const reply = await fetch("/v1/classify", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: form.dataset.name, input: texts, top: 5 }),
      });
      const answer = await reply.json();
      if (!reply.ok) throw new Error(answer.error.message);
      clearTimeout(slow);
      box.replaceChildren(...answers(texts, answer));
      const told = texts.map((one, at) => ({ text: one, label: answer.results[at].best }));
      box.dispatchEvent(new CustomEvent("answered", { bubbles: true, detail: told }));
    } catch (error) {
      clearTimeout(slow);
      const said = error instanceof TypeError ? "The server cannot be reached." : error.message;
      box.replaceChildren(made("p", "problem", said));
    }
  });
}

function startDigests() {
  if (!navigator.clipboard) return;
  for (const place of document.querySelectorAll("[data-digest]")) {
    const button = place.querySelector("button");
    button.hidden = false;
    button.setAttribute("aria-label", `Copy ${place.querySelector("code").textContent.slice(0, 19)}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(place.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
}

for (const form of document.querySelectorAll("[data-lines]")) startLines(form);
startDigests();
