"""What a GGUF header says that matters for memory and for people, remembered by file.

It knows the keys of the header; reading it is ``formats``' matter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.generating import Task
from metier.scheduler import Shape, cache_bytes_per_token, scratch_bytes
from metier.scheduler.sizing import SLOTS

MOST_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """The keys of one header.

    Attributes:
        metadata: Keys and values; long lists may be missing.
        vocabulary: Number of tokens; 0 if not known.
    """

    metadata: Mapping[str, Any]
    vocabulary: int = 0

    @property
    def architecture(self) -> str:
        """``llama``, ``qwen2`` …, or ""."""
        return str(self.metadata.get("general.architecture") or "")

    def number(self, key: str) -> int:
        """The value of ``<architecture>.<key>``, 0 if it is not there; the largest of a list."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = max((item for item in value if isinstance(item, int)), default=0)
        return int(value) if isinstance(value, int | float) else 0

    def shape(self, task: Task) -> Shape:
        """What memory follows from, without the files' sizes."""
        layers, width = self.number("block_count"), self.number("embedding_length")
        heads = self.number("attention.head_count")
        per_head = width // heads if heads else 0
        key = self.number("attention.key_length") or per_head
        value = self.number("attention.value_length") or per_head
        groups = self.metadata.get(f"{self.architecture}.attention.head_count_kv")
        if isinstance(groups, Sequence) and not isinstance(groups, str):
            counts: int | list[int] = [int(group) for group in groups]
        else:
            counts = int(groups) if isinstance(groups, int | float) else heads
        return Shape(
            weights=0,
            trained=self.number("context_length"),
            cache=cache_bytes_per_token(layers, counts, key, value),
            scratch=scratch_bytes(
                self.vocabulary, width, self.number("feed_forward_length") or 4 * width
            ),
            slots=SLOTS if task == "generate" else 1,
        )


Read = Callable[[Path], HeaderFacts]


class Facts:
    """The headers of files, each read once for as long as the file is the same."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int, int], HeaderFacts] = {}

    def of(self, path: Path) -> HeaderFacts:
        """What the header of a GGUF file says; raises InputError (``bad_gguf``)."""
        facts = path.stat()
        key = (str(path), facts.st_size, facts.st_mtime_ns)
        with self._lock:
            found = self._known.get(key)
        if found is None:
            found = self._read(path)
            with self._lock:
                if len(self._known) >= MOST_REMEMBERED:
                    self._known.clear()
                self._known[key] = found
        return found
