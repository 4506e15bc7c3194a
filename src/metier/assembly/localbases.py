"""A local model behind the answer policy: a ``conversing.Generator`` over the models in memory.

It knows how turns become a question and that a file of the user's own is used where it lies, its
digest remembered by path, size and time. It loads nothing itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from metier.assembly.residences import Loadable
from metier.assembly.translating import draft_of, question_of
from metier.conversing import Draft, OnText, Sampling, Turn
from metier.errors import InputError, NotFoundError
from metier.fleet import shards_of
from metier.formats import describe, read_gguf
from metier.generating import Cancelled, OnPiece, Piece, Question, Weights, Written
from metier.localmodel import base_digest
from metier.reference import Digest

LOCAL = "local:"
MOST_REMEMBERED = 1000


class AskLoadable(Protocol):
    """Answers a question by a local model: ``LocalModels.ask_loadable``."""

    def __call__(
        self,
        loadable: Loadable,
        question: Question,
        *,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """Answer it."""


class LocalGenerator:
    """A local model behind ``conversing.Generator``; threads may share it."""

    def __init__(self, loadable: Loadable, ask: AskLoadable) -> None:
        self._loadable = loadable
        self._ask = ask

    @property
    def name(self) -> str:
        """``local:NAME``."""
        return f"{LOCAL}{self._loadable.name}"

    @property
    def digest(self) -> str:
        """Of its weights, adapters, template, prompt and parameters."""
        return self._loadable.digest

    @property
    def servable(self) -> bool:
        """It answers people."""
        return True

    def generate(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: OnText | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Draft:
        """One draft; see ``generating.Models.ask`` for what it raises."""
        say: OnPiece | None = None
        if on_text is not None:
            heard = on_text

            def say(piece: Piece) -> None:
                if piece.text:
                    heard(piece.text)

        question = question_of(turns, sampling)
        return draft_of(self._ask(self._loadable, question, on_piece=say, cancelled=cancelled))


class FileBases:
    """GGUF files of the user's own as bases; their digests are kept in one small file."""

    def __init__(self, remembered: Path) -> None:
        self._remembered = remembered
        self._lock = threading.Lock()

    def loadable(self, path: Path) -> Loadable:
        """A file (the first of its shards) as a model without a voice of its own.

        Raises:
            NotFoundError: There is no such file (``file_not_found``).
            InputError: It is no sound GGUF file or a shard is missing (``bad_gguf``), or it writes
                nothing (``bad_base``).
        """
        chosen = path.expanduser().absolute()
        if not chosen.is_file():
            raise NotFoundError(
                f"There is no file {str(chosen)!r}.",
                code="file_not_found",
                remedy="Name a GGUF file; of several shards the first.",
            )
        files = shards_of(chosen)
        first, *others = [read_gguf(file) for file in files]
        facts = describe(first, others)
        if facts.kind != "model" or facts.task != "generate":
            what = facts.kind if facts.kind != "model" else f"model that does this: {facts.task}"
            raise InputError(
                f"{path.name!r} holds a {what}, which writes nothing.",
                code="bad_base",
                remedy="Name the GGUF file of a model that writes.",
            )
        digest = base_digest([self._digest(file) for file in files], None)
        return Loadable(name=path.name, weights=Weights(str(digest), tuple(files)))

    def _digest(self, file: Path) -> Digest:
        facts = file.stat()
        key = f"{file}|{facts.st_size}|{facts.st_mtime_ns}"
        with self._lock:
            known = self._read()
            if key not in known:
                with file.open("rb") as opened:
                    known[key] = f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"
                self._write(known)
            return Digest.parse(known[key])

    def _read(self) -> dict[str, str]:
        """What is remembered; nothing if the file is not there or not ours."""
        try:
            found = json.loads(self._remembered.read_bytes())
            return {str(key): str(Digest.parse(value)) for key, value in found.items()}
        except (OSError, ValueError, AttributeError, InputError):
            return {}

    def _write(self, known: dict[str, str]) -> None:
        kept = dict(list(known.items())[-MOST_REMEMBERED:])
        # Only a convenience: a home that cannot be written costs time, not an answer.
        with suppress(OSError):
            self._remembered.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._remembered.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file)
            Path(draft).replace(self._remembered)
