"""A local model as values that its page draws: facts, settings, what it is good for.

It lays out what a sheet says; it writes no HTML and measures nothing.
"""

from __future__ import annotations

from typing import Any

from metier.generating import ModelSheet, RunningModel, Taken
from metier.site import charts, coding, words
from metier.site.values import Item, Spoken

MOST_TEXT = 20_000
MOST_SHOWN = 200_000
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


def conversation(spoken: Spoken | None) -> dict[str, Any] | None:
    """The turns so far, each with its pieces, and what the last one took; ``None`` if none."""
    if spoken is None or spoken.texts:
        return None
    turns = [*spoken.turns, spoken.question]
    written = spoken.written
    if written is not None:
        turns.append(written.text)
    return {
        "turns": [
            {"mine": place % 2 == 0, "text": text, "pieces": coding.pieces(text[:MOST_SHOWN])}
            for place, text in enumerate(turns)
        ],
        "said": turns if written is not None else list(spoken.turns),
        "again": "" if written is not None else spoken.question,
        "pictures": spoken.pictures,
        "thinking": written.thinking if written is not None else "",
        "took": took(written.taken) if written is not None else "",
        "used": used(written.taken) if written is not None else 0,
        "cut": written is not None and written.finish == "length",
        "problem": spoken.problem,
        "settings": dict(spoken.settings),
    }


def took(taken: Taken) -> str:
    """What an answer took, as the server measured it."""
    said = [words.plural(taken.tokens_out, "token")]
    if taken.tokens_out > 1 and taken.writing > 0:
        rate = taken.tokens_out / taken.writing
        said.append(f"{words.few(rate)} tokens/s while writing")
    said.append(f"{words.duration(taken.total)} in all")
    return " · ".join(said)


def used(taken: Taken) -> int:
    """Tokens of the context that are taken after an answer."""
    return taken.tokens_in + taken.tokens_out


def ranking(spoken: Spoken | None, task: str) -> dict[str, Any] | None:
    """A few texts with how near each is to one; ``None`` where nothing was tried.

    An embedding model's scores are cosines; a reranker's are its own, with bars relative to the
    range of what was shown.
    """
    if spoken is None or not spoken.texts:
        return None
    scores = [score for _, score in spoken.order]
    low = 0.0 if task == "embed" else min(scores, default=0.0)
    high = 1.0 if task == "embed" else max(scores, default=1.0)
    span = high - low or 1.0
    return {
        "question": spoken.question,
        "texts": "\n".join(spoken.texts),
        "problem": spoken.problem,
        "rows": [
            {
                "text": spoken.texts[place],
                "score": f"{score:.3f}",
                "bar": charts.probability_bar((score - low) / span),
            }
            for place, score in spoken.order
            if 0 <= place < len(spoken.texts)
        ],
    }


def entry(item: Item) -> str:
    """What an entry without a card is, in a word for the list."""
    return "base" if item.kind == "base" else "made from a base"


def _now(running: RunningModel | None) -> str:
    if running is None:
        return "no; it is loaded when somebody asks"
    return f"{words.size(running.memory_bytes)}, with {running.context:,} tokens of context"


def _settings(sheet: ModelSheet) -> str:
    return ", ".join(f"{name} {value}" for name, value in sheet.parameters.items())
