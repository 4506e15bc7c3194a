"""The card of a chat specialist: what it is put together from and what it has proved.

Made without a base, it has proved nothing: its rows say "not measured" and name the command that
measures. Results on a person's own bases are in the ledger, never in a card.
"""

from __future__ import annotations

from typing import Any, Literal

from metier.card.parsing import card_of
from metier.card.values import Cost, Evidence, Frozen, Row
from metier.manifest import canonical_json


class ChatCard(Frozen):
    """What a chat specialist is. See ``docs/formats/card.md``.

    Attributes:
        packs: Document packs that it searches, by name.
        tools: Tools that check and repair its answers, by name.
        toolchains: The versions that the tools use.
        evals: Executed evals that it is meant for.
        candidates: Drafts per question.
        repairs: Rounds of repair by the base.
        bases: Bases that would do, best first, each with what is known of it.
        rows: As on every card; a row that was not measured says so.
        evidence: Paired comparisons made when it was made.
    """

    format: Literal[1] = 1
    name: str
    version: str
    task: Literal["chat"] = "chat"
    domain: str = "general"
    description: str = ""
    licence: str | None = None
    packs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    toolchains: tuple[str, ...] = ()
    evals: tuple[str, ...] = ()
    candidates: int = 1
    repairs: int = 0
    bases: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    recipe_id: str
    build_id: str
    system: str
    made: str
    cost: Cost = Cost()
    notes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, data: bytes) -> ChatCard:
        """Parse a card; raises CorruptError (code ``bad_card``) naming the field that is wrong."""
        return card_of(cls, data)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return self.model_dump(mode="json")
