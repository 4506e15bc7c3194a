"""The page *Find* as values: what each hit says of itself, and how to ask for more or less.

It lays out what was found; it ranks nothing, asks nobody and writes no HTML.
"""

from __future__ import annotations

from typing import Any

from metier.finding import Found, Hit
from metier.site import words


def page_values(found: Found) -> dict[str, Any]:
    """What the template prints."""
    return {"query": found.query, "total": found.total, "rows": [_row(hit) for hit in found.hits]}


def _row(hit: Hit) -> dict[str, Any]:
    entry = hit.entry
    facts = [entry.task]
    if entry.size_bytes is not None:
        facts.append(words.size(entry.size_bytes))
    return {
        "name": entry.name,
        "address": f"/specialists/{hit.installed}",
        "description": entry.description,
        "facts": facts,
    }
