// Runs the scripts of "Run in this page" in Node: one JSON request on stdin, one JSON reply.
// Request: {scripts, act, …}; scripts is the folder that holds them, as modules.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const request = JSON.parse(readFileSync(0, "utf8"));
const script = (name) => import(pathToFileURL(join(request.scripts, name)));

async function classify({ plan, files, texts, top, runtime }) {
  const { Classifier } = await script("classifier.js");
  const bytes = new Map(Object.entries(files).map(([digest, path]) => [digest, new Uint8Array(readFileSync(path))]));
  const open = async () => {
    const ort = await import(pathToFileURL(runtime.module));
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = readFileSync(runtime.program);
    return ort;
  };
  const classifier = await Classifier.open(plan, bytes, open);
  const started = performance.now();
  const answers = [];
  for (const text of texts) answers.push(await classifier.classify(text, top));
  const ms = performance.now() - started;
  await classifier.close();
  return { answers, ms };
}

async function buckets({ alphabet, spec, texts }) {
  const { hashedCounts, readAlphabet } = await script("features.js");
  const read = readAlphabet(alphabet);
  return texts.map((text) => {
    const { buckets: found, counts } = hashedCounts(text, spec, read);
    return [Array.from(found), Array.from(counts)];
  });
}

async function tokens({ tokenizer, options, texts }) {
  const { TokenReader } = await script("tokens.js");
  const reader = new TokenReader(JSON.parse(readFileSync(tokenizer, "utf8")), options);
  return texts.map((text) => reader.read(text));
}

async function normalised({ normaliser, texts }) {
  const { normalised: one } = await script("tokens.js");
  return texts.map((text) => one(text, normaliser));
}

const acts = { classify, buckets, tokens, normalised };
process.stdout.write(JSON.stringify(await acts[request.act](request)));
