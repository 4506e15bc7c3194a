"""A chat specialist over one base, as something that writes.

It hands questions to the answer policy with a base that nothing changes; it chooses no base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metier.assembly.conversations import Conversations
from metier.conversing import Draft, Generator, Manner, OnText, Sampling, Turn
from metier.fleet import Installed
from metier.manifest import canonical_json
from metier.reference import Digest


@dataclass(frozen=True)
class SpecialistOverBase:
    """Satisfies ``conversing.Generator``; ``ref`` is what the policy is given as base."""

    item: Installed
    base: Generator
    ref: str
    conversations: Conversations
    cancelled: Callable[[], bool]

    @property
    def name(self) -> str:
        """Of the specialist."""
        return self.item.name

    @property
    def digest(self) -> str:
        """Of the specialist and its base together."""
        both = {"specialist": str(self.item.system), "base": self.base.digest}
        return str(Digest.of(canonical_json(both)))

    @property
    def servable(self) -> bool:
        """As the base is."""
        return self.base.servable

    def generate(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: OnText | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Draft:
        """What the specialist answers; raises what its base raises."""
        reply = self.conversations.answer(
            self.item.name,
            turns,
            base=self.ref,
            sampling=sampling,
            manner=Manner(),
            on_text=on_text,
            on_step=None,
            cancelled=cancelled or self.cancelled,
        )
        return Draft(reply.text, reply.tokens_in, reply.tokens_out, reply.seconds, reply.spent)
