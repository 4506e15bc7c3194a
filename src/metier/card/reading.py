"""Which kind of card some bytes are: ``task`` decides, ``classify`` where it is not said."""

from __future__ import annotations

import json

from metier.card.chat import ChatCard
from metier.card.classifier import Card
from metier.card.search import SearchCard
from metier.errors import CorruptError

AnyCard = Card | ChatCard | SearchCard
"""A card of any task."""

_KINDS: dict[str, type[AnyCard]] = {
    "classify": Card,
    "classify-image": Card,
    "chat": ChatCard,
    "search": SearchCard,
}


def read_card(data: bytes) -> AnyCard:
    """Parse a card of any task.

    Raises:
        CorruptError: It is not JSON, has a task that is not known here, or a field is wrong (code
            ``bad_card``).
    """
    try:
        document = json.loads(data)
    except ValueError as error:
        raise CorruptError(f"The card is not JSON: {error}.", code="bad_card") from error
    task = document.get("task", "classify") if isinstance(document, dict) else "classify"
    kind = _KINDS.get(task) if isinstance(task, str) else None
    if kind is None:
        raise CorruptError(
            f"The card is not valid: task: {str(task)[:40]!r} is not one of {', '.join(_KINDS)}.",
            code="bad_card",
            remedy="It may come from a newer version of Metier.",
        )
    return kind.from_bytes(data)
