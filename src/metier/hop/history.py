"""Acts of hopping as rows of the ledger, and back.

It knows the body of a ``decision`` row that has an ``act``; rows of a make, which have none, are
passed over. It opens no ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, get_args

from metier.card import Evidence
from metier.hop.values import Act, Challenger, Done, Ruling

_ACTS = get_args(Act)


class Written(Protocol):
    """A row of the ledger, as far as it matters here."""

    @property
    def date(self) -> str:
        """When it was written."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What it says."""

    @property
    def hash(self) -> str:
        """Its own hash."""


def body_of(act: Act, champion: str, ruling: Ruling, *, suspect: bool = False) -> dict[str, Any]:
    """What the ledger keeps of one challenger.

    Args:
        act: What was done.
        champion: System that answered before.
        ruling: What became of the challenger.
        suspect: See ``Promotion``.
    """
    challenger = ruling.challenger
    return {
        "act": act,
        "from": champion,
        "to": challenger.system,
        "why": ruling.why,
        "key": challenger.key,
        "name": challenger.name if act == "kept" and ruling.ground != "same" else "",
        "ground": ruling.ground,
        "evidence": facts_of(challenger),
        "suspect": suspect,
        "seconds": round(challenger.seconds, 3),
    }


def back(champion: str, restored: str, why: str, *, act: Act = "rollback") -> dict[str, Any]:
    """What the ledger keeps of a rollback, or of a promotion by hand."""
    return {"act": act, "from": champion, "to": restored, "why": why, "evidence": []}


def facts_of(challenger: Challenger) -> list[dict[str, Any]]:
    """The comparisons of a challenger, short: the whole evidence has rows of its own."""
    both = ((challenger.evidence, False), (challenger.fresh, True))
    return [_facts(one, fresh=fresh) for one, fresh in both if one is not None]


def history(rows: Iterable[Written]) -> tuple[Done, ...]:
    """The acts among the ``decision`` rows of one specialist, the latest first."""
    found = []
    for row in rows:
        body = row.body
        if body.get("act") not in _ACTS:
            continue
        evidence = body.get("evidence")
        found.append(
            Done(
                act=body["act"],
                date=row.date,
                before=str(body.get("from", "")),
                after=str(body.get("to", "")),
                why=str(body.get("why", "")),
                key=str(body.get("key", "")),
                name=str(body.get("name", "")),
                ground=str(body.get("ground", "")),
                evidence=tuple(one for one in evidence or () if isinstance(one, Mapping)),
                suspect=bool(body.get("suspect")),
                row=row.hash,
            )
        )
    return tuple(reversed(found))


def earlier_of(
    done: Iterable[Done], champion: str, fingerprint: str, *, but: Collection[str] = ()
) -> int:
    """Challengers that were held against this champion on this eval before, without ``but``."""
    systems = {
        one.after
        for one in done
        if one.act == "kept"
        and one.before == champion
        and one.ground not in ("same", "failed")
        and any(fact.get("eval") == fingerprint for fact in one.evidence)
    }
    return len(systems - set(but))


def _facts(evidence: Evidence, *, fresh: bool) -> dict[str, Any]:
    found = evidence.difference
    return {
        "eval": evidence.eval_fingerprint,
        "verdict": found.verdict.value,
        "difference": found.difference,
        "low": found.interval.low,
        "high": found.interval.high,
        "n": found.n,
        "score": evidence.score.value,
        "rival_score": evidence.rival_score.value,
        "ms": evidence.cost.ms_per_text,
        "rival_ms": evidence.rival_cost.ms_per_text,
        "fresh": fresh,
        "results": list(evidence.results),
    }
