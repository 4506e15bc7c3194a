"""Turns any Python string into token ids, quickly and without ever failing.

It knows ``tokenizer.json`` files (the ``tokenizers`` library) and what to do with strings that are
not proper text: lone surrogates, NULs, megabytes. It does not know vectors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from metier.errors import CorruptError

CHARACTERS_PER_TOKEN = 32
"""Texts are cut to this many characters per allowed token before they are tokenised."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class TokenReader:
    """Reads texts as token ids. Thread-safe; the same text always gives the same ids.

    Args:
        path: A ``tokenizer.json``.
        max_tokens: Texts are cut to this many tokens, special tokens included. So that a megabyte
            costs no more than a page, only the first ``32 * max_tokens`` characters are looked at.
        special: Whether to add the tokenizer's special tokens (``[CLS]``, ``[SEP]``).

    Raises:
        CorruptError: ``path`` is not a tokenizer (code ``bad_tokenizer``).
    """

    def __init__(self, path: Path, *, max_tokens: int, special: bool = True) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # The library raises bare Exception.
            raise CorruptError(
                f"{path} is not a tokenizer: {str(error)[:200]}.",
                code="bad_tokenizer",
                remedy="Make the base again from its upstream files.",
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._characters = CHARACTERS_PER_TOKEN * max_tokens
        self._special = special

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text, in order."""
        cleaned = [self._clean(text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(cleaned, add_special_tokens=self._special)
        return [encoding.ids for encoding in encodings]

    def counted(self, texts: Sequence[str]) -> list[tuple[int, bool]]:
        """Of each text: its tokens, special ones included, and whether some were cut off."""
        cleaned = [self._clean(text) for text in texts]
        encodings = self._tokenizer.encode_batch(cleaned, add_special_tokens=self._special)
        return [
            (len(encoding.ids), bool(encoding.overflowing) or len(text) > self._characters)
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def _clean(self, text: str) -> str:
        cut = text[: self._characters]
        return cut if cut.isascii() else _SURROGATE.sub("\ufffd", cut)
