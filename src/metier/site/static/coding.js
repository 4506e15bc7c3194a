// The script of the pages on code: a question is answered as it goes, a check says that it runs.
// Without it the same forms give the same answers as a page. It writes text, never HTML: a drawn
// answer is fetched as a document, and its nodes are taken over.
"use strict";

function startAsking() {
  const form = document.querySelector("[data-ask]");
  if (!form) return;
  const progress = form.querySelector("[data-progress]");
  const result = document.querySelector("[data-result]");
  const button = form.querySelector("button");
  let running = null;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    running?.abort();
    running = new AbortController();
    const mine = running;
    const shown = setTimeout(() => show("Asking."), 300);
    button.textContent = "Ask again";
    result.replaceChildren();
    try {
      let address = null;
      await follow(form, mine.signal, (name, data) => {
        if (name === "step") show(data.summary);
        if (name === "problem") problem(data.problem);
        if (name === "answer") address = data.address;
      });
      if (address) result.replaceChildren(...(await drawn(address)));
    } catch (error) {
      if (mine.signal.aborted) return;
      problem(error instanceof TypeError ? "The server cannot be reached." : error.message);
    } finally {
      clearTimeout(shown);
      if (running === mine) {
        progress.hidden = true;
        button.textContent = "Ask";
      }
    }
  });

  function show(text) {
    progress.hidden = false;
    progress.textContent = text;
  }

  function problem(text) {
    const paragraph = document.createElement("p");
    paragraph.className = "problem";
    paragraph.textContent = text;
    result.replaceChildren(paragraph);
  }
}

async function follow(form, signal, heard) {
  const response = await fetch(form.action.split("#")[0], {
    method: "POST",
    headers: { Accept: "text/event-stream" },
    body: new URLSearchParams(new FormData(form)),
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
      if (reply) resolve([document.adoptNode(reply)]);
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
