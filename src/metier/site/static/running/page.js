// The page "Run in this page": load, answer while one types, compare with the server, let go.
//
// It knows buttons and words; the worker computes. A text is sent to the server by one button only,
// which says so.

import { element, milliseconds, show, size } from "./answers.js";
import { forget, kept } from "./parts.js";

const one = (selector) => document.querySelector(selector);
const place = one("[data-running]");
const box = one("[data-answer]");
const input = one("#here-text");
const MOST_REMEMBERED = 50;

let plan = null;
let policy = null;
let worker = null;
let asked = 0;
let busy = false;
let waiting = null;
let spent = [];
let shown = null;

function hide(selector, hidden) {
  one(selector).hidden = hidden;
}

function complain(text) {
  one("[data-problem]").textContent = text;
  hide("[data-problem]", !text);
}

/** Asks for the plan once. */
async function readPlan() {
  if (plan) return plan;
  const reply = await fetch(place.dataset.plan, { headers: { accept: "application/json" } });
  if (!reply.ok) throw new Error(`The server answered ${reply.status}.`);
  plan = await reply.json();
  if (!plan.runs) throw new Error([plan.problem, plan.remedy].filter(Boolean).join(" "));
  return plan;
}

/** A worker of our own script, past Trusted Types: the address is the page's, not a caller's. */
function startWorker() {
  const address = place.dataset.worker;
  policy ??= globalThis.trustedTypes?.createPolicy("metier-running", { createScriptURL: (text) => text });
  return new Worker(policy?.createScriptURL(address) ?? address, { type: "module" });
}

async function tellKept() {
  const here = await kept((await readPlan()).files);
  const bytes = here.reduce((sum, file) => sum + file.size, 0);
  one("[data-kept]").textContent = bytes ? `${size(bytes)} of it is in this browser already.` : "";
  hide("[data-forget]", !bytes);
}

const heard = {
  loading({ loaded, total }) {
    one("[data-progress] progress").value = loaded / total;
    one("[data-state]").textContent = loaded < total ? `${size(loaded)} of ${size(total)}` : "Starting …";
  },
  ready() {
    hide("[data-progress]", true);
    hide("[data-close]", false);
    hide("[data-try-here]", false);
    one("[data-announce]").textContent = "Loaded. It answers while you type.";
    input.focus();
    tellKept();
    ask();
  },
  answer({ answer, ms, text }) {
    busy = false;
    spent = [...spent, ms].slice(-MOST_REMEMBERED);
    if (input.value === text) {
      shown = { answer, text };
      show(box, answer, ms);
      one("[data-compare]").disabled = false;
    }
    const middle = [...spent].sort((a, b) => a - b)[Math.floor(spent.length / 2)];
    one("[data-speed]").textContent =
      `Computed here. Median of ${spent.length === 1 ? "1 text" : `${spent.length} texts`}: ${milliseconds(middle)}.` +
      (answer.strange ? " It has characters that this browser does not know; the server may read them otherwise." : "");
    if (waiting !== null) ask();
  },
  failed({ problem }) {
    busy = false;
    stop();
    complain(problem);
  },
};

async function start() {
  complain("");
  hide("[data-load]", true);
  hide("[data-progress]", false);
  one("[data-state]").textContent = "Asking what to load …";
  try {
    const wanted = await readPlan();
    worker = startWorker();
    worker.onmessage = ({ data }) => heard[data.told]?.(data);
    worker.onerror = (event) => {
      event.preventDefault();
      heard.failed({ problem: `The worker could not be started. ${event.message ?? ""}` });
    };
    worker.postMessage({ act: "open", plan: wanted });
  } catch (error) {
    stop();
    complain(error.message);
  }
}

/** Ends the worker: all its memory is free at once. */
function stop() {
  worker?.terminate();
  worker = null;
  waiting = null;
  busy = false;
  shown = null;
  hide("[data-progress]", true);
  hide("[data-close]", true);
  hide("[data-try-here]", true);
  hide("[data-load]", false);
}

/** Asks for the text that stands there now; while one is computed the newest waits. */
function ask() {
  const text = input.value;
  one("[data-compared]").textContent = "";
  one("[data-compare]").disabled = true;
  if (!worker || !text.trim()) {
    box.replaceChildren();
    waiting = null;
    return;
  }
  if (busy) {
    waiting = text;
    return;
  }
  waiting = null;
  busy = true;
  asked += 1;
  worker.postMessage({ act: "classify", id: asked, text, top: 5 });
}

/** The largest difference between two lists of scores, over the labels that both name. */
function furthest(ours, theirs) {
  const known = new Map(theirs.map(({ label, probability }) => [label, probability]));
  const both = ours.filter(({ label }) => known.has(label));
  return Math.max(...both.map(({ label, probability }) => Math.abs(probability - known.get(label))));
}

async function compare() {
  const { answer, text } = shown;
  const said = one("[data-compared]");
  try {
    const reply = await fetch("/v1/classify", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: place.dataset.name, input: text, top: 5 }),
    });
    const told = await reply.json();
    if (!reply.ok) throw new Error(told.error.message);
    const [theirs] = told.results;
    const apart = furthest(answer.scores, theirs.scores);
    const number = apart < 1e-9 ? "0" : apart.toExponential(0);
    if (theirs.label === answer.label) said.textContent = `The server says the same. Its scores differ by ${number} at most.`;
    else said.replaceChildren("The server says ", element("bdi", {}, theirs.label ?? "nothing: it abstains"), `. Scores differ by ${number} at most.`);
  } catch (error) {
    said.textContent = error.message;
  }
}

one("[data-load]").addEventListener("click", start);
one("[data-close]").addEventListener("click", stop);
one("[data-forget]").addEventListener("click", async () => {
  await forget((await readPlan()).files);
  await tellKept();
});
one("[data-compare]").addEventListener("click", compare);
input.addEventListener("input", ask);
addEventListener("pagehide", stop);
hide("[data-without]", true);
hide("[data-acts]", false);
tellKept().catch((error) => complain(error.message));
