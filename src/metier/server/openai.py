"""OpenAI's dialect: the list of models.

Pure translation: no I/O, no framework. Ids hold ``:`` and ``/``. ``parent`` names the base, as
vLLM does for an adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from metier.generating import ModelListing


def _seconds(date: str) -> int:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def model(item: ModelListing) -> dict[str, Any]:
    """One entry of ``GET /v1/models``; ``created`` is 0 where no date is known."""
    owner, _, _ = item.name.rpartition("/")
    return {
        "id": item.name,
        "object": "model",
        "created": _seconds(item.modified),
        "owned_by": owner or "metier",
        "parent": item.parent,
        "task": item.task,
    }


def models(items: Sequence[ModelListing]) -> dict[str, Any]:
    """``GET /v1/models``."""
    return {"object": "list", "data": [model(item) for item in items]}
