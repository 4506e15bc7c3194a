"""Values as the JSON documents of ``--json``.

It knows how each kind of value becomes JSON types. It prints nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from metier.reference import Digest, Reference

if TYPE_CHECKING:
    from metier.fleet import Installed
    from metier.messages import Prediction


def to_document(value: Any) -> Any:
    """A value as JSON types: pydantic models, dataclasses, mappings, sequences, digests, paths.

    Raises:
        TypeError: There is no JSON for it.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Digest | Reference | PurePath):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_document(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_document(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {f.name: to_document(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"There is no JSON for {type(value).__name__}.")


def installed_document(item: Installed, *, card: bool) -> dict[str, Any]:
    """One entry of the fleet; ``card`` puts the whole card in, else its accuracy and verdict."""
    document: dict[str, Any] = {
        "name": item.reference.familiar,
        "kind": item.kind,
        "digest": str(item.digest),
        "size_bytes": item.size_bytes,
        "modified": to_document(item.modified),
    }
    if item.card is None:
        return document
    document["task"] = item.card.task
    if item.classifier is not None:
        evidence = item.classifier.against("base")
        document["labels"] = len(item.classifier.labels)
        document["accuracy"] = to_document(item.classifier.accuracy())
        document["against_base"] = to_document(evidence.difference) if evidence else None
        document["ms_per_text"] = item.classifier.cost.ms_per_text
    if item.chat is not None:
        document |= {"packs": list(item.chat.packs), "tools": list(item.chat.tools)}
    if item.pack is not None:
        document["passages"] = item.pack.passages
    if card:
        document["card"] = item.card.to_dict()
    return document


def prediction_document(text: str, prediction: Prediction) -> dict[str, Any]:
    """One answer with the text it answers."""
    return {
        "text": text,
        "label": prediction.label,
        "probability": prediction.probability,
        "best": prediction.best,
        "abstained": prediction.abstained,
        "out_of_scope": prediction.out_of_scope,
        "energy": prediction.energy,
        "scores": [{"label": label, "probability": p} for label, p in prediction.scores],
    }
