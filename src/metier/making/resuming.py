"""What a make that was stopped need not do again: rungs that were climbed, texts that were encoded.

It keeps arrays under the hash of everything that they follow from (rows, seed, rung, encoder,
libraries, class of processor), so that a make that goes on ends on the very bytes of one that was
never stopped. It knows no rung and no encoder; what it cannot keep or read is computed again.
"""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from metier.heads import FloatArray
from metier.manifest import canonical_json

KEPT_SECONDS = 7 * 86_400.0
"""How long what was kept waits for its make to go on."""
MOST_BYTES = 2 << 30
"""Of one make; what is over it is computed again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One array and the facts beside it."""

    array: FloatArray
    facts: Mapping[str, Any]


@dataclass
class Keeper:
    """The folder of one make.

    Attributes:
        folder: Where arrays lie; ``None`` keeps nothing.
        written: Bytes so far.
        base: Digest of the base of this make: part of the key of what stands on a base.
    """

    folder: Path | None = None
    written: int = field(default=0)
    base: str | None = None

    @classmethod
    def open(
        cls, journals: Path, identity: Mapping[str, Any], *, base: str | None = None
    ) -> Keeper:
        """The keeper of the make that ``identity`` stands for; forgets those of last week."""
        above = journals / "climbs"
        before = time.time() - KEPT_SECONDS
        with suppress(OSError):
            for folder in above.iterdir():
                if folder.stat().st_mtime < before:
                    shutil.rmtree(folder, ignore_errors=True)
        folder = above / sha256(canonical_json(dict(identity))).hexdigest()[:32]
        written = 0
        with suppress(OSError):
            written = sum(path.stat().st_size for path in folder.iterdir())
        return cls(folder, written, base)

    def find(self, key: Mapping[str, Any]) -> Kept | None:
        """What was kept under a key, if it is sound."""
        if self.folder is None:
            return None
        try:
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as found:
                facts = json.loads(bytes(found["facts"]))
                return Kept(np.asarray(found["array"], np.float32), facts)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
            return None

    def keep(self, key: Mapping[str, Any], array: FloatArray, facts: Mapping[str, Any]) -> None:
        """Keep an array; a full disk is no reason to stop the make."""
        if self.folder is None or self.written + array.nbytes > MOST_BYTES:
            return
        path = self._path(key)
        draft = path.with_suffix(".new")
        told = np.frombuffer(json.dumps(dict(facts)).encode(), np.uint8)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                np.savez(file, array=array, facts=told)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            return
        self.written += array.nbytes

    def discard(self) -> None:
        """Remove everything: what was made is installed."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):
                self.folder.parent.rmdir()  # unless another make keeps something there

    def _path(self, key: Mapping[str, Any]) -> Path:
        assert self.folder is not None
        return self.folder / f"{sha256(canonical_json(dict(key))).hexdigest()[:40]}.npz"
