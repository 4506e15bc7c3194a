"""What the hub says when a person searches it: its models as entries, and single facts of one.

It is asked only when a person asks, and through ``asking``. What comes
back is what the hub says, with the hub's page as its source; nothing of it is a claim of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from pydantic import ValidationError

from metier.errors import InputError, MetierError
from metier.finding import Entry, Source
from metier.hub.asking import PUBLIC_ENDPOINT, ask_api
from metier.hub.naming import HUB, parse_source

Order = Literal["downloads", "createdAt"]
Answer = Mapping[str, Any]
TASKS = {
    "chat": "text-generation", "complete": "text-generation", "classify": "text-classification",
    "classify-image": "image-classification", "describe-image": "image-text-to-text",
    "embed": "feature-extraction", "rerank": "text-ranking", "entities": "token-classification",
    "extract": "text-generation", "search": "feature-extraction",
}  # fmt: skip
"""Our tasks as the hub calls them."""
_BACK = {
    "text-generation": "chat", "text-classification": "classify",
    "zero-shot-classification": "classify", "image-classification": "classify-image",
    "zero-shot-image-classification": "classify-image", "image-text-to-text": "describe-image",
    "visual-question-answering": "describe-image", "image-to-text": "describe-image",
    "feature-extraction": "embed", "sentence-similarity": "embed", "text-ranking": "rerank",
    "token-classification": "entities",
}  # fmt: skip
_EXPANDED = [
    "cardData", "createdAt", "downloads", "gguf", "library_name", "pipeline_tag", "safetensors",
    "tags",
]  # fmt: skip
_MOST = 200
_LONGEST = 300
_RUNNABLE = frozenset({"llama", "qwen2", "qwen3", "bert"})
"""Families that Metier loads from safetensors; a GGUF is loaded of any that its engine knows."""
_LICENCES = {
    "apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-3-clause": "BSD-3-Clause",
    "cc-by-4.0": "CC-BY-4.0", "cc-by-sa-4.0": "CC-BY-SA-4.0", "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0", "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "bigcode-openrail-m": "BigCode-OpenRAIL-M", "gemma": "Gemma", "llama2": "Llama-2",
    "llama3": "Llama-3", "deepseek": "DeepSeek", "lfm1.0": "LFM-Open-1.0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What the hub says of one model; ``None`` for what it does not say.

    Attributes:
        name: ``owner/name``.
        licence: SPDX name where there is one.
        parameters: Their number, as the files' headers say.
        base: What it was made from.
        created: ISO date.
        downloads: In the last month.
    """

    name: str
    licence: str | None
    parameters: int | None
    base: str | None
    created: str | None
    downloads: int | None


def search_hub(
    words: str,
    *,
    task: str = "",
    most_parameters: int | None = None,
    order: Order = "downloads",
    limit: int = 20,
    endpoint: str = PUBLIC_ENDPOINT,
    token: str | None = None,
    today: str,
) -> tuple[Entry, ...]:
    """Models that the hub finds for words, in its order.

    Args:
        words: Searched in names.
        task: One of ours, or "" for any.
        most_parameters: No more than these, where the hub knows them.
        order: What comes first.
        limit: Entries at most.
        endpoint: Base address of the hub.
        token: Sent to the endpoint and nobody else, or ``None``.
        today: ISO date, the day on which the hub said so.

    Raises:
        UnavailableError: ``hub_unreachable``, ``hub_failed``, ``hub_limited``, ``hub_refused``.
    """
    most = min(limit, _MOST)
    params: dict[str, Any] = {"sort": order, "limit": most, "expand": _EXPANDED}
    if words:
        params["search"] = words
    if task:
        params["pipeline_tag"] = TASKS.get(task, task)
    if most_parameters:
        params["num_parameters"] = f"max:{most_parameters}"
    what = f"models for {words[:80]!r}"
    found = ask_api("models", params, what=what, endpoint=endpoint, token=token)
    listed = found if isinstance(found, list) else []
    return tuple(_entries(listed[:most], endpoint, today))


def ask_facts(name: str, *, endpoint: str = PUBLIC_ENDPOINT, token: str | None) -> Said:
    """What the hub says of one model; raises as ``ask_repository``."""
    path = f"models/{quote(name, safe='/')}"
    found = ask_api(path, {"expand": _EXPANDED}, what=name, endpoint=endpoint, token=token)
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise InputError(f"The hub's answer about {name} is odd.", code="bad_repository")
    return _said(found)


def _entries(found: Iterable[Any], endpoint: str, today: str) -> Iterable[Entry]:
    for info in found:
        if isinstance(info, dict) and isinstance(info.get("id"), str):
            # A name or a number that no entry takes: the hub's oddity, not this person's trouble.
            with suppress(ValidationError):
                yield _entry(info, endpoint, today)


def _entry(info: Answer, endpoint: str, today: str) -> Entry:
    said = _said(info)
    tag = _text(info.get("pipeline_tag")) or "text-generation"
    task = _BACK.get(tag, tag)
    pull = _pull(info)
    downloads = f"{said.downloads:,} downloads in the last month" if said.downloads else ""
    told = [f"The hub says: {downloads or 'not downloaded in the last month'}."]
    if not pull:
        told.append("Metier cannot run it yet: no GGUF, and of no family that it converts.")
    facts: dict[str, Any] = {
        "task": task[:_LONGEST],
        "upstream": f"{_public(endpoint)}/{quote(said.name, safe='/')}",
        "pull": pull,
        "parameters": said.parameters,
        "licence": said.licence,
        "base": said.base,
        "languages": tuple(tag for tag in _tags(info) if re.fullmatch(r"[a-z]{2}", tag))[:20],
        "released": said.created,
    }
    source = Source(address=facts["upstream"], read=today)
    stated = {name: value for name, value in facts.items() if value not in (None, "", ())}
    return Entry(
        name=said.name,
        kind="model",
        description=" ".join(told),
        also=tuple(tag[:_LONGEST] for tag in _tags(info)[:20] if ":" not in tag),
        sources=dict.fromkeys(("name", *stated), source),
        **stated,
    )


def _said(info: Answer) -> Said:
    card = info.get("cardData")
    card = card if isinstance(card, dict) else {}
    base = card.get("base_model")
    base = base[0] if isinstance(base, list) and base else base
    licence = card.get("license") or next(iter(_tags(info, "license:")), None)
    created, downloads = info.get("createdAt"), info.get("downloads")
    day = created[:10] if isinstance(created, str) else ""
    return Said(
        name=str(info["id"]),
        licence=spdx(licence) if isinstance(licence, str) else None,
        parameters=_parameters(info),
        base=base[:200] if isinstance(base, str) else None,
        created=day if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) else None,
        downloads=downloads if isinstance(downloads, int) else None,
    )


def spdx(licence: str) -> str | None:
    """A licence in the word of SPDX, or the hub's; ``None`` where it says only ``other``."""
    word = licence.strip().lower()[:100]
    return None if word in ("", "other", "unknown") else _LICENCES.get(word, word)


def _parameters(info: Answer) -> int | None:
    """As the headers of its files say: safetensors first, else GGUF."""
    for kind in ("safetensors", "gguf"):
        header = info.get(kind)
        number = header.get("total") if isinstance(header, dict) else None
        if isinstance(number, int) and number >= 0:
            return number
    return None


def _pull(info: Answer) -> str:
    """What ``metier pull`` takes, if the hub's tags say that it could be loaded."""
    tags = {tag.lower() for tag in _tags(info)}
    runnable = "gguf" in tags or ("safetensors" in tags and tags & _RUNNABLE)
    if not runnable or "custom_code" in tags:
        return ""
    with suppress(MetierError):
        return str(parse_source(f"{HUB}/{info['id']}", anywhere=False))
    return ""


def _tags(info: Answer, start: str = "") -> list[str]:
    tags = info.get("tags")
    listed = tags if isinstance(tags, list) else []
    found = [tag for tag in listed if isinstance(tag, str) and tag.startswith(start)]
    return [tag.removeprefix(start) for tag in found]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _public(endpoint: str) -> str:
    """The address of the hub as a source names it: https, or the public hub's."""
    return endpoint.rstrip("/") if endpoint.startswith("https://") else PUBLIC_ENDPOINT
