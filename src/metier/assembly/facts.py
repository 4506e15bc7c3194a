"""What GGUF headers say, remembered by file for as long as it is the same.

Reading and understanding a header is ``formats``' matter, arithmetic the scheduler's.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metier.formats import GgufFacts, GgufHeader, describe, read_gguf
from metier.generating import Task
from metier.scheduler import Shape, scratch_bytes
from metier.scheduler.sizing import SLOTS

MOST_REMEMBERED = 1024

Stamp = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a base: what it is, and the header of its first file."""

    facts: GgufFacts
    header: GgufHeader


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
            found = Read(describe(first, others), first)
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


def _largest(metadata: Mapping[str, object], key: str) -> int:
    """A number, or the largest of one for each layer."""
    value = metadata.get(key)
    values = value if isinstance(value, tuple) else (value,)
    return max((item for item in values if isinstance(item, int)), default=0)
