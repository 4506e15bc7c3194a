"""Whether evidence counts as proof here (DESIGN §2), one clause after the other.

Evidence is proof if it says WIN, or NOT WORSE at a lower cost, against the base or the general
model; if this home's ledger holds it; if it is younger than 90 days; and if what it measured is
what would answer today: the same system, the same base by digest, the same toolchain. It reads no
clock, no ledger and no store: who asks hands them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from metier.card import Cost, Evidence, Verdict
from metier.catalog.standing import RIVALS
from metier.finding import Proof

VALID_DAYS = 90
HERE = "here"

Clause = Literal[
    "rival", "verdict", "cost", "measured", "system", "base", "toolchain", "future", "expired"
]


@dataclass(frozen=True, slots=True)
class Measured:
    """Evidence as a ledger holds it.

    Attributes:
        evidence: The comparison.
        by: ``here``, or the name of a trusted key; "" if neither: a claim.
        toolchain: Name to version of what it was measured with; ``None`` if nobody wrote it down.
        base: Digest of the base that it was measured on, or "" if the system stands on none.
        system: Digest of what was measured.
    """

    evidence: Evidence
    by: str
    toolchain: Mapping[str, str] | None
    base: str
    system: str


@dataclass(frozen=True, slots=True)
class Now:
    """What would answer today.

    Attributes:
        system: Digest of what is installed.
        base: Digest of the base that is installed under the name it asks for; "" if it needs
            none; ``None`` if it is missing.
        toolchain: Name to version.
        today: The day.
    """

    system: str
    base: str | None
    toolchain: Mapping[str, str]
    today: date


@dataclass(frozen=True, slots=True)
class Judged:
    """What evidence counts for.

    Attributes:
        measured: The evidence.
        failed: The first clause that it fails, or ``None``: it is proof.
        why: One sentence for people; "" for a proof.
    """

    measured: Measured
    failed: Clause | None
    why: str = ""


def judge(measured: Measured, now: Now) -> Judged:
    """Apply the clauses in order; the first that fails is told."""
    evidence = measured.evidence
    clauses: tuple[tuple[Clause, str], ...] = (
        ("rival", _rival(evidence)),
        ("verdict", _verdict(evidence)),
        ("measured", "" if measured.by else "It was not measured here: a claim until then."),
        ("system", _system(measured, now)),
        ("base", _base(measured, now)),
        ("toolchain", _toolchain(measured, now)),
        ("future", _future(evidence, now)),
        ("expired", _expired(evidence, now)),
    )
    for clause, why in clauses:
        if why:
            return Judged(measured, clause, why)
    return Judged(measured, None)


def best(judged: Iterable[Judged]) -> Proof | None:
    """The proof that weighs most.

    The general model before the base, a WIN before NOT WORSE, then the newest, then the largest
    difference at its lower end.
    """
    proofs = [one.measured for one in judged if one.failed is None]
    if not proofs:
        return None
    chosen = max(
        proofs,
        key=lambda one: (
            one.evidence.against == "general",
            one.evidence.difference.verdict is Verdict.WIN,
            one.evidence.date,
            one.evidence.difference.interval.low,
        ),
    )
    until = _day(chosen.evidence.date) or date.min
    return Proof(chosen.evidence, chosen.by, (until + timedelta(days=VALID_DAYS)).isoformat())


def cheaper(cost: Cost, rival: Cost) -> bool:
    """Whether an answer costs less.

    Less money; or on one machine neither slower nor larger, and one of them clearly (a tenth)
    less. What is not known is no advantage.
    """
    mine, theirs = cost.price_per_million_tokens, rival.price_per_million_tokens
    if mine is not None and theirs is not None:
        return mine < theirs
    if rival.cost_class.startswith("remote") != cost.cost_class.startswith("remote"):
        return rival.cost_class.startswith("remote")
    pairs = [(cost.ms_per_text, rival.ms_per_text), (_bytes(cost), _bytes(rival))]
    known = [(one, two) for one, two in pairs if one is not None and two is not None]
    return (
        bool(known)
        and all(one <= two for one, two in known)
        and any(one < 0.9 * two for one, two in known)
    )


def _rival(evidence: Evidence) -> str:
    if evidence.against in RIVALS:
        return ""
    return f"It beats {evidence.rival_name[:80]}, which is neither its base nor the general model."


def _verdict(evidence: Evidence) -> str:
    verdict = evidence.difference.verdict
    if verdict is Verdict.WIN:
        return ""
    if verdict is Verdict.NOT_WORSE and cheaper(evidence.cost, evidence.rival_cost):
        return ""
    if verdict is Verdict.NOT_WORSE:
        return "NOT WORSE proves nothing unless it is cheaper, and it is not known to be."
    return f"Its verdict is {verdict.value}."


def _system(measured: Measured, now: Now) -> str:
    if measured.system == now.system:
        return ""
    return "What was measured is not what is installed now."


def _base(measured: Measured, now: Now) -> str:
    if now.base is None:
        return "Its base is not installed."
    return "" if measured.base == now.base else "It was measured on another base."


def _toolchain(measured: Measured, now: Now) -> str:
    if measured.toolchain is None:
        return "What it was measured with was not written down."
    if dict(measured.toolchain) == dict(now.toolchain):
        return ""
    names = sorted({*measured.toolchain, *now.toolchain})
    name = next(one for one in names if measured.toolchain.get(one) != now.toolchain.get(one))
    before = measured.toolchain.get(name, "none")
    return (
        f"It was measured with another toolchain: {name} {before}, now "
        f"{now.toolchain.get(name, 'none')}."
    )


def _future(evidence: Evidence, now: Now) -> str:
    day = _day(evidence.date)
    if day is None:
        return f"Its date is no day: {evidence.date[:40]!r}."
    return f"It is dated {day.isoformat()}, which is still to come." if day > now.today else ""


def _expired(evidence: Evidence, now: Now) -> str:
    day = _day(evidence.date)
    if day is not None and (now.today - day).days < VALID_DAYS:
        return ""
    return f"The proof expired: it is of {evidence.date[:10]}, {VALID_DAYS} days or more ago."


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _bytes(cost: Cost) -> int | None:
    if cost.size_bytes is None and cost.shared_bytes is None:
        return None
    return (cost.size_bytes or 0) + (cost.shared_bytes or 0)
