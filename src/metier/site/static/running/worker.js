// The worker behind "Run in this page": loads a specialist, answers texts, lets it go.
//
// Messages in: {act: "open", plan}, {act: "classify", id, text, top}, {act: "close"}.
// Messages out: {told: "loading", loaded, total}, "ready", "answer", "failed", "closed".
// The texts stay here: after "ready" nothing is fetched.

import { Classifier } from "./classifier.js";
import { load } from "./parts.js";

let classifier = null;

/** ONNX Runtime Web on one thread, its program handed over so that it asks for nothing itself. */
async function runtime({ module, program }, files) {
  const ort = await import(module);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmBinary = files.get(program);
  return ort;
}

async function open(plan) {
  const total = plan.files.reduce((sum, file) => sum + file.size, 0);
  const files = new Map();
  let loaded = 0;
  let told = 0;
  const tell = (more) => {
    loaded += more;
    if (loaded - told < total / 200 && loaded < total) return;
    told = loaded;
    postMessage({ told: "loading", loaded, total });
  };
  for (const file of plan.files) files.set(file.digest, await load(file, tell));
  let ort = null;
  classifier = await Classifier.open(plan, files, async () => (ort = await runtime(plan.runtime, files)));
  if (ort) ort.env.wasm.wasmBinary = undefined; // It is compiled; its 14 MB are free again.
}

async function act(message) {
  if (message.act === "open") {
    await open(message.plan);
    postMessage({ told: "ready" });
  } else if (message.act === "classify") {
    const started = performance.now();
    const answer = await classifier.classify(message.text, message.top);
    postMessage({ told: "answer", id: message.id, text: message.text, answer, ms: performance.now() - started });
  } else if (message.act === "close") {
    await classifier?.close();
    classifier = null;
    postMessage({ told: "closed" });
    close();
  }
}

onmessage = async ({ data }) => {
  try {
    await act(data);
  } catch (error) {
    postMessage({ told: "failed", id: data.id, problem: String(error?.message ?? error) });
  }
};
