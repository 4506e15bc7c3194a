"""OpenAI's ``/v1/embeddings``, and ``/v1/rerank`` as Jina and Cohere have it.

Pure translation: no I/O, no framework. Vectors have unit length, as OpenAI's have; base64 is of
little-endian float32, which is what OpenAI's clients ask for unless told otherwise.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.generating import Embedded, Ranked
from metier.server import openai_fields as fields

MOST_INPUTS = 2048
MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class EmbeddingsAsked:
    """A checked request for vectors; ``dimensions`` is how many numbers of each are wanted."""

    model: str
    inputs: tuple[str, ...]
    packed: bool
    dimensions: int | None


def parse_embeddings(asked: Mapping[str, Any]) -> EmbeddingsAsked:
    """The checked request; raises InputError (``bad_request``) naming the field that is wrong."""
    model = fields.model_of(asked)
    given = asked.get("input")
    listed = given if isinstance(given, list) else [given]
    if any(isinstance(item, list) or _is_number(item) for item in listed):
        raise fields.wrong(
            "'input' holds token numbers. They are of another vocabulary than this model's.",
            "input",
            "Send text; in LangChain set check_embedding_ctx_length=False.",
        )
    inputs = fields.texts(asked, "input", MOST_INPUTS)
    if not inputs:
        raise fields.wrong("'input' is missing or empty.", "input", "Give a text or texts.")
    _check_length(inputs, "input")
    form = asked.get("encoding_format")
    if form not in (None, "float", "base64"):
        raise fields.wrong(
            f"'encoding_format' is {str(form)[:40]!r}.", "encoding_format", "float or base64."
        )
    return EmbeddingsAsked(
        model, inputs, form == "base64", fields.whole(asked, "dimensions", 1, 1_000_000)
    )


def _is_number(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def _check_length(texts: Sequence[str], where: str) -> None:
    longest = max(map(len, texts))
    if longest > MOST_CHARACTERS:
        raise fields.wrong(
            f"'{where}' has a text of {longest:,} characters.",
            where,
            f"Cut it; {MOST_CHARACTERS:,} are read.",
        )


def embeddings(asked: EmbeddingsAsked, found: Embedded) -> dict[str, Any]:
    """The answer; raises InputError if more dimensions are asked for than there are."""
    data = []
    for place, vector in enumerate(found.vectors):
        numbers = unit(_shortened(vector, asked.dimensions))
        data.append(
            {
                "object": "embedding",
                "index": place,
                "embedding": packed(numbers) if asked.packed else numbers,
            }
        )
    return {
        "object": "list",
        "data": data,
        "model": asked.model,
        "usage": {"prompt_tokens": found.tokens, "total_tokens": found.tokens},
    }


def _shortened(vector: Sequence[float], dimensions: int | None) -> Sequence[float]:
    if dimensions is None:
        return vector
    if dimensions > len(vector):
        raise fields.wrong(
            f"'dimensions' is {dimensions:,}; this model has {len(vector):,}.",
            "dimensions",
            "Ask for as many or fewer.",
        )
    return vector[:dimensions]


def unit(vector: Sequence[float]) -> list[float]:
    """The vector at length 1; one of zeros stays as it is."""
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length > 0 else list(vector)


def packed(vector: Sequence[float]) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


@dataclass(frozen=True, slots=True)
class RerankAsked:
    """A checked request for an order of documents."""

    model: str
    query: str
    documents: tuple[str, ...]
    top: int | None
    with_documents: bool


def parse_rerank(asked: Mapping[str, Any]) -> RerankAsked:
    """The checked request; raises InputError (``bad_request``) naming the field that is wrong."""
    model = fields.model_of(asked)
    query = asked.get("query")
    if not isinstance(query, str) or not query.strip():
        raise fields.wrong("'query' is missing or blank.", "query", "Write what you look for.")
    given = asked.get("documents")
    if not isinstance(given, list) or not given:
        raise fields.wrong("'documents' is missing or empty.", "documents", "Give a list of texts.")
    if len(given) > MOST_INPUTS:
        raise fields.wrong(
            f"'documents' has {len(given):,} entries.",
            "documents",
            f"Give {MOST_INPUTS:,} at most.",
        )
    found: list[str] = []
    for place, item in enumerate(given):
        text = item.get("text") if isinstance(item, dict) else item
        if not isinstance(text, str):
            raise fields.wrong(
                f"documents[{place}] is not text.", f"documents[{place}]", 'A text or {"text": …}.'
            )
        found.append(fields.check_text(text, f"documents[{place}]"))
    _check_length([query, *found], "documents")
    return RerankAsked(
        model,
        fields.check_text(query, "query"),
        tuple(found),
        fields.whole(asked, "top_n", 1, 2**31),
        fields.flag(asked, "return_documents", otherwise=True),
    )


def ranking(asked: RerankAsked, found: Ranked) -> dict[str, Any]:
    """The answer, best first."""
    results: list[dict[str, Any]] = []
    for place, score in found.order[: asked.top]:
        result: dict[str, Any] = {"index": place, "relevance_score": score}
        if asked.with_documents:
            result["document"] = {"text": asked.documents[place]}
        results.append(result)
    return {
        "object": "list",
        "model": asked.model,
        "results": results,
        "usage": {"prompt_tokens": found.tokens, "total_tokens": found.tokens},
    }
