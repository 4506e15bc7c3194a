"""Turns ``tokenizer.json`` into the vocabulary that llama.cpp reads, or says why it cannot.

Two kinds are known: byte-level BPE, cut by one of the patterns that llama.cpp has under a name, and
SentencePiece's BPE with byte fallback as llama 2 has it. It compares the rules that are written in
the file, because a pattern that is only nearly the same gives other tokens now and then; it runs no
tokenizer. Unicode normalisation (NFC) is left out, as llama.cpp does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metier.conversion.gguf.folder import refuse
from metier.errors import InputError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Kinds of tokens, as GGUF numbers them."""

_TAIL = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
_SHORT_WRITTEN_OUT = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|"
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|"
_SIGNS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|"
_SPLITS: Mapping[tuple[str, bool], str] = {
    (_SHORT + _WORDS + r"\p{N}" + _SIGNS + _TAIL, False): "qwen2",
    (_SHORT + _WORDS + r"\p{N}{1,3}" + _SIGNS + _TAIL, True): "llama-bpe",
    # The same pattern without llama-bpe's rule that a whole word in the vocabulary is not merged.
    (_SHORT + _WORDS + r"\p{N}{1,3}" + _SIGNS + _TAIL, False): "smaug-bpe",
}
"""Pattern, and whether whole words are taken before merging, to llama.cpp's name for both."""

_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A vocabulary as a GGUF file keeps it.

    Attributes:
        model: ``gpt2`` (byte-level BPE) or ``llama`` (SentencePiece).
        pre: How text is cut before merging.
        tokens: Texts by number.
        kinds: Kind of each token.
        scores: Of a SentencePiece vocabulary; the higher, the earlier a piece is merged.
        merges: Of byte-level BPE, the first merged first.
        add_bos: Whether every text starts with the beginning token.
        add_eos: Whether every text ends with the end token.
        add_space: Whether text starts with a space; ``None`` does not say.
    """

    model: Literal["gpt2", "llama"]
    pre: str
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    scores: tuple[float, ...] = ()
    merges: tuple[str, ...] = ()
    add_bos: bool = False
    add_eos: bool = False
    add_space: bool | None = None

    def number(self, text: str) -> int | None:
        """The number of a token, ``None`` if there is none of this text."""
        return self.tokens.index(text) if text in self.tokens else None


def read_vocabulary(
    tokenizer: Mapping[str, Any], settings: Mapping[str, Any], rows: int
) -> Vocabulary:
    """The vocabulary in tokenizer.json.

    Args:
        tokenizer: The object in tokenizer.json.
        settings: The object in tokenizer_config.json, empty if there is none.
        rows: Rows of the embeddings; tokens that the tokenizer does not have fill the rest.

    Raises:
        InputError: ``unknown_tokenizer`` for rules that llama.cpp does not have,
            ``bad_model_folder`` for a file that contradicts itself.
    """
    model = _object(tokenizer, "model")
    if model.get("type", "BPE") != "BPE":
        raise _unknown(f"its model is {model.get('type')}, not BPE")
    tokens, kinds = _tokens(tokenizer, model, rows)
    bos = _ends(tokenizer, settings, "bos", first=True)
    eos = _ends(tokenizer, settings, "eos", first=False)
    merges = _merges(model)
    if model.get("byte_fallback"):
        space = _sentence_piece_space(tokenizer)
        for number, text in enumerate(tokens):
            if kinds[number] == NORMAL and _BYTE_TOKEN.fullmatch(text):
                kinds[number] = BYTE
            elif kinds[number] in (NORMAL, CONTROL) and text == model.get("unk_token"):
                kinds[number] = UNKNOWN
        scores = _scores(tokens, merges)
        return Vocabulary(
            "llama", "default", tuple(tokens), tuple(kinds), scores, (), bos, eos, space
        )
    pre = _pre_tokenizer(tokenizer, bool(model.get("ignore_merges")))
    joined = tuple(f"{first} {second}" for first, second in merges)
    return Vocabulary("gpt2", pre, tuple(tokens), tuple(kinds), (), joined, bos, eos)


def _unknown(why: str) -> InputError:
    return refuse(
        f"tokenizer.json cannot be converted: {why}.",
        "Known: byte-level BPE cut as in qwen2, llama 3, GPT-2 or SmolLM, and llama 2's "
        "SentencePiece. Take a GGUF file of this model if there is one.",
        code="unknown_tokenizer",
    )


def _object(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = whole.get(name)
    if not isinstance(found, Mapping):
        raise refuse(f"tokenizer.json has no {name}.")
    return found


def _tokens(
    tokenizer: Mapping[str, Any], model: Mapping[str, Any], rows: int
) -> tuple[list[str], list[int]]:
    words = _object(model, "vocab")
    added = tokenizer.get("added_tokens") or []
    if not isinstance(added, list):
        raise refuse("tokenizer.json: added_tokens is no list.")
    by_number: dict[int, tuple[str, int]] = {}
    for text, number in words.items():
        _place(by_number, text, number, NORMAL, rows)
    for entry in added:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("content"), str):
            raise refuse("tokenizer.json: an entry of added_tokens has no content.")
        kind = CONTROL if entry.get("special") else USER_DEFINED
        _place(by_number, entry["content"], entry.get("id"), kind, rows)
    tokens, kinds = [], []
    for number in range(rows):
        text, kind = by_number.get(number, (f"[PAD{number}]", UNUSED))
        tokens.append(text)
        kinds.append(kind)
    if len(set(tokens)) != len(tokens):
        raise refuse("tokenizer.json has two tokens of one text.")
    return tokens, kinds


def _place(
    by_number: dict[int, tuple[str, int]], text: str, number: object, kind: int, rows: int
) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < rows:
        raise refuse(
            f"tokenizer.json gives {text[:60]!r} the number {str(number)[:20]}, "
            f"but the embeddings have {rows} rows."
        )
    if by_number.get(number, (text, 0))[0] != text:
        raise refuse(f"tokenizer.json gives the number {number} to two tokens.")
    by_number[number] = (text, kind)


def _merges(model: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    listed = model.get("merges")
    if not isinstance(listed, Sequence):
        raise refuse("tokenizer.json has no merges.")
    for entry in listed:
        # Written as "a b" before tokenizers 0.20, as ["a", "b"] since.
        parts = entry.split(" ") if isinstance(entry, str) else entry
        if not isinstance(parts, list) or [type(part) for part in parts] != [str, str]:
            raise refuse(f"tokenizer.json: {str(entry)[:60]!r} is no merge of two tokens.")
        if " " in parts[0] or " " in parts[1]:
            raise refuse(f"tokenizer.json: the merge {parts!r} has a space inside.")
        pairs.append((parts[0], parts[1]))
    return pairs


def _steps(tokenizer: Mapping[str, Any], name: str, inner: str) -> list[Mapping[str, Any]]:
    """The steps of a normaliser, pre-tokenizer or post-processor, a sequence opened."""
    found = tokenizer.get(name)
    if found is None:
        return []
    opened = isinstance(found, Mapping) and found.get("type") == "Sequence"
    steps = found.get(inner) if opened else [found]
    if not isinstance(steps, list) or not all(isinstance(step, Mapping) for step in steps):
        raise refuse(f"tokenizer.json: {name} is not understood.")
    return steps


def _pre_tokenizer(tokenizer: Mapping[str, Any], ignore_merges: bool) -> str:
    for step in _steps(tokenizer, "normalizer", "normalizers"):
        if step.get("type") != "NFC":
            raise _unknown(f"it normalises text by {step.get('type')}")
    *before, last = _steps(tokenizer, "pre_tokenizer", "pretokenizers") or [{}]
    if last.get("type") != "ByteLevel":
        raise _unknown("it is no byte-level BPE")
    if last.get("add_prefix_space"):
        raise _unknown("it puts a space before every text")
    if last.get("use_regex", True):
        if ignore_merges:
            raise _unknown("it takes whole words before merging, and cuts as GPT-2")
        if not before:
            return "gpt-2"
        if len(before) == 1 and before[0] == {"type": "Digits", "individual_digits": True}:
            return "smollm"
        raise _unknown("it cuts text in a way of its own before GPT-2's")
    if len(before) != 1 or before[0].get("type") != "Split":
        raise _unknown("it cuts text in several steps")
    step = before[0]
    pattern = step.get("pattern")
    written = pattern.get("Regex") if isinstance(pattern, Mapping) else None
    isolated = step.get("behavior") == "Isolated" or (
        step.get("behavior") == "Removed" and step.get("invert")
    )
    written = written.replace(_SHORT_WRITTEN_OUT, _SHORT) if isinstance(written, str) else None
    known = _SPLITS.get((written or "", ignore_merges))
    if known is None or not isolated:
        raise _unknown(f"it cuts text by {str(written)[:200]!r}")
    return known


def _sentence_piece_space(tokenizer: Mapping[str, Any]) -> bool:
    """Whether llama 2's rules put a space before text; refuses other rules."""
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    prepend = {"type": "Prepend", "prepend": "▁"}
    normal = _steps(tokenizer, "normalizer", "normalizers")
    cut = _steps(tokenizer, "pre_tokenizer", "pretokenizers")
    if not cut and normal == [prepend, replace]:
        return True
    if not cut and normal == [replace]:
        return False
    if not normal and len(cut) == 1 and cut[0].get("type") == "Metaspace":
        scheme = cut[0].get("prepend_scheme", "always")
        if cut[0].get("replacement") == "▁" and cut[0].get("split") is False:
            # "first" puts no space after a special token, llama.cpp does: see the decision.
            if scheme == "never":
                return False
            if scheme in ("always", "first"):
                return True
    raise _unknown("its SentencePiece rules are not llama 2's")


def _scores(tokens: Sequence[str], merges: Sequence[tuple[str, str]]) -> tuple[float, ...]:
    """Scores that merge pieces in the order of the merges: llama.cpp takes the highest first."""
    rank: dict[str, int] = {}
    for place, (first, second) in enumerate(merges):
        rank.setdefault(first + second, place)
    return tuple(-float(rank[text]) if text in rank else 0.0 for text in tokens)


def _ends(
    tokenizer: Mapping[str, Any], settings: Mapping[str, Any], which: str, *, first: bool
) -> bool:
    """Whether every text gets the beginning or the end token."""
    said = settings.get(f"add_{which}_token")
    if isinstance(said, bool):
        return said
    for step in _steps(tokenizer, "post_processor", "processors"):
        single = step.get("single")
        if step.get("type") == "TemplateProcessing" and isinstance(single, list) and single:
            edge = single[0 if first else -1]
            return isinstance(edge, Mapping) and "SpecialToken" in edge
    return False
