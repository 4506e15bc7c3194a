"""Which proofs hold in this home: the ledger's evidence against what is installed today.

It knows where evidence was written down, with which toolchain and on which base; which clause it
must meet is ``catalog.proving``'s. What was computed is kept until the ledger, the fleet, the
toolchain or the day changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from metier.card import Evidence
from metier.catalog.proving import HERE, Judged, Measured, Now, best, judge
from metier.catalog.standing import level_of
from metier.finding import Proof
from metier.ledger import Row
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.examine.bound import Bench

BaseOf = Callable[[str], str | None]
"""The name of a base to the digest of what is installed under it, ``None`` if nothing is."""
_MOST_HEADER = 1 << 20
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Subject:
    """Something installed that may hold a proof.

    Attributes:
        id: Of its entry.
        system: Digest of what answers.
        base: Name of its base, or "".
        base_digest: Digest of the base that it is bound to, or "".
        toolchain: What it was made with.
        executed: Whether it is measured by executed evals: then ``base`` is its own name, and what
            it was measured on stands beside its tables.
    """

    id: int
    system: str
    base: str
    base_digest: str
    toolchain: Mapping[str, str]
    executed: bool = False


@dataclass(frozen=True, slots=True)
class Executed:
    """What stands beside executed evals.

    Attributes:
        benches: Digest of a result to what it was measured on, from the ledger's tables.
        base_of: Name of a chat specialist to the identity of what writes for it today.
        toolchain: What judged then to what would judge today.
    """

    benches: Callable[[], Mapping[str, Bench]]
    base_of: BaseOf
    toolchain: Callable[[Mapping[str, str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Proofs:
    """What holds, by id of the entry.

    Attributes:
        proofs: The best proof of each.
        levels: Where what was measured here says something else than the card.
        judged: What each piece of evidence counts for.
    """

    proofs: Mapping[int, Proof] = field(default_factory=dict)
    levels: Mapping[int, int] = field(default_factory=dict)
    judged: Mapping[int, Sequence[Judged]] = field(default_factory=dict)


def proofs_of(
    subjects: Iterable[Subject],
    rows: Iterable[Row],
    *,
    results: Path,
    base_of: BaseOf,
    toolchain: Mapping[str, str],
    today: date,
    executed: Executed | None = None,
    decoder: Mapping[str, str] = _NOTHING,
) -> Proofs:
    """Judge the ledger's evidence.

    Args:
        subjects: What is installed.
        rows: The ledger's ``evidence`` rows, oldest first.
        results: The folder of results, whose headers say with what they were measured.
        base_of: See ``BaseOf``.
        toolchain: Today's.
        today: The day.
        executed: What chat specialists are judged by; without it they hold no proof.
        decoder: What is part of today's toolchain only for those that were made with it.
    """
    by_system: dict[str, list[Row]] = {}
    for row in rows:
        by_system.setdefault(str(row.body.get("system", "")), []).append(row)
    proofs: dict[int, Proof] = {}
    levels: dict[int, int] = {}
    judged: dict[int, Sequence[Judged]] = {}
    digest_of = cache(base_of)
    for subject in subjects:
        own = by_system.get(subject.system)
        if not own:
            continue
        if subject.executed:
            told = _executed(subject, own, executed, today) if executed is not None else []
            judged[subject.id] = told
            if proof := best(told):
                proofs[subject.id] = proof
            levels[subject.id] = level_of(one.measured.evidence for one in told)
            continue
        base = digest_of(subject.base) if subject.base else ""
        more = {name: value for name, value in decoder.items() if name in subject.toolchain}
        now = Now(subject.system, base, {**toolchain, **more}, today)
        measured = [one for row in own if (one := _measured(row, subject, results)) is not None]
        told = [judge(one, now) for one in _newest(measured)]
        judged[subject.id] = told
        if proof := best(told):
            proofs[subject.id] = proof
        levels[subject.id] = level_of(one.measured.evidence for one in told)
    return Proofs(proofs, levels, judged)


def state(*parts: object) -> str:
    """What says that proofs must be judged again, of whatever they depend on."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _executed(
    subject: Subject, own: Sequence[Row], executed: Executed, today: date
) -> list[Judged]:
    """What the tables of a chat specialist count for, on the base that writes for it today."""
    benches, base = executed.benches(), executed.base_of(subject.base)
    measured: dict[str, list[Measured]] = {}
    for row in own:
        try:
            evidence = Evidence.model_validate(row.body)
        except ValidationError:
            continue
        bench = benches.get(evidence.results[0]) if evidence.results else None
        on, toolchain = (bench.base, bench.toolchain) if bench is not None else ("", None)
        one = Measured(evidence, HERE, toolchain, on, evidence.system)
        measured.setdefault(on, []).append(one)
    # Evidence on the base of today is the last word; that on others is told where there is none.
    chosen = measured.get(base or "") or [one for several in measured.values() for one in several]
    told = []
    for one in _newest(chosen):
        tools = executed.toolchain(one.toolchain) if one.toolchain is not None else {}
        told.append(judge(one, Now(subject.system, base, tools, today)))
    return told


def _measured(row: Row, subject: Subject, results: Path) -> Measured | None:
    try:
        evidence = Evidence.model_validate(row.body)
    except ValidationError:
        return None  # of a version that this one does not know: nothing can be said of it
    if str(row.digest) == subject.system:
        toolchain: Mapping[str, str] | None = subject.toolchain  # written down when it was made
    else:
        toolchain = _toolchain(results, evidence)
    return Measured(evidence, HERE, toolchain, subject.base_digest, evidence.system)


def _newest(measured: Sequence[Measured]) -> list[Measured]:
    """The last word on each rival and eval."""
    found: dict[tuple[str, str, str], Measured] = {}
    for one in measured:
        evidence = one.evidence
        found[evidence.against, evidence.rival, evidence.eval_fingerprint] = one
    return list(found.values())


def _toolchain(results: Path, evidence: Evidence) -> Mapping[str, str] | None:
    """What a result's header says it was measured with; ``None`` if it is not there any more."""
    if not evidence.results:
        return None
    try:
        path = results / f"{Digest.parse(evidence.results[0]).hex}.jsonl"
        with path.open("rb") as file:
            header: Any = json.loads(file.readline(_MOST_HEADER))
        return {str(name): str(value) for name, value in header["toolchain"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
