"""A local model as values that its page draws: facts, settings, what it is good for.

It lays out what a sheet says; it writes no HTML and measures nothing.
"""

from __future__ import annotations

from metier.generating import ModelSheet, RunningModel
from metier.site import words
from metier.site.values import Item

MOST_TEXT = 20_000
_ABLE = {
    "completion": "writes",
    "tools": "calls tools",
    "insert": "fills in gaps",
    "vision": "sees pictures",
    "embedding": "embeds texts",
    "thinking": "thinks first",
}


def abilities(sheet: ModelSheet) -> list[str]:
    """What it can do, in words."""
    return [_ABLE[name] for name in sheet.listing.capabilities if name in _ABLE]


def facts(sheet: ModelSheet, running: RunningModel | None) -> list[tuple[str, str]]:
    """Name and value of what people ask about a model, without what is not known."""
    details = sheet.listing.details
    context = f"{sheet.context:,} tokens here" if sheet.context else ""
    if details.context_length:
        trained = f"trained for {details.context_length:,}"
        context = f"{context}, {trained}" if context else trained
    rows = [
        ("architecture", details.family),
        ("parameters", words.count(details.parameters) if details.parameters else ""),
        ("quantisation", details.quantization),
        ("context", context),
        ("width", words.count(details.embedding_length) if details.embedding_length else ""),
        ("memory it would take", words.size(sheet.memory_bytes) if sheet.memory_bytes else ""),
        ("in memory now", _now(running) if sheet.memory_bytes else ""),
        ("settings", _settings(sheet)),
    ]
    return [(name, value) for name, value in rows if value]


def entry(item: Item) -> str:
    """What an entry without a card is, in a word for the list."""
    return "base" if item.kind == "base" else "made from a base"


def _now(running: RunningModel | None) -> str:
    if running is None:
        return "no; it is loaded when somebody asks"
    return f"{words.size(running.memory_bytes)}, with {running.context:,} tokens of context"


def _settings(sheet: ModelSheet) -> str:
    return ", ".join(f"{name} {value}" for name, value in sheet.parameters.items())
