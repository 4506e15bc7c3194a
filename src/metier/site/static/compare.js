// Compare: answers side by side are written as they come. Text is put in as text, never as HTML.
"use strict";

(() => {
  const form = document.querySelector("[data-ask]");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const body = new URLSearchParams(new FormData(form));
    body.set("live", "yes");
    let answer;
    try {
      const response = await fetch("/compare/ask", {
        method: "POST", body, headers: { accept: "application/json" },
      });
      answer = await response.json();
      if (response.ok) { location.assign(answer.page); return; }
    } catch {
      form.submit();
      return;
    }
    button.disabled = false;
    const said = answer.error ?? {};
    let note = form.querySelector(".problem");
    if (!note) {
      note = document.createElement("p");
      note.className = "problem";
      note.setAttribute("role", "alert");
      form.prepend(note);
    }
    note.textContent = [said.message, said.remedy].filter(Boolean).join(" ");
  });

  const head = document.querySelector("[data-duel]");
  if (!head) return;
  const slots = [...document.querySelectorAll("[data-slot]")];
  const open = new Set(slots.filter((slot) => slot.dataset.state === "waiting"));
  const announce = document.querySelector("[data-announce]");
  function over(slot) {
    open.delete(slot);
    if (open.size) return;
    const vote = document.querySelector("[data-vote]");
    if (vote) vote.hidden = false;
    announce.textContent = "All have answered.";
  }
  for (const slot of open) {
    const text = slot.querySelector("[data-text]");
    const took = slot.querySelector("[data-took]");
    took.textContent = "asked";
    const source = new EventSource(`/compare/asked/${head.dataset.duel}/${slot.dataset.slot}`);
    source.addEventListener("piece", (event) => {
      text.append(JSON.parse(event.data).text);
      took.textContent = "writing";
    });
    source.addEventListener("done", (event) => {
      source.close();
      const told = JSON.parse(event.data);
      took.textContent = told.ms === null ? "" : `${told.ms < 100 ? told.ms.toFixed(1) : Math.round(told.ms).toLocaleString("en")} ms`;
      if (told.problem) took.textContent = told.problem;
      over(slot);
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) source.close();
      took.textContent = "The connection ended.";
      over(slot);
    });
  }
})();
