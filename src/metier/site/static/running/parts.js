// Fetches a specialist's files by digest, checks and keeps them, and reads safetensors.
//
// It knows addresses, bytes and the browser's store of files; it computes nothing. No text is ever
// handed to it.

const STORE = "metier-parts";

/** The browser's own store of files; none on plain addresses of other machines. */
async function openStore() {
  try {
    return "caches" in globalThis ? await caches.open(STORE) : null;
  } catch {
    return null; // A browser that keeps nothing, such as a private window.
  }
}

/** Throws unless `bytes` have this sha256; without a secure context browsers cannot tell. */
async function check(bytes, file) {
  if (!globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (`sha256:${hex}` !== file.digest) throw new Error(`${file.name} arrived with other bytes than it should have.`);
}

/** What a file is kept under: its digest, so that specialists on one encoder share it. */
const keyOf = (file) => `/running/parts/${file.digest.replace("sha256:", "")}`;

async function receive(file, tell, kept) {
  // What the browser's own store keeps need not lie in its cache of pages too.
  const reply = await fetch(file.address, kept ? { cache: "no-store" } : {});
  if (!reply.ok) throw new Error(`${file.name} could not be loaded: the server answered ${reply.status}.`);
  const bytes = new Uint8Array(file.size);
  let at = 0;
  const reader = reply.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > bytes.length) throw new Error(`${file.name} is larger than it should be.`);
    bytes.set(value, at);
    at += value.length;
    tell(value.length);
  }
  if (at !== bytes.length) throw new Error(`${file.name} ended too early.`);
  return bytes;
}

/**
 * One file's bytes, from the browser's store if it is there.
 *
 * @param {{name: string, digest: string, size: number, address: string}} file
 * @param {(more: number) => void} tell hears of each piece that arrived.
 */
export async function load(file, tell) {
  const store = await openStore();
  const kept = await store?.match(keyOf(file));
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    try {
      await check(bytes, file);
      tell(bytes.length);
      return bytes;
    } catch {
      await store.delete(keyOf(file));
    }
  }
  const bytes = await receive(file, tell, store);
  await check(bytes, file);
  try {
    await store?.put(keyOf(file), new Response(bytes, { headers: { "content-type": "application/octet-stream" } }));
  } catch {
    // No room: it is loaded again next time.
  }
  return bytes;
}

/** Which of these files the browser has already. */
export async function kept(files) {
  const store = await openStore();
  if (!store) return [];
  const found = await Promise.all(files.map((file) => store.match(keyOf(file))));
  return files.filter((_, index) => found[index]);
}

/** Removes files from the browser's store. */
export async function forget(files) {
  const store = await openStore();
  await Promise.all(files.map((file) => store?.delete(keyOf(file))));
}

const KINDS = {
  I8: (bytes) => new Int8Array(bytes),
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => Float32Array.from(new Uint16Array(bytes), half),
};

/** A float16 as a number. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Reads a safetensors file: name to typed array. Numbers are little-endian, as in every browser.
 *
 * @param {Uint8Array} bytes
 * @param {Record<string, {shape: number[]}>} wanted the tensors that must be there, in these shapes.
 */
export function tensors(bytes, wanted) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const read = {};
  for (const [name, shape] of Object.entries(wanted)) {
    const facts = header[name];
    if (!facts || String(facts.shape) !== String(shape) || !KINDS[facts.dtype]) {
      throw new Error(`A weight file does not hold ${name} as ${shape.join(" × ")}.`);
    }
    const [start, end] = facts.data_offsets;
    const first = bytes.byteOffset + 8 + length;
    read[name] = KINDS[facts.dtype](bytes.buffer.slice(first + start, first + end));
  }
  return read;
}
