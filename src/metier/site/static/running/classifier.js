// A classifier put together from the server's plan: members, their files, and one answer a text.
//
// It knows the plan (metier/answer/browsing.py) and which part computes what. It runs in a worker or
// in a test; it touches no page.

import { hashedCounts, isStrange, readAlphabet, weigh } from "./features.js";
import { decide, denseLogits, mix, sparseLogits } from "./heads.js";
import { tensors } from "./parts.js";
import { TokenReader } from "./tokens.js";
import { OnnxEncoder, StaticEncoder } from "./vectors.js";

const decoded = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

function linear(member, labels, bytes, alphabet) {
  const head = tensors(bytes, {
    weights: [member.buckets, labels],
    scale: [labels],
    idf: [member.buckets],
    bias: [labels],
  });
  return async (text) => {
    const found = hashedCounts(text, member, alphabet);
    return sparseLogits(head, found.buckets, weigh(found, head.idf));
  };
}

function dense(member, labels, bytes, encoder) {
  const head = tensors(bytes, { weights: [member.dimension, labels], bias: [labels] });
  return async (text) => denseLogits(head, encoder ? await encoder.encode(text) : []);
}

async function openEncoder(encoder, files, runtime) {
  const bytesOf = (name) => files.get(encoder.files[name]);
  const reader = new TokenReader(decoded(bytesOf("tokenizer.json")), {
    maxTokens: encoder.max_tokens,
    special: encoder.kind === "encoder",
  });
  if (encoder.kind === "static") return new StaticEncoder(bytesOf("static.safetensors"), encoder, reader);
  const weights = encoder.weights.map((name) => ({ name, bytes: bytesOf(name) }));
  return OnnxEncoder.open(await runtime(), bytesOf(encoder.graph), weights, reader);
}

/** A loaded specialist. */
export class Classifier {
  constructor(plan, alphabet, members, encoders) {
    Object.assign(this, { plan, alphabet, members, encoders });
  }

  /**
   * @param {object} plan what to load and how to compute.
   * @param {Map<string, Uint8Array>} files by digest; taken out as they are read.
   * @param {() => Promise<object>} runtime gives the module of ONNX Runtime Web.
   */
  static async open(plan, files, runtime) {
    const alphabet = readAlphabet(plan.alphabet);
    const encoders = [];
    const members = [];
    for (const member of plan.members) {
      const bytes = files.get(member.file);
      let encoder = null;
      if (member.encoder) {
        encoder = await openEncoder(member.encoder, files, runtime);
        encoders.push(encoder);
      }
      const labels = plan.labels.length;
      members.push(member.kind === "linear" ? linear(member, labels, bytes, alphabet) : dense(member, labels, bytes, encoder));
    }
    files.clear();
    return new Classifier(plan, alphabet, members, encoders);
  }

  /** The answer for one text, in the fields of `POST /v1/classify`; `strange`: see `isStrange`. */
  async classify(text, top = 5) {
    const logits = [];
    for (const member of this.members) logits.push(await member(text));
    const mixed = mix(logits, this.plan.members.map((member) => member.weight));
    return { ...decide(mixed, this.plan, top), strange: isStrange(text, this.alphabet) };
  }

  /** Gives its memory back. */
  async close() {
    for (const encoder of this.encoders) await encoder.close();
    this.members = [];
  }
}
