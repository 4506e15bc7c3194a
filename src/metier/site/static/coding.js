// The script of the pages on code: a question is answered as it goes, a check says that it runs.
// Without it the same forms give the same answers as a page. It writes text, never HTML: a drawn
// answer is fetched as a document, and its nodes are taken over.
"use strict";

import { element, show } from "./prose.js";

function startAsking() {
  const form = document.querySelector("[data-ask]");
  if (!form) return;
  const progress = form.querySelector("[data-progress]");
  const result = document.querySelector("[data-result]");
  const turns = document.querySelector("[data-turns]");
  const [stop, anew] = ["stop", "anew"].map((name) => form.querySelector(`[data-${name}]`));
  const button = form.querySelector("button[type=submit]");
  const box = form.querySelector("[name=question]");
  let running = null;

  stop.addEventListener("click", () => running?.abort());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    const question = box.value;
    const mine = new AbortController();
    running = mine;
    stop.hidden = false;
    const body = new URLSearchParams(new FormData(form));
    const shown = setTimeout(() => say("Asking."), 300);
    keep();
    turns.append(turn("you", "You", element("p", "words", question)));
    const draft = element("div", "written");
    const folded = element("details", "draft", element("summary", "", "The draft as it is written"), draft);
    let text = "";
    let due = null;
    try {
      let address = null;
      await follow(form, body, mine.signal, (name, data) => {
        if (name === "step") say(data.summary);
        if (name === "text") {
          if (!folded.isConnected) result.append(folded);
          text += data.text;
          due ??= setTimeout(() => { due = null; show(draft, text); }, 150);
        }
        if (name === "problem") problem(data.problem);
        if (name === "answer") address = data.address;
      });
      if (address) {
        const reply = await drawn(address);
        result.replaceChildren(reply);
        carry(question, reply.dataset.text);
        box.value = "";
        button.textContent = "Ask on";
        anew.hidden = false;
      }
    } catch (error) {
      if (mine.signal.aborted) say("Stopped. This turn is not part of the conversation.");
      else problem(error instanceof TypeError ? "The server cannot be reached." : error.message);
    } finally {
      clearTimeout(shown);
      clearTimeout(due);
      if (running === mine) running = null;
      stop.hidden = true;
      if (!mine.signal.aborted) progress.hidden = true;
    }
  });

  /** The last answer goes up into the conversation, as text. */
  function keep() {
    const last = result.querySelector(".reply");
    if (last) {
      const body = element("div", "written");
      show(body, last.dataset.text);
      turns.append(turn("it", document.querySelector("h1").textContent, body));
    }
    result.replaceChildren();
  }

  function carry(question, answer) {
    for (const said of [question, answer]) {
      const field = element("input");
      field.type = "hidden";
      field.name = "turn";
      field.value = said;
      form.append(field);
    }
  }

  function turn(kind, who, ...nodes) {
    const name = element("p", "said-by", element("bdi", "", who));
    return element("section", `turn ${kind}`, name, ...nodes);
  }

  function say(text) {
    progress.hidden = false;
    progress.textContent = text;
  }

  function problem(text) {
    result.replaceChildren(element("p", "problem", text));
    turns.lastChild?.remove();
  }
}

async function follow(form, body, signal, heard) {
  const response = await fetch(form.action.split("#")[0], {
    method: "POST",
    headers: { Accept: "text/event-stream" },
    body,
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
      const name = /^event: (.*)$/m.exec(event)?.[1];
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (name && data) heard(name, JSON.parse(data));
    }
  }
}

function drawn(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.onload = () => {
      const reply = request.response?.querySelector(".reply");
      if (reply) resolve(document.adoptNode(reply));
      else reject(new Error("The answer could not be shown. Reload the page."));
    };
    request.onerror = () => reject(new TypeError("offline"));
    request.open("GET", address);
    request.send();
  });
}

async function reason(response) {
  const { error } = await response.json();
  return [error?.message ?? `Status ${response.status}.`, error?.remedy].filter(Boolean).join(" ");
}

function startChecking() {
  const form = document.querySelector("[data-check]");
  form?.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (pressed?.name) return;
    setTimeout(() => {
      if (pressed) pressed.textContent = "Checking";
    }, 300);
  });
}

function startKeys() {
  const search = document.querySelector(".search [data-search]");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (!search || event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
}

startAsking();
startKeys();
startChecking();
