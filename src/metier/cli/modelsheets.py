"""A local model on one screen, and its cells in a list: what its weights are, what it may do.

It lays out a ``ModelSheet`` and a ``ModelListing`` and computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from metier.cli.terminal import Line, aligned, shown_text
from metier.cli.wording import count, date, size
from metier.fleet import Installed
from metier.generating import ModelDetails, ModelListing, ModelSheet

_SHORT = 72


def parameters_text(number: int) -> str:
    """A number of parameters for people: ``139.8K``, ``494.0M``, ``8.0B``; empty if not known."""
    for unit, each in (("B", 1_000_000_000), ("M", 1_000_000), ("K", 1_000)):
        if number >= each:
            return f"{number / each:.1f}{unit}"
    return str(number) if number else ""


def details_text(details: ModelDetails) -> str:
    """Architecture, parameters and quantisation in a few words."""
    found = (details.family, parameters_text(details.parameters), details.quantization)
    return " ".join(part for part in found if part)


def listed_cells(item: Installed, listing: ModelListing) -> list[Line]:
    """The cells of ``metier list``: what it is stands where others have their accuracy."""
    over = Text(f"from {listing.parent}" if listing.parent else "", style="dim")
    told = Text(details_text(listing.details), style="dim")
    task = listing.task or item.kind
    return [Text(item.name, style="bold"), task, told, over, size(item.size_bytes), ""]


def sheet_lines(item: Installed, sheet: ModelSheet, *, fit: str = "") -> list[Text]:
    """What ``metier show`` says of a local model; ``fit``: whether it runs here."""
    details, listing = sheet.listing.details, sheet.listing
    context = f"{count(details.context_length)} trained" if details.context_length else ""
    if sheet.context:
        context += f"{', ' if context else ''}{count(sheet.context)} here"
        context += f" in {size(sheet.memory_bytes)} of memory" if sheet.memory_bytes else ""
    adapters = [part.file for part in item.model.adapters] if item.model else []
    settings = [f"{name} {_value(value)}" for name, value in sorted(sheet.parameters.items())]
    rows = [
        ("kind", item.kind),
        ("architecture", details.family),
        ("parameters", parameters_text(details.parameters)),
        ("quantisation", details.quantization),
        ("context", context),
        ("width", count(details.embedding_length) if details.embedding_length else ""),
        ("here", fit),
        ("can", ", ".join(listing.capabilities)),
        ("made from", listing.parent or ""),
        ("came from", (item.model.source or "") if item.model else ""),
        ("adapters", ", ".join(adapters)),
        ("system", _short(sheet.system)),
        ("template", _short(sheet.template)),
        ("settings", ", ".join(settings)),
        ("licence", _short(sheet.licences[0]) if sheet.licences else ""),
        ("size", size(item.size_bytes)),
        ("base", (item.model.base if item.model else "")),
        ("digest", str(item.digest)),
        ("stored", date(item.modified)),
    ]
    cells: list[list[Line]] = [[title, shown_text(value)] for title, value in rows if value]
    title = Text(item.name, style="bold") + Text(f"  {listing.task}")
    lines = [title, *aligned(cells, "ll", indent=2)]
    if listing.task == "generate":  # the others are asked over HTTP
        lines += [Text(), Text(f"metier run {item.name}", style="bold")]
    return lines


def model_document(item: Installed, sheet: ModelSheet | None) -> dict[str, Any]:
    """What ``--json`` adds for a local model; with its sheet, everything that is shown."""
    model = item.model
    if model is None:
        return {}
    found: dict[str, Any] = {
        "task": model.task,
        "parent": model.parent,
        "source": model.source,
        "base": model.base,
        "adapters": [part.file for part in model.adapters],
    }
    if sheet is None:
        return found
    details = sheet.listing.details
    return found | {
        "architecture": details.family,
        "parameter_count": details.parameters,
        "quantization": details.quantization,
        "context_length": details.context_length,
        "embedding_length": details.embedding_length,
        "capabilities": list(sheet.listing.capabilities),
        "context": sheet.context,
        "memory_bytes": sheet.memory_bytes,
        "system": sheet.system,
        "template": sheet.template,
        "template_language": sheet.template_language,
        "parameters": dict(sheet.parameters),
        "licences": list(sheet.licences),
        "weights": list(model.weights),
        "projector": model.projector,
    }


def _short(text: str) -> str:
    """The first line of a text, cut, with how many follow."""
    lines = text.strip().splitlines()
    if not lines:
        return ""
    first = lines[0] if len(lines[0]) <= _SHORT else f"{lines[0][: _SHORT - 3]}..."
    return first if len(lines) == 1 else f"{first} (and {len(lines) - 1} more lines)"


def _value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(repr(item) for item in value)
    return str(value)
