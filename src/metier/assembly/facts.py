"""What GGUF headers say, remembered by file for as long as it is the same.

Reading and understanding a header is ``formats``' matter, arithmetic the scheduler's.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metier.formats import GgufFacts, GgufHeader, describe, read_gguf
from metier.generating import Task
from metier.scheduler import Shape, scratch_bytes
from metier.scheduler.sizing import SLOTS

MOST_REMEMBERED = 1024
MOST_SEARCHED = 64 << 20
GAP_MARKS = tuple(
    (first.encode(), second.encode())
    for first, second in (
        ("<|fim_prefix|>", "<|fim_suffix|>"),
        ("<fim_prefix>", "<fim_suffix>"),
        ("<fim-prefix>", "<fim-suffix>"),
        ("<｜fim▁begin｜>", "<｜fim▁hole｜>"),
        ("<|code_prefix|>", "<|code_suffix|>"),
        ("▁<PRE>", "▁<SUF>"),
        ("<PRE>", "<SUF>"),
    )
)
"""Texts of the tokens before and after a gap. Source: llama.cpp, ``llama-vocab.cpp``."""

Stamp = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a base: what it is, its files' headers, whether it fills gaps."""

    facts: GgufFacts
    header: GgufHeader
    fills: bool
    others: tuple[GgufHeader, ...] = ()


class Facts:
    """The headers of files, each read once for as long as the file is the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[Stamp, ...], Read] = {}

    def of(self, files: Sequence[Path]) -> Read:
        """What the headers of a base's files say, the first shard first.

        Raises InputError (``bad_gguf``).
        """
        key = tuple(_stamp(file) for file in files)
        with self._lock:
            found = self._known.get(key)
        if found is None:
            first, *others = [read_gguf(file) for file in files]
            facts = describe(first, others)
            fills = {"prefix", "suffix"} <= set(facts.infill) or _marks_gaps(files[0], first)
            found = Read(facts, first, fills, tuple(others))
            with self._lock:
                if len(self._known) >= MOST_REMEMBERED:
                    self._known.clear()
                self._known[key] = found
        return found

    def shape(self, files: Sequence[Path], task: Task) -> Shape:
        """What memory follows from, without the files' sizes."""
        read = self.of(files)
        facts = read.facts
        hidden = _largest(read.header.metadata, f"{facts.architecture}.feed_forward_length")
        width = facts.embedding_length
        return Shape(
            weights=0,
            trained=facts.context_length,
            cache=facts.kv_bytes_per_token,
            scratch=scratch_bytes(facts.vocabulary, width, hidden or 4 * width),
            slots=SLOTS if task == "generate" else 1,
        )


def _stamp(file: Path) -> Stamp:
    facts = file.stat()
    return str(file), facts.st_size, facts.st_mtime_ns


def _marks_gaps(file: Path, header: GgufHeader) -> bool:
    """Whether the vocabulary has tokens for both sides of a gap, by their usual texts.

    Many files do not name these tokens in a key, and llama.cpp goes by their texts too.
    """
    with file.open("rb") as opened:
        data = opened.read(min(header.data_offset, MOST_SEARCHED))
    return any(
        all(struct.pack("<Q", len(text)) + text in data for text in pair) for pair in GAP_MARKS
    )


def _largest(metadata: Mapping[str, object], key: str) -> int:
    """A number, or the largest of one for each layer."""
    value = metadata.get(key)
    values = value if isinstance(value, tuple) else (value,)
    return max((item for item in values if isinstance(item, int)), default=0)
