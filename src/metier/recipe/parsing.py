"""From TOML to a recipe of a known kind, or a message that names the field and says what it is.

It knows how TOML and validation fail; which kinds of recipe there are it is told.
"""

from __future__ import annotations

import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from metier.errors import InputError

Kind = TypeVar("Kind", bound=BaseModel)


def document_of(text: str, *, where: str) -> dict[str, Any]:
    """The TOML document; raises InputError (code ``bad_recipe``) naming the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{where} is not valid TOML: {error}.",
            code="bad_recipe",
            remedy="See docs/formats/recipe.md for an example.",
        ) from error


def parsed(kind: type[Kind], text: str, *, where: str) -> Kind:
    """Parse TOML as one kind of recipe; raises InputError (code ``bad_recipe``)."""
    return validated(kind, document_of(text, where=where), where=where)


def validated(kind: type[Kind], document: dict[str, Any], *, where: str) -> Kind:
    """A document as one kind of recipe; raises InputError (``bad_recipe``) naming the field."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputError(
            f"{where} is not a valid recipe: {field}: {first['msg']}.",
            code="bad_recipe",
            remedy="See docs/formats/recipe.md for every field.",
        ) from error
