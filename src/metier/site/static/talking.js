// The script of a model's page: a conversation that is shown as it is written. It asks /api/chat
// as any client does, and makes text nodes only. Without it the form takes one turn a page.
"use strict";

import { copy, element, show } from "./prose.js";

const MOST_PICTURE = 20_000_000;
const KINDS = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"];

const form = document.querySelector("[data-talk]");
if (form) startTalking(form);

function few(number) {
  if (number >= 10) return Math.round(number).toLocaleString("en");
  return number >= 1 ? number.toFixed(1) : String(Number(number.toPrecision(2)));
}

function startTalking(form) {
  const log = document.querySelector("[data-log]");
  const box = form.querySelector("[name=question]");
  const part = (name) => form.querySelector(`[data-${name}]`);
  const [stop, clear, retry, hint, filled] = ["stop", "clear", "retry", "hint", "filled"].map(part);
  const pictures = startPictures(form);
  let said = [];
  let running = null;
  let closing = null;
  hint.hidden = false;
  log.replaceChildren();
  for (const field of form.querySelectorAll("[name=turn], [data-plain]")) field.remove();

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
    filled.hidden = clear.hidden = retry.hidden = true;
    box.focus();
  });
  retry.addEventListener("click", () => {
    if (running) return;
    while (said.length && said.at(-1).role !== "user") said.pop();
    const last = said.pop();
    if (!last) return;
    while (log.lastChild && !log.lastChild.matches?.(".turn.you")) log.lastChild.remove();
    log.lastChild?.remove();
    take(last);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running || !box.value.trim()) return;
    const asked = { role: "user", content: box.value };
    const shown = pictures.take();
    if (shown.length) asked.images = shown.map((picture) => picture.data);
    box.value = "";
    take(asked, shown);
  });

  async function take(asked, shown = []) {
    const controller = new AbortController();
    running = controller;
    closing = null;
    stop.hidden = clear.hidden = false;
    retry.hidden = true;
    turn("you", "You", element("p", "words", asked.content), ...shown.map((one) => one.canvas));
    const place = turn("it", form.dataset.model);
    const waiting = element("p", "facts", "Loading, or reading the question.");
    place.append(waiting);
    const written = writer(place, waiting);
    try {
      await ask([...said, asked], controller.signal, written);
      written.end();
      said.push(asked, { role: "assistant", content: written.text });
      if (closing) finished(place, closing);
    } catch (error) {
      written.end();
      if (controller.signal.aborted) {
        place.append(element("p", "facts", "Stopped. What it wrote so far stays in the conversation."));
        if (running === controller) said.push(asked, { role: "assistant", content: written.text });
      } else {
        const told = error instanceof TypeError ? "The server cannot be reached." : error.message;
        place.append(element("p", "problem", told));
        if (!box.value) box.value = asked.content;
      }
    } finally {
      waiting.remove();
      if (running === controller) running = null;
      stop.hidden = true;
      retry.hidden = said.length === 0;
    }
  }

  function turn(kind, who, ...nodes) {
    const name = element("p", "said-by", element("bdi", "", who));
    const made = element("section", `turn ${kind}`, name, ...nodes);
    log.append(made);
    return made;
  }

  /** Collects an answer, and shows it at most ten times a second. */
  function writer(place, waiting) {
    const body = element("div", "written");
    let thought = null;
    let due = null;
    const state = {
      text: "",
      hear({ content, thinking }) {
        waiting.remove();
        if (thinking) {
          if (!thought) {
            thought = element("p", "words");
            const folded = element("details", "thought", element("summary", "", "What it thought"), thought);
            place.append(folded);
          }
          thought.append(thinking);
        }
        if (content) {
          if (!body.isConnected) place.append(body);
          state.text += content;
          due ??= setTimeout(() => { due = null; show(body, state.text); }, 100);
        }
      },
      end() {
        clearTimeout(due);
        show(body, state.text);
      },
    };
    return state;
  }

  function finished(place, told) {
    const seconds = (value) => (value ?? 0) / 1e9;
    const facts = [`${told.eval_count.toLocaleString("en")} tokens`];
    if (told.eval_count > 1 && told.eval_duration) {
      facts.push(`${few(told.eval_count / seconds(told.eval_duration))} tokens/s while writing`);
    }
    facts.push(`${few(seconds(told.total_duration))} s in all`);
    if (told.load_duration > 5e7) facts.push(`${few(seconds(told.load_duration))} s to load`);
    if (told.done_reason === "length") facts.push("cut at the tokens it may write");
    const line = element("p", "facts", `${facts.join(" · ")} `);
    if (navigator.clipboard) {
      const button = element("button", "quiet", "Copy");
      button.type = "button";
      const text = said.at(-1).content;
      button.addEventListener("click", () => copy(button, text));
      line.append(button);
    }
    place.append(line);
    const used = told.prompt_eval_count + told.eval_count;
    const context = Number(form.querySelector("[name=num_ctx]")?.value || form.dataset.context);
    filled.hidden = false;
    filled.textContent = context
      ? `Context: ${used.toLocaleString("en")} of ${context.toLocaleString("en")} tokens used, ${Math.max(0, context - used).toLocaleString("en")} left.`
      : `Context: ${used.toLocaleString("en")} tokens used.`;
  }

  function asking(messages) {
    const value = (name) => form.querySelector(`[name=${name}]`)?.value.trim() ?? "";
    const options = {};
    for (const name of ["temperature", "num_predict", "num_ctx", "seed"]) {
      if (value(name) !== "") options[name] = Number(value(name));
    }
    const system = value("system");
    const body = {
      model: form.dataset.model,
      messages: system ? [{ role: "system", content: system }, ...messages] : messages,
      stream: true,
      truncate: false,
      options,
    };
    const think = value("think");
    if (think) body.think = think === "yes";
    return body;
  }

  async function ask(messages, signal, written) {
    const response = await fetch("/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asking(messages)),
      signal,
    });
    if (!response.ok) throw new Error(await reason(response));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (held + value).split("\n");
      held = lines.pop();
      for (const line of lines.filter(Boolean)) {
        const data = JSON.parse(line);
        if (data.error) throw new Error(data.error);
        if (data.message) written.hear(data.message);
        if (data.done) closing = data;
      }
    }
  }

  async function reason(response) {
    try {
      const { error } = await response.json();
      return typeof error === "string" ? error : error.message;
    } catch {
      return `The server answered ${response.status}.`;
    }
  }
}

/** The pictures that go with the next turn: chosen, checked, shown small; `take` empties it. */
function startPictures(form) {
  const field = form.querySelector("[name=picture]");
  const place = form.querySelector("[data-pictures]");
  let chosen = [];
  if (!field) return { take: () => [] };
  field.addEventListener("change", async () => {
    chosen = [];
    place.replaceChildren();
    for (const file of [...field.files].slice(0, 4)) {
      try {
        chosen.push(await read(file));
        place.append(chosen.at(-1).canvas);
      } catch (error) {
        place.append(element("p", "problem", error.message));
      }
    }
  });
  return {
    take() {
      const taken = chosen;
      chosen = [];
      field.value = "";
      place.replaceChildren();
      return taken;
    },
  };
}

async function read(file) {
  const name = file.name.slice(0, 80);
  if (!KINDS.includes(file.type)) throw new Error(`${name}: give a PNG, JPEG, WebP, GIF or BMP file.`);
  if (file.size > MOST_PICTURE) throw new Error(`${name}: at most 20 MB; it has ${few(file.size / 1e6)} MB.`);
  const canvas = element("canvas", "preview");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Picture ${name}`);
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, 160 / Math.max(bitmap.width, bitmap.height));
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  } catch {
    throw new Error(`${name} cannot be read as a picture.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return { canvas, data: btoa(text) };
}
