// Vectors of texts: static token embeddings by our own sums, a frozen encoder by ONNX Runtime Web.
//
// It knows arrays of token ids and the runtime's module, which it is handed; it fetches nothing.

import { tensors } from "./parts.js";

const HALF = Math.fround(Math.SQRT1_2);

function addUnit(values, into, at) {
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.max(Math.sqrt(squares), 1e-12);
  values.forEach((value, index) => { into[at + index] = (value / length) * HALF; });
}

/** Mean and maximum of static token embeddings, as metier/engines/static.py. */
export class StaticEncoder {
  /**
   * @param {Uint8Array} bytes `static.safetensors`.
   * @param {{tokens: number, width: number}} shape rows of the table and their length.
   * @param {{read: (text: string) => number[]}} reader without special tokens.
   */
  constructor(bytes, { tokens, width }, reader) {
    const { table, scales } = tensors(bytes, { table: [tokens, width], scales: [tokens] });
    Object.assign(this, { table, scales, width, reader });
  }

  async encode(text) {
    const ids = this.reader.read(text);
    const vector = new Float32Array(2 * this.width);
    if (!ids.length) return vector;
    const sums = new Float64Array(this.width);
    const most = new Float32Array(this.width).fill(-Infinity);
    for (const id of ids) {
      const scale = this.scales[id];
      for (let channel = 0; channel < this.width; channel += 1) {
        const value = Math.fround(this.table[id * this.width + channel] * scale);
        sums[channel] += value;
        if (value > most[channel]) most[channel] = value;
      }
    }
    addUnit(sums, vector, 0);
    addUnit(most, vector, this.width);
    return vector;
  }

  async close() {}
}

/** A frozen encoder: texts in, unit vectors out. */
export class OnnxEncoder {
  constructor(ort, session, reader) {
    Object.assign(this, { ort, session, reader });
  }

  /**
   * @param {object} ort the module of ONNX Runtime Web.
   * @param {Uint8Array} graph the graph's bytes.
   * @param {{name: string, bytes: Uint8Array}[]} weights files that the graph names.
   * @param {{read: (text: string) => number[]}} reader with special tokens.
   */
  static async open(ort, graph, weights, reader) {
    const session = await ort.InferenceSession.create(graph, {
      executionProviders: ["wasm"],
      // As on the server: the graph is fused by hand.
      graphOptimizationLevel: "disabled",
      externalData: weights.map(({ name, bytes }) => ({ path: name, data: bytes })),
    });
    return new OnnxEncoder(ort, session, reader);
  }

  async encode(text) {
    const ids = this.reader.read(text);
    const shape = [1, ids.length];
    const tensor = (kind, values) => new this.ort.Tensor(kind, values, shape);
    const { vector } = await this.session.run({
      ids: tensor("int64", BigInt64Array.from(ids, BigInt)),
      mask: tensor("int32", new Int32Array(ids.length).fill(1)),
    });
    return vector.data;
  }

  async close() {
    await this.session.release();
  }
}
