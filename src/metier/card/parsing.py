"""From the bytes of ``card.json`` to a card of a known kind, or the field that is wrong."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from metier.errors import CorruptError

Kind = TypeVar("Kind", bound=BaseModel)


def card_of(kind: type[Kind], data: bytes) -> Kind:
    """Parse one kind of card; raises CorruptError (code ``bad_card``) naming the field."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise CorruptError(
            f"The card is not valid: {where}: {first['msg']}.", code="bad_card"
        ) from error
