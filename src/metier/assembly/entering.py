"""What is installed as entries of a catalogue: from a specialist's card, from a model's listing.

It knows which fact of a card, of ``model.json`` or of a GGUF header becomes which field of an
entry. It ranks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from metier.card import AnyCard, Card, ChatCard, Evidence, SearchCard
from metier.finding import Entry
from metier.fleet import Installed
from metier.generating import ModelListing

_TASKS = {"generate": "chat", "embed": "embed", "rerank": "rerank"}
_MOST_ALSO = 60
_MOST_DESCRIPTION = 2000
_MOST_LINE = 300


def entry_of(installed: Installed, listing: ModelListing | None = None) -> Entry:
    """What a catalogue says of something that is installed here.

    Args:
        installed: It.
        listing: As it is listed, for what a header says; ``None`` if it is not.
    """
    card = installed.card
    if isinstance(card, Card | ChatCard | SearchCard):
        return _of_card(card, installed)
    return _of_model(installed, listing)


def upstream_of(installed: Installed) -> str:
    """``owner/name`` on the hub that a local model came from, or ""."""
    source = installed.model.source if installed.model is not None else None
    if not source or not source.startswith("hf.co/"):
        return ""
    return source.removeprefix("hf.co/").partition("@")[0].partition(":")[0]


def _of_card(card: AnyCard, installed: Installed) -> Entry:
    evidence: tuple[Evidence, ...] = () if isinstance(card, SearchCard) else card.evidence
    base = card.base.name if isinstance(card, Card | SearchCard) and card.base else None
    return Entry(
        name=installed.name[:200],
        kind="specialist",
        task=card.task,
        domain=card.domain[:_MOST_LINE] or "general",
        also=_also(card),
        description=card.description[:_MOST_DESCRIPTION],
        size_bytes=installed.size_bytes,
        licence=card.licence[:_MOST_LINE] if card.licence else None,
        base=base[:_MOST_LINE] if base else None,
        released=card.made[:10] or None,
        evidence=evidence,
        card=str(installed.digest),
    )


def _also(card: AnyCard) -> tuple[str, ...]:
    """Words that people search it by: labels, tools, what is documented, its base."""
    words: tuple[str, ...]
    if isinstance(card, Card):
        words = card.labels
    elif isinstance(card, ChatCard):
        words = (*card.packs, *card.tools, *card.toolchains, *card.evals)
    else:
        words = tuple(source.version for source in card.sources if source.version)
    return tuple(dict.fromkeys(word[:_MOST_LINE] for word in words if word))[:_MOST_ALSO]


def _of_model(installed: Installed, listing: ModelListing | None) -> Entry:
    upstream = upstream_of(installed)
    facts: Mapping[str, object] = {}
    task = "embed" if installed.manifest.part("base.json") is not None else "chat"
    if listing is not None:
        details = listing.details
        task = _TASKS.get(listing.task, listing.task) or task
        facts = {
            "parameters": details.parameters or None,
            "quantization": details.quantization[:_MOST_LINE],
            "context": details.context_length or None,
            "base": listing.parent[:_MOST_LINE] if listing.parent else None,
            "also": tuple(name[:_MOST_LINE] for name in details.families if name),
        }
    return Entry.model_validate(
        {
            "name": installed.name[:200],
            "kind": "model",
            "task": task[:_MOST_LINE],
            "size_bytes": installed.size_bytes,
            "released": None,
            "upstream": f"https://huggingface.co/{upstream}"[:900] if upstream else "",
            **facts,
        }
    )


def facts_of(installed: Installed) -> dict[str, object]:
    """What a proof is judged by, beside the entry: system, base and toolchain of what is here."""
    card = installed.card
    facts: dict[str, object] = {"installed": installed.name}
    if isinstance(card, Card):
        facts |= {"system": str(installed.system), "toolchain": dict(card.toolchain)}
        if card.base is not None:
            facts |= {"base": card.base.name, "base_digest": card.base.digest}
    return facts
