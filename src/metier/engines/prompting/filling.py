"""The prompt that asks a base for the middle of a text, by the base's own tokens.

It knows where a GGUF header names those tokens and what well-known families call them; it reads no
file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from metier.errors import InputError

_TOKENS = "tokenizer.ggml.tokens"
_KEYS = (
    ("fim_pre_token_id", "fim_suf_token_id", "fim_mid_token_id"),
    ("prefix_token_id", "suffix_token_id", "middle_token_id"),
)


class Gap(NamedTuple):
    """Three texts that mark what stands before a gap, what stands after it, and the gap."""

    prefix: str
    suffix: str
    middle: str

    def prompt(self, before: str, after: str) -> str:
        """Before, after, then the place to write."""
        if self.prefix == "<PRE>":
            return f"<PRE> {before} <SUF>{after} <MID>"
        if not self.middle:
            return f"{self.suffix}{after}{self.prefix}{before}"
        return f"{self.prefix}{before}{self.suffix}{after}{self.middle}"


_KNOWN = (
    Gap("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    Gap("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    Gap("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    Gap("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
    Gap("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),
    Gap("<PRE>", "<SUF>", "<MID>"),
    Gap("[PREFIX]", "[SUFFIX]", ""),
)


def gap_of(
    metadata: Mapping[str, Any], token_text: Callable[[int], str] | None = None
) -> Gap | None:
    """The marks of a base, or ``None`` if it has none.

    Args:
        metadata: Keys of the GGUF header; ``tokenizer.ggml.tokens`` may be left out.
        token_text: From a token's number to its text, where the list is left out.
    """
    listed = metadata.get(_TOKENS)
    tokens = listed if isinstance(listed, list | tuple) else ()
    for keys in _KEYS:
        numbers = [metadata.get(f"tokenizer.ggml.{key}") for key in keys]
        texts = [_text(number, tokens, token_text) for number in numbers]
        if all(texts):
            plain = [text.lstrip("▁") for text in texts]
            return Gap(*plain) if plain == ["<PRE>", "<SUF>", "<MID>"] else Gap(*texts)
    held = {token for token in tokens if isinstance(token, str) and 3 < len(token) < 20}
    for gap in _KNOWN:
        if all(mark in held or f"▁{mark}" in held for mark in gap if mark):
            return gap
    return None


def _text(number: Any, tokens: Any, token_text: Callable[[int], str] | None) -> str:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        return ""
    if number < len(tokens):
        return str(tokens[number])
    return token_text(number) if token_text is not None else ""


def fill_middle(
    metadata: Mapping[str, Any],
    prompt: str,
    suffix: str,
    token_text: Callable[[int], str] | None = None,
) -> str:
    """The prompt for a gap between ``prompt`` and ``suffix``; arguments as for ``gap_of``.

    Raises:
        InputError: ``no_capability`` if the base has no tokens for it.
    """
    gap = gap_of(metadata, token_text)
    if gap is None:
        raise InputError(
            "This model cannot fill in a gap: it has no tokens for what stands before and after.",
            code="no_capability",
            remedy="Leave `suffix` out, or use a model for code completion.",
        )
    return gap.prompt(prompt, suffix)
