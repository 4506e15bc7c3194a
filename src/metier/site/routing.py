"""The page of a routing decision: who, why, how sure, who was next, who was refused; and the log.

It lays out what was decided; it decides nothing. The scores are drawn with the line below which
the router abstains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from metier.site import words

MOST_SCORES = 8
GROUNDS = {
    "override": "you named it",
    "kept": "the conversation is its",
    "only": "nobody else can",
    "domain": "sure enough of the domain",
    "abstained": "not sure, so the general model",
    "named": "you named the domain",
    "picture": "it sees pictures",
    "fallback": "the one before it failed",
    "nobody": "nobody can",
}


def page_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the template prints; ``document`` is what ``/route.json`` gives."""
    decision = document["decision"]
    return {
        "asked": document["asked"],
        "problem": document["problem"],
        "command": document["command"],
        "general": document["general"],
        "names": document["names"],
        "domains": document["domains"],
        "decision": _decision(decision) if decision is not None else None,
        "latest": [_row(row) for row in document["latest"]],
        "json_address": "/route.json",
    }


def _decision(decision: Mapping[str, Any]) -> dict[str, Any]:
    chosen = decision["chosen"]
    scores = decision["scores"][:MOST_SCORES]
    threshold = decision["threshold"]
    facts = decision["request"]
    return {
        "chosen": chosen,
        "page": _page(chosen),
        "ground": GROUNDS.get(decision["ground"], decision["ground"]),
        "why": decision["why"],
        "next": decision["next"],
        "then": decision["then"],
        "remedy": decision["remedy"],
        "id": decision["id"],
        "scores": [
            {
                "name": one["domain"] or "no domain",
                "share": words.percent(one["probability"]),
                "bar": score_bar(one["probability"], threshold, first=place == 0),
            }
            for place, one in enumerate(scores)
        ],
        "threshold": words.percent(threshold) if threshold is not None else "",
        "unasked": threshold is None,
        "refused": decision["refused"],
        "facts": _facts(facts),
    }


def _page(name: str) -> str:
    return f"/specialists/{quote(name)}" if name and not name.startswith("remote:") else ""


def _facts(facts: Mapping[str, Any]) -> list[str]:
    told = [f"{words.count(facts['tokens'])} tokens at most"]
    told += ["code"] if facts["code"] else []
    told += [words.plural(facts["pictures"], "picture")] if facts["pictures"] else []
    told += ["tools offered"] if facts["tools"] else []
    told += [f"language {facts['language']}"] if facts["language"] else []
    return told


def score_bar(share: float, threshold: float | None, *, first: bool) -> str:
    """One score as a bar, with the line that the likeliest domain must reach.

    The numbers stand beside it as text, so that it is hidden from screen readers.
    """
    width = _percent(share)
    line = ""
    if threshold is not None and math.isfinite(threshold):
        at = _percent(threshold)
        line = f'<line class="threshold" x1="{at}%" x2="{at}%" y1="0" y2="16"/>'
    style = "share first" if first else "share"
    return (
        '<svg class="chart probability" width="100%" height="16" aria-hidden="true">'
        '<rect class="track" y="4" width="100%" height="8" rx="1"/>'
        f'<rect class="{escape(style)}" y="4" width="{width}%" height="8" rx="1"/>{line}</svg>'
    )


def _percent(share: float) -> str:
    kept = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    return f"{100 * kept:.2f}".rstrip("0").rstrip(".")


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    by, chosen = row["answered_by"], row["chosen"]
    tried: Sequence[str] = row["tried"]
    seconds = row["seconds"]
    return {
        "at": str(row["at"] or "")[11:19],
        "date": words.date(str(row["at"] or "")[:10]),
        "who": by or chosen or "nobody",
        "page": _page(by or chosen),
        "ground": GROUNDS.get(row["ground"], row["ground"]),
        "why": row["why"],
        "domain": row["domain"],
        "score": words.percent(row["score"]) if row["score"] is not None else "",
        "tried": list(tried),
        "took": f"{seconds:.2f} s" if by and seconds is not None else "decided only",
        "characters": words.plural(row["characters"] or 0, "character"),
    }
