"""Versions of documents: those that have a name, and a folder that a person names.

It knows which source of a pack a version takes the place of. It reads no documents.
"""

from __future__ import annotations

import difflib
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.errors import InputError, NotFoundError
from metier.recipe import DocumentPart, SearchRecipe

VERSIONS = Path(__file__).resolve().parent.parent / "documents"
"""Versions of documents that have a name."""


def versions() -> dict[str, DocumentPart]:
    """Versions of documents by name: ``svelte@5``, ``kit@3`` and the like."""
    found: dict[str, DocumentPart] = {}
    for path in sorted(VERSIONS.glob("*.toml")):
        for name, fields in tomllib.loads(path.read_text("utf-8")).items():
            found[name] = DocumentPart.model_validate({**fields, "version": name})
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of documents that a pack could hold.

    Attributes:
        key: What to give as ``--docs``.
        replaces: The version, or the folder's last name, whose place it would take.
        held: Whether these are the documents that the pack holds.
        command: What would hop to it.
    """

    key: str
    replaces: str
    held: bool
    command: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            "key": self.key,
            "replaces": self.replaces,
            "held": self.held,
            "command": self.command,
        }


def versions_for(name: str, recipe: SearchRecipe) -> tuple[Version, ...]:
    """The versions of what a pack documents, by name.

    Args:
        name: The pack's.
        recipe: The pack's.
    """
    found = []
    for key, part in versions().items():
        place = _family(key, recipe)
        if place is None:
            continue
        before = recipe.data[place]
        held = part.files_sha256 == before.files_sha256
        command = f"metier hop {shlex.quote(name)} --docs {shlex.quote(key)}"
        found.append(Version(key, before.version or Path(before.path).name, held, command))
    return tuple(found)


def wanted(docs: str, recipe: SearchRecipe) -> tuple[int, DocumentPart]:
    """The place of the source that moves, and what comes in its place.

    Args:
        docs: As a person typed it; see ``MovingDocuments.hop``.
        recipe: The champion's.

    Raises:
        InputError: ``other_documents``, ``which_documents``, ``same_documents``.
        NotFoundError: ``no_version``.
    """
    known = versions()
    version, equals, path = docs.partition("=")
    if not equals and docs in known:
        part = known[docs]
        place = _place(part.version, recipe)
        if part.files_sha256 == recipe.data[place].files_sha256:
            raise InputError(
                f"{recipe.specialist.name!r} holds {docs} already.",
                code="same_documents",
                remedy=f"There are {', '.join(known)}; or name a folder.",
            )
        return place, part
    folder = Path(path if equals else docs).absolute()
    if not folder.is_dir():
        near = difflib.get_close_matches(docs, known, n=3)
        guess = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotFoundError(
            f"{docs[:200]!r} is neither a version of documents nor a folder.{guess}",
            code="no_version",
            remedy=f"There are {', '.join(known)}; or name a folder of markdown.",
            details={"near": near},
        )
    if equals:
        place = _place(version, recipe)
    elif len(recipe.data) == 1:
        place, version = 0, recipe.data[0].version
    else:
        raise InputError(
            f"{recipe.specialist.name!r} holds {_held(recipe)}: which of them does the folder "
            "replace?",
            code="which_documents",
            remedy=f"Write --docs VERSION=FOLDER, like {recipe.data[0].version}={docs[:80]}.",
        )
    before = recipe.data[place]
    fields = {
        "kind": "dir",
        "path": str(folder),
        "paths": before.paths,
        "version": version,
        "address": before.address,
        "dialect": before.dialect,
        "licence": before.licence,
    }
    return place, DocumentPart.model_validate(fields)


def _place(version: str, recipe: SearchRecipe) -> int:
    """The source that documents the same thing: ``kit@3`` takes the place of ``kit@2``."""
    place = _family(version, recipe)
    if place is not None:
        return place
    family = version.partition("@")[0]
    raise InputError(
        f"{recipe.specialist.name!r} holds no documents of {family[:80]}, only {_held(recipe)}.",
        code="other_documents",
        remedy="Name another version of what it holds, or make a pack of its own.",
    )


def _family(version: str, recipe: SearchRecipe) -> int | None:
    family = version.partition("@")[0]
    for place, part in enumerate(recipe.data):
        if part.version.partition("@")[0] == family:
            return place
    return None


def _held(recipe: SearchRecipe) -> str:
    return ", ".join(part.version or part.path for part in recipe.data)
