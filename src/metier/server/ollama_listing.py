"""Ollama's lists: what is here, what is in memory, and everything about one model.

Pure translation: no I/O, no framework. Lists write every name with its tag; digests are 64
hexadecimal digits; ``model_info`` is never null, because programs read it without asking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from metier.generating import ModelDetails, ModelListing, ModelSheet, RunningModel
from metier.server.ollama import encoded

FOR_EVER = "2318-01-01T00:00:00Z"
"""When a model that stays for ever is unloaded: Ollama's own longest time is 292 years."""
_COPILOT = "GitHubCopilotChat/"
_NO_DATE = "1970-01-01T00:00:00Z"


def tags(listings: Sequence[ModelListing]) -> bytes:
    """``GET /api/tags``."""
    return encoded({"models": [entry(listing) for listing in listings]})


def entry(listing: ModelListing) -> dict[str, Any]:
    """One model of a list."""
    name = tagged(listing.name)
    return {
        "name": name,
        "model": name,
        "modified_at": dated(listing.modified),
        "size": listing.size_bytes,
        "digest": listing.digest.removeprefix("sha256:"),
        "details": details(listing),
        "capabilities": list(listing.capabilities),
    }


def tagged(name: str) -> str:
    """The name with its tag."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def details(listing: ModelListing) -> dict[str, Any]:
    """What a model's weights are; a length that is not known is left out."""
    known = listing.details
    family = known.family or listing.task
    told: dict[str, Any] = {
        "parent_model": listing.parent or "",
        "format": known.format,
        "family": family,
        "families": list(known.families) or [family],
        "parameter_size": human(known.parameters),
        "quantization_level": known.quantization,
    }
    if known.context_length:
        told["context_length"] = known.context_length
    if known.embedding_length:
        told["embedding_length"] = known.embedding_length
    return told


def human(number: int) -> str:
    """A number of parameters as people write it: ``7.6B``, ``247.5M``, ``512``; "" for 0."""
    if number <= 0:
        return ""
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            # Rounded first, so that 999,960,000 is 1B and not 1000.0M.
            short = round(number / size, 2 if letter == "K" else 1)
            if short >= 1000 and letter != "T":
                return human(round(short) * size)
            return f"{short:g}{letter}" if short == int(short) else f"{short}{letter}"
    return str(number)


def dated(text: str) -> str:
    """An ISO date with its zone; one without is UTC, and one that cannot be read is 1970."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return _NO_DATE
    zoned = date if date.tzinfo else date.replace(tzinfo=UTC)
    return zoned.isoformat().replace("+00:00", "Z")


def processes(running: Sequence[RunningModel]) -> bytes:
    """``GET /api/ps``, the longest-lived first."""
    for_ever = float("inf")
    ordered = sorted(
        running, key=lambda one: for_ever if one.expires is None else one.expires, reverse=True
    )
    return encoded({"models": [_process(one) for one in ordered]})


def _process(one: RunningModel) -> dict[str, Any]:
    name = tagged(one.listing.name)
    expires = FOR_EVER
    if one.expires is not None:
        expires = dated(datetime.fromtimestamp(one.expires, UTC).isoformat())
    return {
        "name": name,
        "model": name,
        "size": one.memory_bytes,
        "digest": one.listing.digest.removeprefix("sha256:"),
        "details": details(one.listing),
        "expires_at": expires,
        "size_vram": one.gpu_bytes,
        "context_length": one.context,
    }


def sheet(given: ModelSheet, *, name: str, system: str = "", agent: str = "") -> bytes:
    """``POST /api/show``; ``metier`` beside Ollama's fields says what the model gets here.

    Args:
        given: Everything about the model.
        name: As the caller wrote it.
        system: Shown in place of the model's own, if not empty.
        agent: The caller's ``User-Agent``: one editor shows ``general.basename`` as the name.
    """
    listing = given.listing
    info = model_info(given)
    if agent.startswith(_COPILOT):
        info["general.basename"] = name
    told: dict[str, Any] = {
        "license": "\n".join(given.licences),
        "modelfile": given.modelfile,
        "parameters": parameters(given.parameters),
        "template": template(given),
        "system": system or given.system,
        "details": details(listing),
        "messages": [{"role": message.role, "content": message.text} for message in given.messages],
        "model_info": info,
        "capabilities": list(listing.capabilities),
        "modified_at": dated(listing.modified),
        "metier": {
            "task": listing.task,
            "context_length": given.context,
            "memory_bytes": given.memory_bytes,
            "proofs": list(given.proofs),
        },
    }
    if given.projector:
        told["projector_info"] = _plain(given.projector)
    if given.tensors:
        told["tensors"] = [
            {"name": tensor, "type": kind, "shape": list(shape)}
            for tensor, kind, shape in given.tensors
        ]
    return encoded(told)


def model_info(given: ModelSheet) -> dict[str, Any]:
    """The header's keys; what programs compute with is there even if the header lacks it."""
    known: ModelDetails = given.listing.details
    info = _plain(given.metadata)
    family = str(info.get("general.architecture") or known.family or given.listing.task)
    info["general.architecture"] = family
    info.setdefault("general.parameter_count", known.parameters)
    info.setdefault(f"{family}.context_length", known.context_length or given.context)
    info.setdefault(f"{family}.embedding_length", known.embedding_length)
    return info


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON knows them: bytes and infinities as text."""
    told: dict[str, Any] = json.loads(json.dumps(dict(values), default=str), parse_constant=str)
    return told


def parameters(given: Mapping[str, Any]) -> str:
    """Text, one ``key value`` a line; a list gives a line for each of its values."""
    lines = []
    for name, value in given.items():
        several = value if isinstance(value, list | tuple) else [value]
        lines += [f"{name:<30} {json.dumps(one, ensure_ascii=False)}" for one in several]
    return "\n".join(lines)


def template(given: ModelSheet) -> str:
    """The template; a comment with ``.Suffix`` stands in it if the model fills in.

    Editors ask for the middle of a text only if the template mentions ``.Suffix``; here the
    model's own tokens do it, which no template shows.
    """
    text = given.template
    if "insert" not in given.listing.capabilities or ".Suffix" in text:
        return text
    go = given.template_language == "go"
    return text + ("{{- /* .Suffix */ -}}" if go else "{#- .Suffix -#}")
