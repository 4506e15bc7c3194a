"""Where models came from: what need not be fetched again, and which base an adapter means.

It reads the fleet and compares digests; it asks no network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from metier.errors import InputError, MetierError
from metier.fleet import Fleet, Installed
from metier.hub import Choice, RemoteFile, Repository
from metier.localmodel import MODEL_FILE
from metier.reference import Digest, Reference

MADE_FROM = "io.metier.origin"
"""Annotation: the repository that a model's card says it was made from."""
_SMALL = 16 << 20
_KEPT = ("model.safetensors", "tokenizer.json", "config.json")
"""Files of an encoder's repository that its base keeps byte by byte."""


class Origins:
    """What one fleet knows of the sources of its models."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def unchanged(
        self, reference: Reference, choice: Choice, came_from: str, base: str | None
    ) -> Installed | None:
        """What has the name, if it came from these very files and all of its bytes are sound.

        Args:
            reference: The name.
            choice: What would be fetched.
            came_from: ``hf.co/owner/name@commit``.
            base: The base that an adapter is wanted over, or ``None``: whichever it is over.
        """
        with suppress(MetierError):
            there = self._fleet.show(str(reference))
            if not self._same(there, choice, came_from, base):
                return None
            for part in self._fleet.parts(there):
                self._fleet.store.blob_path(part.digest)
            return there
        return None

    def held(self, file: RemoteFile, reference: Reference | None) -> Path | None:
        """A proved blob that is the file: by its SHA-256 or, for small ones, by git's name.

        Args:
            file: What is wanted.
            reference: Where small files are looked for, or ``None``.
        """
        with suppress(MetierError):
            if file.sha256:
                return self._fleet.store.blob_path(Digest(file.sha256))
            if file.git_sha1 and reference is not None:
                return self._by_git(file, self._fleet.show(str(reference)))
        return None

    def base_for(self, wants: str, reference: Reference) -> str:
        """The installed base that came from ``wants``, or whose card says it was made from it.

        Raises:
            InputError: None is here, or ``wants`` is empty (code ``no_base``).
        """
        for item in self._fleet.list() if wants else ():
            if item.kind == "base" and wants.lower() in _origins(item):
                return item.name
        if not wants:
            raise InputError(
                f"{reference.familiar} is an adapter and does not say over which base.",
                code="no_base",
                remedy="Name an installed one with --base.",
            )
        raise InputError(
            f"{reference.familiar} is an adapter over {wants!r}, which is not here.",
            code="no_base",
            remedy=f"Pull its base first ('metier pull hf.co/{wants}'), or name an installed one "
            "with --base.",
            details={"base": wants},
        )

    def stamped(self, made: Installed, came_from: str, repository: Repository) -> Installed:
        """The same model with its source written down; encoders carry their digests instead."""
        if made.model is None or made.model.source == came_from:
            return made
        notes = {MADE_FROM: repository.base} if repository.base else {}
        files = {
            part.filepath: part.digest
            for part in self._fleet.parts(made)
            if part.filepath != MODEL_FILE
        }
        return self._fleet.install_model(
            made.reference,
            made.model.model_copy(update={"source": came_from[:600]}),
            files,
            kind="base" if made.kind == "base" else "specialist",
            annotations=notes,
            licence=repository.licence,
        )

    def _same(self, there: Installed, choice: Choice, came_from: str, base: str | None) -> bool:
        if there.model is None:
            kept = [file for file in choice.files if file.path in _KEPT]
            return choice.kind == "folder" and len(kept) == len(_KEPT) and self._all(there, kept)
        if there.model.source != came_from or base not in (None, there.model.parent):
            return False
        return choice.kind != "gguf" or self._all(there, choice.files)

    def _all(self, there: Installed, files: Sequence[RemoteFile]) -> bool:
        """Whether every file is a part under its own name."""
        parts = {part.filepath: part for part in self._fleet.parts(there)}
        for file in files:
            part = parts.get(file.filename)
            if part is None or file.sha256 not in (None, part.digest.hex):
                return False
            if file.sha256 is None and self._by_git(file, there) is None:
                return False
        return True

    def _by_git(self, file: RemoteFile, there: Installed) -> Path | None:
        if file.size is None or file.size > _SMALL:
            return None
        for part in self._fleet.parts(there):
            if part.size_bytes == file.size:
                path = self._fleet.part_path(there, part.filepath)
                if git_sha1(path.read_bytes()) == file.git_sha1:
                    return path
        return None


def git_sha1(data: bytes) -> str:
    """What git calls a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _origins(item: Installed) -> set[str]:
    """Repositories that an installed model came from or was made from, in lower case."""
    source = (item.model.source or "") if item.model else ""
    named = item.manifest.annotations.get(MADE_FROM, "")
    came = source.removeprefix("hf.co/").partition("@")[0]
    return {name.lower() for name in (came, named) if name}
