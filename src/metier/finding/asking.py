"""A question to the catalogue: words and filters, as every door reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Order = Literal["best", "newest", "smallest", "name"]


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. An empty query finds everything, the proved first.

    Attributes:
        words: What a person typed; "" finds everything.
        task, domain, licence, base: Equal to the entry's, ignoring case; "" for any.
        most_bytes: No larger than this.
        least_context: At least this many tokens.
        fits: Only what is known to run here.
        proved: Only what holds a proof.
        verdict: ``WIN``, ``NOT WORSE`` …: only entries whose evidence says so; "" for any.
        since: ISO date: released or made on that day or later; "" for any.
        here: Only what is installed.
        origin: Only from this catalogue: ``here``, ``curated``, a catalogue's name; "" for any.
        order: ``best`` is relevance and proof; the others are plain.
        limit: Hits to give.
        offset: Hits to leave out first.
        meaning: Whether to search by meaning too (the default encoder); words alone otherwise.
    """

    words: str = ""
    task: str = ""
    domain: str = ""
    licence: str = ""
    base: str = ""
    most_bytes: int | None = None
    least_context: int | None = None
    fits: bool = False
    proved: bool = False
    verdict: str = ""
    since: str = ""
    here: bool = False
    origin: str = ""
    order: Order = "best"
    limit: int = 20
    offset: int = 0
    meaning: bool = True
