"""Metier's own dialect: what ``/v1/classify`` and ``/metier/v1`` read and write.

Pure translation between JSON and values: no I/O, no framework. The request of ``/v1/classify`` is
checked by hand, because it is on the hot path; ``ClassifyRequest`` and ``ClassifyReply`` are its
description for the OpenAPI document, and the tests hold both to each other.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from metier.card import Card
from metier.errors import InputError
from metier.messages import Prediction, Progress
from metier.server.facade import Installed, Part
from metier.server.limits import Limits

_INPUT_FIELDS = ("input", "texts", "text")


class ClassifyRequest(BaseModel):
    """What to classify. Unknown fields are ignored."""

    model_config = ConfigDict(title="ClassifyRequest")

    model: str = Field(description="Name of a specialist, like `banking-intents`.")
    input: str | list[str] = Field(
        description="One text or a list of texts. `texts` and `text` are read as well."
    )
    top: int = Field(default=5, ge=1, description="How many labels to score per text.")


class LabelScore(BaseModel):
    """One label and its calibrated probability."""

    label: str
    probability: float


class ClassifyResult(BaseModel):
    """The answer to one text.

    `label` is null when the specialist abstains; `best` is what it would have said.
    """

    label: str | None
    probability: float
    best: str
    abstained: bool
    out_of_scope: bool
    energy: float | None
    scores: list[LabelScore]


class ClassifyUsage(BaseModel):
    """What the call took."""

    texts: int
    milliseconds: float


class ClassifyReply(BaseModel):
    """The answers, in the order of the texts.

    For a single text, given as a string, `label` and `probability` of its one result stand at the
    top as well.
    """

    object: str = "classification"
    model: str
    results: list[ClassifyResult]
    usage: ClassifyUsage
    label: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A checked request of ``/v1/classify``."""

    model: str
    texts: tuple[str, ...]
    top: int
    single: bool


def _wrong(message: str, param: str, remedy: str, code: str = "bad_request") -> InputError:
    return InputError(message, code=code, remedy=remedy, details={"param": param})


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; raises InputError (``not_json``, ``bad_encoding``)."""
    try:
        value = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"The body is not UTF-8: byte {error.start} is wrong.",
            code="bad_encoding",
            remedy="Send JSON in UTF-8.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The body is not JSON: {str(error)[:200]}.",
            code="not_json",
            remedy='Send an object like {"model": "banking-intents", "input": "a text"}.',
        ) from error
    if not isinstance(value, dict):
        raise InputError(
            f"The body is a JSON {type(value).__name__}, not an object.",
            code="not_json",
            remedy='Send an object like {"model": "banking-intents", "input": "a text"}.',
        )
    return value


def parse_question(body: bytes, limits: Limits) -> Question:
    """The checked request; raises InputError naming the field that is wrong."""
    asked = parse_json(body)
    model = asked.get("model")
    if not isinstance(model, str) or not model:
        raise _wrong(
            "The field 'model' is missing or not text.",
            "model",
            "Give the name of a specialist; GET /v1/models lists them.",
        )
    field = next((name for name in _INPUT_FIELDS if asked.get(name) is not None), None)
    if field is None:
        raise _wrong(
            "The field 'input' is missing.", "input", "Give one text or a list of texts as 'input'."
        )
    given = asked[field]
    single = isinstance(given, str)
    texts = (given,) if isinstance(given, str) else given
    if not isinstance(texts, tuple | list):
        raise _wrong(
            f"'{field}' is a {type(given).__name__}.", field, "Give one text or a list of texts."
        )
    if not texts:
        raise _wrong(f"'{field}' is an empty list.", field, "Give at least one text.")
    if len(texts) > limits.texts:
        raise _wrong(
            f"'{field}' has {len(texts):,} texts; one call takes {limits.texts:,}.",
            field,
            "Send them in several calls.",
            "too_large",
        )
    for position, text in enumerate(texts):
        check_text(text, field if single else f"{field}[{position}]", limits)
    return Question(model, tuple(texts), _top(asked.get("top"), limits), single)


def check_text(text: object, where: str, limits: Limits) -> None:
    """Raise InputError unless ``text`` can be classified; ``where`` names it for people."""
    if not isinstance(text, str):
        raise _wrong(f"'{where}' is a {type(text).__name__}.", where, "Every text is a string.")
    if len(text) > limits.text_characters:
        raise _wrong(
            f"'{where}' has {len(text):,} characters; a text may have {limits.text_characters:,}.",
            where,
            "Cut the text, or classify it in pieces.",
            "too_large",
        )
    if not text.strip():
        raise _wrong(f"'{where}' is empty.", where, "Leave empty texts out.")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _wrong(
                f"'{where}' has half a surrogate pair at character {error.start}.",
                where,
                "Send whole characters.",
            ) from error


def _top(value: object, limits: Limits) -> int:
    if value is None:
        return 5
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limits.top:
        raise _wrong(
            f"'top' is {str(value)[:40]!r}.", "top", f"Give a whole number from 1 to {limits.top}."
        )
    return value


def result(prediction: Prediction) -> dict[str, Any]:
    """One prediction as JSON."""
    return {
        "label": prediction.label,
        "probability": prediction.probability,
        "best": prediction.best,
        "abstained": prediction.abstained,
        "out_of_scope": prediction.out_of_scope,
        "energy": prediction.energy,
        "scores": [
            {"label": label, "probability": probability} for label, probability in prediction.scores
        ],
    }


def reply(question: Question, predictions: Sequence[Prediction], milliseconds: float) -> bytes:
    """The body that answers ``question``."""
    answer: dict[str, Any] = {
        "object": "classification",
        "model": question.model,
        "results": [result(prediction) for prediction in predictions],
        "usage": {"texts": len(question.texts), "milliseconds": round(milliseconds, 3)},
    }
    if question.single:
        answer["label"] = predictions[0].label
        answer["probability"] = predictions[0].probability
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def plain(value: Any) -> Any:
    """``value`` as JSON types: pydantic models, dataclasses, mappings, sequences, enums."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {item.name: plain(getattr(value, item.name)) for item in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return str(value)


def progress(step: Progress) -> dict[str, Any]:
    """One step of long work as JSON."""
    return {
        "stage": step.stage,
        "message": step.message,
        "fraction": step.fraction,
        "seconds_left": step.seconds_left,
        "data": plain(step.data),
    }


def summary(item: Installed) -> dict[str, Any]:
    """One row of the fleet: what it is, its headline score and its evidence."""
    name = item.reference.familiar
    row: dict[str, Any] = {
        "name": name,
        "kind": item.kind,
        "digest": str(item.digest),
        "size_bytes": item.size_bytes,
        "href": f"/metier/v1/specialists/{name}",
        "page": f"/specialists/{name}",
    }
    card = item.card
    if card is not None:
        row |= {
            "task": card.task,
            "domain": card.domain,
            "description": card.description,
            "rows": plain(card.rows),
            "cost": plain(card.cost),
            "made": card.made,
        }
    if isinstance(card, Card):
        row |= {
            "labels": len(card.labels),
            "rung": card.rung,
            "base": plain(card.base),
            "scores": plain(card.scores),
            "evidence": plain(card.evidence),
        }
    return row


def detail(item: Installed, parts: Sequence[Part]) -> dict[str, Any]:
    """One specialist: the card, whole, and its files."""
    name = item.reference.familiar
    return {
        "name": name,
        "kind": item.kind,
        "digest": str(item.digest),
        "size_bytes": item.size_bytes,
        "page": f"/specialists/{name}",
        "card": plain(item.card),
        "parts": [
            {"filepath": part.filepath, "digest": str(part.digest), "size_bytes": part.size}
            for part in parts
        ],
        "results": {role: f"/metier/v1/specialists/{name}/results/{role}" for role in roles(parts)},
    }


def roles(parts: Sequence[Part]) -> list[str]:
    """The roles that have a result among ``parts``: ``specialist``, ``base``, …."""
    return [
        part.filepath.removeprefix("results/").removesuffix(".jsonl")
        for part in parts
        if part.filepath.startswith("results/") and part.filepath.endswith(".jsonl")
    ]
