"""OpenAI's dialect: the list of models.

Pure translation: no I/O, no framework. Ids hold ``:`` and ``/``. ``parent`` names the base, as
vLLM does for an adapter. Chat, completions and embeddings arrive with the tasks that answer them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from metier.card import ChatCard
from metier.server.facade import Installed


def _seconds(date: str) -> int:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def model(item: Installed) -> dict[str, Any]:
    """One entry of ``GET /v1/models``; ``created`` is 0 where no date is known."""
    card = item.card
    base = None if card is None or isinstance(card, ChatCard) else card.base
    return {
        "id": item.reference.familiar,
        "object": "model",
        "created": _seconds(card.made) if card is not None else 0,
        "owned_by": item.reference.namespace or "metier",
        "parent": base.name if base is not None else None,
    }


def models(items: Sequence[Installed]) -> dict[str, Any]:
    """``GET /v1/models``."""
    return {"object": "list", "data": [model(item) for item in items]}
