"""How entries stand before any question is asked: by evidence, by cost, by date.

Pure rules of ``docs/explanation/finding.md``. It knows evidence and sizes; whether evidence counts
as proof on this machine is ``proving``'s matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from metier.card import Evidence, Verdict

PROVED, CLAIMED, OPEN, LOST = 0, 1, 2, 3
"""Levels, the best first: proved here; claimed by a paired comparison; nothing either way (numbers
without a rival cannot be compared); lost against its base or the general model."""
RIVALS = ("base", "general")
"""Who must be beaten. The majority label and other specialists are no such rivals."""
_GOOD = (Verdict.WIN, Verdict.NOT_WORSE)
_CLASSES = (1 << 30, 4 << 30, 8 << 30, 16 << 30, 32 << 30)


def size_class(size: int) -> int:
    """The cost class of a size: up to 1, 4, 8, 16, 32 GiB, more, not known (0 bytes)."""
    if size <= 0:
        return len(_CLASSES) + 1
    return next((number for number, most in enumerate(_CLASSES) if size <= most), len(_CLASSES))


def telling(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    """The newest evidence against each rival that matters."""
    found: dict[str, Evidence] = {}
    for one in evidence:
        if one.against in RIVALS and (
            one.against not in found or one.date >= found[one.against].date
        ):
            found[one.against] = one
    return found


def level_of(evidence: Iterable[Evidence]) -> int:
    """``CLAIMED``, ``OPEN`` or ``LOST``, by the newest evidence against each rival."""
    verdicts = {one.difference.verdict for one in telling(evidence).values()}
    if Verdict.LOSS in verdicts:
        return LOST
    return CLAIMED if verdicts & set(_GOOD) else OPEN


def verdicts_of(evidence: Iterable[Evidence]) -> int:
    """Which verdicts there are, as bits in the order of ``Verdict``."""
    bits = {verdict: 1 << number for number, verdict in enumerate(Verdict)}
    found = 0
    for one in telling(evidence).values():
        found |= bits[one.difference.verdict]
    return found


def verdict_bit(verdict: str) -> int:
    """The bit of a verdict's name, case ignored; 0 if there is none such."""
    wanted = verdict.strip().upper()
    return next((1 << n for n, one in enumerate(Verdict) if one.value == wanted), 0)
