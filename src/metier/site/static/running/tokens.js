// Texts to token ids as the server's tokenizer does it: BERT's normaliser and word pieces.
//
// It knows `tokenizer.json` of BERT's kind (Devlin et al. 2019) and nothing of vectors. The server
// reads the same file with the `tokenizers` library; tables.js holds that library's Unicode.

import { ranges } from "./features.js";
import { DECOMPOSED, MARKS, PUNCTUATION, REMOVED } from "./tables.js";

const CHARACTERS_PER_TOKEN = 32;
const SURROGATE = /[\ud800-\udfff]/gu;
const WHITE = "\\t-\\r\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const CHINESE =
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b81f}" +
  "\\u{2b920}-\\u{2ceaf}\\u{2f800}-\\u{2fa1f}";

const escaped = (point) => `\\u{${point.toString(16)}}`;
const classOf = (table) =>
  ranges(table.trim().split(/\s+/).map((number) => parseInt(number, 36)))
    .map(([first, end]) => `${escaped(first)}-${escaped(end - 1)}`)
    .join("");

const removed = new RegExp(`[${classOf(REMOVED)}]+`, "gu");
const white = new RegExp(`[${WHITE}]`, "gu");
const chinese = new RegExp(`[${CHINESE}]`, "gu");
const decomposed = new RegExp(`[${classOf(DECOMPOSED)}]+`, "gu");
const marks = new RegExp(`[${classOf(MARKS)}]+`, "gu");
// Words, and punctuation one sign at a time; what is between them is white.
const pieces = new RegExp(`[${classOf(PUNCTUATION)}]|[^${WHITE}${classOf(PUNCTUATION)}]+`, "gu");
// Lower case of every character by itself: the library knows no final sigma.
const SIGMA = /\u03a3/gu;

/** A text after BERT's normaliser. */
export function normalised(text, { clean_text, handle_chinese_chars, strip_accents, lowercase }) {
  let read = text;
  if (clean_text) read = read.replace(removed, "").replace(white, " ");
  if (handle_chinese_chars) read = read.replace(chinese, " $& ");
  if (strip_accents ?? lowercase) read = read.replace(decomposed, (run) => run.normalize("NFD")).replace(marks, "");
  return lowercase ? read.replace(SIGMA, "\u03c3").toLowerCase() : read;
}

/** Where a text holds tokens that are read as they are, such as `[SEP]`; longest first. */
function addedTokens(added) {
  if (!added.length) return null;
  const quoted = [...added]
    .sort((a, b) => b.content.length - a.content.length)
    .map(({ content }) => content.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`(${quoted.join("|")})`, "u");
}

/** One tokenizer, for the texts of one page. */
export class TokenReader {
  /**
   * @param {object} file what `tokenizer.json` holds.
   * @param {{maxTokens: number, special: boolean}} options special: whether [CLS] and [SEP] are added.
   */
  constructor(file, { maxTokens, special }) {
    const { model } = file;
    this.normaliser = file.normalizer;
    this.vocabulary = new Map(Object.entries(model.vocab));
    this.prefix = model.continuing_subword_prefix ?? "##";
    this.longest = model.max_input_chars_per_word ?? 100;
    this.unknown = this.vocabulary.get(model.unk_token);
    this.added = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
    this.splitter = addedTokens(file.added_tokens);
    const ids = (piece) => file.post_processor.special_tokens[piece.SpecialToken.id].ids;
    const template = special ? file.post_processor.single : [];
    const place = template.findIndex((piece) => piece.Sequence);
    this.before = template.slice(0, Math.max(place, 0)).flatMap(ids);
    this.after = template.slice(place + 1).flatMap((piece) => (piece.SpecialToken ? ids(piece) : []));
    this.room = maxTokens - this.before.length - this.after.length;
    this.characters = CHARACTERS_PER_TOKEN * maxTokens;
  }

  /** The token ids of a text, cut to the most that are looked at. */
  read(text) {
    const ids = [];
    const cut = this.cut(text).replace(SURROGATE, "\ufffd");
    const parts = this.splitter ? cut.split(this.splitter) : [cut];
    parts.forEach((part, index) => {
      if (index % 2) ids.push(this.added.get(part));
      else if (part && ids.length < this.room) this.readWords(normalised(part, this.normaliser), ids);
    });
    return [...this.before, ...ids.slice(0, this.room), ...this.after];
  }

  cut(text) {
    if (text.length <= this.characters) return text;
    return Array.from(text).slice(0, this.characters).join("");
  }

  readWords(text, ids) {
    for (const [word] of text.matchAll(pieces)) {
      if (ids.length >= this.room) return;
      this.readWord(word, ids);
    }
  }

  /** The longest pieces of a word from its start; one unknown token where a piece is missing. */
  readWord(word, ids) {
    const first = ids.length;
    if (word.length > this.longest && Array.from(word).length > this.longest) {
      ids.push(this.unknown);
      return;
    }
    let start = 0;
    while (start < word.length) {
      let end = word.length;
      let id;
      for (; end > start; end -= 1) {
        const piece = word.slice(start, end);
        id = this.vocabulary.get(start ? this.prefix + piece : piece);
        if (id !== undefined) break;
      }
      if (id === undefined) {
        ids.length = first;
        ids.push(this.unknown);
        return;
      }
      ids.push(id);
      start = end;
    }
  }
}
