// The script of a local model's page: a conversation that is shown as it is written. It asks
// /v1/chat/completions as any client does, and writes text, never HTML. Without it the form gives
// one answer with the page.
"use strict";

const form = document.querySelector("[data-talk]");
if (form) startTalking(form);

function startTalking(form) {
  const log = document.querySelector("[data-log]");
  const box = form.querySelector("textarea");
  const [stop, clear, hint] = ["stop", "clear", "hint"].map((name) =>
    form.querySelector(`[data-${name}]`),
  );
  let said = [];
  let running = null;
  hint.hidden = false;

  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  stop.addEventListener("click", () => running?.abort());
  clear.addEventListener("click", () => {
    running?.abort();
    said = [];
    log.replaceChildren();
    clear.hidden = true;
    box.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    const question = box.value;
    box.value = "";
    running = new AbortController();
    stop.hidden = clear.hidden = false;
    paragraph("said-by", "You");
    paragraph("words", question);
    paragraph("said-by", form.dataset.model);
    const asked = [...said, { role: "user", content: question }];
    const waiting = paragraph("facts", "Loading, or reading the question.");
    let answer = null;
    let thought = null;
    try {
      await ask(asked, running.signal, (delta) => {
        waiting.remove();
        if (delta.reasoning) (thought ??= thinking()).textContent += delta.reasoning;
        if (delta.content) (answer ??= paragraph("words", "")).textContent += delta.content;
      });
      said = [...asked, { role: "assistant", content: answer?.textContent ?? "" }];
    } catch (error) {
      if (running.signal.aborted) paragraph("facts", "Stopped; this turn is not remembered.");
      else paragraph("problem", error instanceof TypeError ? "The server cannot be reached." : error.message);
    } finally {
      waiting.remove();
      running = null;
      stop.hidden = true;
    }
  });

  function paragraph(kind, text) {
    const found = document.createElement("p");
    found.className = kind;
    found.textContent = text;
    log.append(found);
    return found;
  }

  function thinking() {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const words = document.createElement("p");
    details.className = "thought";
    summary.textContent = "What it thought";
    words.className = "words";
    details.append(summary, words);
    log.append(details);
    return words;
  }

  async function ask(messages, signal, heard) {
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model: form.dataset.model, messages, stream: true }),
      signal,
    });
    if (!response.ok) throw new Error(await reason(response));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (held + value).split("\n\n");
      held = events.pop();
      for (const event of events) {
        if (!event.startsWith("data: {")) continue;
        const data = JSON.parse(event.slice(6));
        if (data.error) throw new Error(data.error.message);
        for (const choice of data.choices) heard(choice.delta);
      }
    }
  }

  async function reason(response) {
    try {
      return (await response.json()).error.message;
    } catch {
      return `The server answered ${response.status}.`;
    }
  }
}
