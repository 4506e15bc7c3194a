// Hashed words and characters of a text, bucket for bucket as metier/features.py makes them.
//
// It knows folding, n-grams and 32-bit hashes over UTF-16 units; it knows no model and no page.
// `alphabet` is what the server's Python takes for letters, because Unicode grows: which units belong
// to words, and which code points the server does not know and therefore leaves as they are.

const MULTIPLIER = 0x01000193;
const MOST_CHARACTERS = 20000;
const SPACE = 0x20;
// What Python's str.split() parts at; JavaScript's \s has U+FEFF and lacks five controls.
const BETWEEN = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** Reads `[gap, length, gap, length, …]` as ranges of numbers: [[first, past the last], …]. */
export function ranges(gaps) {
  const read = [];
  let at = 0;
  for (let index = 0; index < gaps.length; index += 2) {
    const first = at + gaps[index];
    at = first + gaps[index + 1];
    read.push([first, at]);
  }
  return read;
}

/** The server's alphabet, from the two lists of its plan. */
export function readAlphabet({ words, unknown }) {
  const units = new Uint8Array(1 << 16);
  for (const [first, end] of ranges(words)) units.fill(1, first, end);
  const strange = ranges(unknown);
  const escaped = (point) => `\\u{${point.toString(16)}}`;
  const classes = strange.map(([first, end]) => `${escaped(first)}-${escaped(end - 1)}`).join("");
  return { units, unknown: classes ? new RegExp(`([${classes}]+)`, "u") : null };
}

/** The first and the last code points of a long text, as the server cuts it. */
function shortened(text) {
  if (text.length <= MOST_CHARACTERS) return text;
  const points = Array.from(text);
  if (points.length <= MOST_CHARACTERS) return text;
  const half = MOST_CHARACTERS / 2;
  return `${points.slice(0, half).join("")} ${points.slice(-half).join("")}`;
}

/** NFKC and lower case, but for characters that the server does not know. */
function folded(text, alphabet) {
  const plain = (piece) => piece.normalize("NFKC").toLowerCase();
  if (!alphabet.unknown || !alphabet.unknown.test(text)) return plain(text);
  return text.split(alphabet.unknown).map((piece, index) => (index % 2 ? piece : plain(piece))).join("");
}

/** Whether a text has characters that the server knows and this browser does not. */
export function isStrange(text, alphabet) {
  if (!/\p{Cn}/u.test(text)) return false;
  const left = alphabet.unknown ? text.split(alphabet.unknown).filter((_, index) => index % 2 === 0) : [text];
  return left.some((piece) => /\p{Cn}/u.test(piece));
}

/** The text as the UTF-16 units of " word word ". */
export function codeUnits(text, alphabet) {
  const words = folded(shortened(text), alphabet).split(BETWEEN).filter(Boolean).join(" ");
  const spaced = words ? ` ${words} ` : " ";
  const units = new Uint16Array(spaced.length);
  for (let index = 0; index < units.length; index += 1) units[index] = spaced.charCodeAt(index);
  return units;
}

/** MurmurHash3's 32-bit finaliser (Appleby, public domain). */
function finalised(value) {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function wordHashes(units, orders, isWord, keep) {
  let before = null;
  for (let at = 0; at < units.length; at += 1) {
    if (!isWord[units[at]]) continue;
    let hash = 0;
    for (; at < units.length && isWord[units[at]]; at += 1) hash = (Math.imul(hash, MULTIPLIER) + units[at]) | 0;
    if (orders.includes(1)) keep(hash + 0x9e3779b1);
    if (orders.includes(2) && before !== null) {
      keep(Math.imul(before, 0x85ebca77) + Math.imul(hash, 0xc2b2ae3d) + 0x27d4eb2f);
    }
    before = hash;
  }
}

function characterHashes(units, orders, keep) {
  const most = Math.max(...orders);
  for (let first = 0; first < units.length; first += 1) {
    let hash = 0;
    for (let order = 1; order <= most && first + order <= units.length; order += 1) {
      const unit = units[first + order - 1];
      hash = (Math.imul(hash, MULTIPLIER) + unit) | 0;
      if (orders.includes(order) && (order > 1 || unit !== SPACE)) keep(hash + Math.imul(order, 0x165667b1));
      // An n-gram may end on the space after a word but not pass it.
      if (order > 1 && unit === SPACE) break;
    }
  }
}

/**
 * Counts of hashed n-grams of one text.
 *
 * @returns {{buckets: Uint32Array, counts: Uint32Array}} buckets in rising order, each once.
 */
export function hashedCounts(text, { buckets, words, characters }, alphabet) {
  const units = codeUnits(text, alphabet);
  const found = [];
  const keep = (hash) => found.push(finalised(hash | 0) & (buckets - 1));
  if (words.length) wordHashes(units, words, alphabet.units, keep);
  if (characters.length) characterHashes(units, characters, keep);
  const sorted = Uint32Array.from(found).sort();
  const unique = new Uint32Array(sorted.length);
  const counts = new Uint32Array(sorted.length);
  let last = -1;
  sorted.forEach((bucket, index) => {
    if (index === 0 || bucket !== unique[last]) {
      last += 1;
      unique[last] = bucket;
    }
    counts[last] += 1;
  });
  return { buckets: unique.subarray(0, last + 1), counts: counts.subarray(0, last + 1) };
}

/** `(1 + log count) * idf`, scaled to unit length, in float32 as the server has it. */
export function weigh({ buckets, counts }, idf) {
  const weights = new Float32Array(buckets.length);
  let squares = 0;
  for (let index = 0; index < buckets.length; index += 1) {
    weights[index] = Math.fround(1 + Math.fround(Math.log(counts[index]))) * idf[buckets[index]];
    squares += Math.fround(weights[index] * weights[index]);
  }
  const norm = Math.max(Math.sqrt(squares), 1e-12);
  for (let index = 0; index < weights.length; index += 1) weights[index] /= norm;
  return weights;
}
