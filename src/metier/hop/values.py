"""What a hop holds against each other, and what it comes to: values and nothing else.

They say nothing of how a challenger was made: on another base, on newer documents, by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from metier.card import Evidence

if TYPE_CHECKING:
    from metier.stats.sequential import Anytime

Act = Literal["hop", "kept", "rollback", "by-hand"]
"""What was done: a challenger was promoted; the champion was kept; the one before came back; a
person promoted what the rule had refused."""

Ground = Literal[
    "win",
    "cheaper",
    "failed",
    "same",
    "loss",
    "fresh",
    "luck",
    "dearer",
    "underpowered",
    "outdone",
]
"""Why a challenger was promoted (the first two) or not.

It could not be made or asked; it is the champion itself; it loses; it loses on fresh items; its
win is what the best of so many shows by luck; it is not worse but no cheaper; the eval cannot tell;
another challenger was better.
"""


@dataclass(frozen=True, slots=True)
class Challenger:
    """What wants to be champion, and how it did on the champion's items.

    Attributes:
        key: What is new about it, as it was asked for: ``bge-small@static``, ``kit@3``.
        system: Digest of what answers, or "" if it could not be made.
        name: Under which it is installed aside, or "".
        evidence: It against the champion on the sealed items; ``None`` if it was not asked.
        fresh: The same on fresh items alone, where some were given.
        standing: What the pairs say however often anybody looks: given where the two are compared
            again and again while items arrive; then the rule goes by it.
        seconds: Wall seconds that making and asking it took.
        cpu_seconds: Processor seconds.
        reused: What did not have to be done again for it.
        what: What it came out as, in a word or two: the rung that was chosen.
        failed: Why it could not be made or asked, or "".
        remedy: What would mend that, as a command, or "".
    """

    key: str
    system: str = ""
    name: str = ""
    evidence: Evidence | None = None
    fresh: Evidence | None = None
    standing: Anytime | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    reused: tuple[str, ...] = ()
    what: str = ""
    failed: str = ""
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            "key": self.key,
            "system": self.system,
            "name": self.name,
            "evidence": self.evidence.model_dump(mode="json") if self.evidence else None,
            "fresh": self.fresh.model_dump(mode="json") if self.fresh else None,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "reused": list(self.reused),
            "what": self.what,
            "failed": self.failed,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of one challenger, and why."""

    challenger: Challenger
    act: Literal["hop", "kept"]
    ground: Ground
    why: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            **self.challenger.to_dict(),
            "act": self.act,
            "ground": self.ground,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a hop comes to.

    Attributes:
        promoted: Who is champion now, or ``None``: the champion stays.
        rulings: One for each challenger, in the order in which they were asked.
        compared: Among how many comparisons on these items the 5 % were divided.
        suspect: Whether who was promoted wins on the sealed items and not on fresh ones.
    """

    promoted: Challenger | None
    rulings: tuple[Ruling, ...]
    compared: int
    suspect: bool = False

    @property
    def why(self) -> str:
        """The sentence of who was promoted; else of every challenger."""
        said = [one.why for one in self.rulings if one.act == "hop"]
        return " ".join(said or [one.why for one in self.rulings])


@dataclass(frozen=True, slots=True)
class Done:
    """One act in a specialist's history, as the ledger has it.

    Attributes:
        act: See ``Act``.
        date: ISO 8601, UTC.
        before, after: Digests of what answered before and of what was promoted; of ``kept`` the
            champion and the challenger.
        why: One sentence, numbers first.
        key: What was new about the challenger, or "".
        name: Under which it stands aside, or "".
        ground: See ``Ground``; "" of a rollback.
        evidence: Facts of each comparison: ``eval``, ``verdict``, ``difference``, ``low``,
            ``high``, ``n``, ``fresh``.
        suspect: See ``Promotion``.
        row: Hash of the ledger's row.
    """

    act: Act
    date: str
    before: str
    after: str
    why: str
    key: str = ""
    name: str = ""
    ground: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    suspect: bool = False
    row: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            "act": self.act,
            "date": self.date,
            "from": self.before,
            "to": self.after,
            "why": self.why,
            "key": self.key,
            "name": self.name,
            "ground": self.ground,
            "evidence": [dict(one) for one in self.evidence],
            "suspect": self.suspect,
            "row": self.row,
        }


@dataclass(frozen=True, slots=True)
class Offer:
    """A base that a specialist could be made again on.

    Attributes:
        key: What to give as ``--base``.
        here: Whether it is installed.
        note: What is known of it, in a sentence.
        command: What would hop to it, or what would bring it here.
    """

    key: str
    here: bool
    note: str
    command: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {"key": self.key, "here": self.here, "note": self.note, "command": self.command}


@dataclass(frozen=True, slots=True)
class Hopped:
    """What ``metier hop`` did.

    Attributes:
        name: The specialist.
        champion: System that answered before.
        champion_key: What people call that.
        promotion: Who was held against it and what came of it.
        seconds, cpu_seconds: Of everything.
        reused: What did not have to be done again, over all challengers.
    """

    name: str
    champion: str
    champion_key: str
    promotion: Promotion
    seconds: float
    cpu_seconds: float
    reused: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        promotion = self.promotion
        promoted = promotion.promoted
        return {
            "name": self.name,
            "champion": self.champion,
            "champion_key": self.champion_key,
            "promoted": promoted.key if promoted else None,
            "system": promoted.system if promoted else self.champion,
            "why": promotion.why,
            "compared": promotion.compared,
            "suspect": promotion.suspect,
            "challengers": [one.to_dict() for one in promotion.rulings],
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "reused": list(self.reused),
            "rollback": f"metier rollback {self.name}" if promoted else None,
        }
