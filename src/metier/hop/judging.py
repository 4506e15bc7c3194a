"""The rule of a hop: a challenger is promoted on WIN, or when it is not worse and cheaper.

It knows evidence, costs and how many were compared on the same items; it makes, asks and installs
nothing. ``docs/explanation/hopping.md`` says why the rule is what it is.

The luck of the best of many: with k comparisons on the same items against the same champion
(earlier hops count), each is judged at 5 % / k (Bonferroni). Only the best is promoted, and its
test is the first step of Holm's procedure, which is that same one: nothing is given away by it.

That counts comparisons on the *same* items. Where the two are looked at again and again while
items arrive, no count of looks would do: such a challenger brings its ``standing``
(``stats.sequential``), which is valid at every look, and is promoted only if fresh items, where
there are any, point the same way. Decision 0331 has the back-test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

from metier.card import Cost, Difference, Evidence, Verdict
from metier.catalog.proving import cheaper
from metier.hop.values import Challenger, Ground, Promotion, Ruling

LEVEL = 0.05
"""Two-sided error that all comparisons with one champion on one eval share."""


def decide(challengers: Sequence[Challenger], *, earlier: int = 0) -> Promotion:
    """Who is promoted, if anybody, and why each of the others is not.

    Args:
        challengers: Each against the same champion on the same items.
        earlier: Comparisons with this champion on these items in hops before this one.
    """
    asked = sum(one.evidence is not None and not _same(one) for one in challengers)
    compared = max(1, asked + earlier)
    rulings = [_ruling(one, compared) for one in challengers]
    passed = [one for one in rulings if one.act == "hop"]
    if not passed:
        return Promotion(None, tuple(rulings), compared)
    best = max(passed, key=_weight)
    final = tuple(
        replace(one, act="kept", ground="outdone", why=_outdone(one, best))
        if one.act == "hop" and one is not best
        else one
        for one in rulings
    )
    return Promotion(best.challenger, final, compared, _suspect(best.challenger))


def lower_end(difference: Difference, compared: int) -> float:
    """The lower end of the interval that holds though so many were compared.

    The reach below the estimate grows by the ratio of the normal quantiles of 5 % / k and 5 %.
    """
    normal = NormalDist()
    ratio = normal.inv_cdf(1 - LEVEL / 2 / compared) / normal.inv_cdf(1 - LEVEL / 2)
    return difference.difference - (difference.difference - difference.interval.low) * ratio


def wins(difference: Difference, compared: int) -> bool:
    """Whether it is a WIN though so many were compared; exact where the p-value is."""
    if difference.verdict is not Verdict.WIN:
        return False
    if difference.p_value is not None:
        return difference.p_value * compared < LEVEL
    return lower_end(difference, compared) > 0.0


def not_worse(difference: Difference, compared: int) -> bool:
    """Whether it is not worse by the margin though so many were compared; a TIE is that too."""
    known = difference.verdict in (Verdict.WIN, Verdict.TIE, Verdict.NOT_WORSE)
    return known and lower_end(difference, compared) > -difference.margin


def without_leaks(evidence: Evidence) -> Evidence:
    """The comparison without leaked items, where there are any.

    Champion and challenger are made from the same rows, so that a leak favours neither by itself;
    but what remembers more would gain by it. So these items are left out of both, and the verdict
    is that of the others.
    """
    clean = evidence.without_leaks
    if clean is None:
        return evidence
    left = evidence.difference.n - clean.n
    method = f"{clean.method};{left} leaked items left out of both"
    found = clean.model_copy(update={"method": method})
    return evidence.model_copy(update={"difference": found, "without_leaks": None})


def _ruling(challenger: Challenger, compared: int) -> Ruling:
    evidence = challenger.evidence
    if evidence is None:
        why = challenger.failed or "It was not asked."
        return Ruling(challenger, "kept", "failed", f"{challenger.key}: {why}")
    if _same(challenger):
        why = f"{challenger.key}: it came out as the champion itself, byte for byte."
        return Ruling(challenger, "kept", "same", why)
    ground = _ground(challenger, evidence, compared)
    passed = ground in ("win", "cheaper")
    return Ruling(
        challenger,
        "hop" if passed else "kept",
        ground,
        _why(challenger, evidence, ground, compared),
    )


def _ground(challenger: Challenger, evidence: Evidence, compared: int) -> Ground:
    found, standing = evidence.difference, challenger.standing
    saves = cheaper(evidence.cost, evidence.rival_cost)
    if standing is None:
        won, held = wins(found, compared), not_worse(found, compared)
    else:
        from metier.stats.sequential import SHOWN

        won, held = standing.for_it >= SHOWN, standing.not_worse >= SHOWN
    ground: Ground
    if found.verdict is Verdict.LOSS:
        ground = "loss"
    elif won or (saves and held):
        ground = "fresh" if _refuted(challenger) else "win" if won else "cheaper"
    elif found.verdict is Verdict.WIN:
        ground = "luck"
    elif held or (found.verdict is Verdict.TIE and not saves):
        ground = "dearer"
    else:
        ground = "underpowered"
    return ground


def _refuted(challenger: Challenger) -> bool:
    """Whether fresh items speak against it: a LOSS, or under a standing watch the mean itself."""
    fresh = challenger.fresh
    if fresh is None:
        return False
    against = challenger.standing is not None and fresh.difference.difference <= 0.0
    return against or fresh.difference.verdict is Verdict.LOSS


def _weight(ruling: Ruling) -> tuple[bool, float, float]:
    evidence = ruling.challenger.evidence
    assert evidence is not None
    return (
        ruling.ground == "win",
        evidence.difference.difference,
        -(evidence.cost.ms_per_text or 0.0),
    )


def _suspect(challenger: Challenger) -> bool:
    """A win on old items that fresh ones do not bear out."""
    fresh, evidence = challenger.fresh, challenger.evidence
    if fresh is None or evidence is None or evidence.difference.verdict is not Verdict.WIN:
        return False
    return fresh.difference.difference <= 0.0


def _same(challenger: Challenger) -> bool:
    evidence = challenger.evidence
    return evidence is not None and evidence.system == evidence.rival


def _why(challenger: Challenger, evidence: Evidence, ground: Ground, compared: int) -> str:
    found = evidence.difference
    what = f" ({challenger.what})" if challenger.what else ""
    said = f"{challenger.key}{what}: {numbers(evidence)}, {found.verdict.value}"
    told = {
        "win": "promoted.",
        "cheaper": f"not worse and cheaper ({costs(evidence)}): promoted.",
        "loss": "it is worse than the champion.",
        "fresh": "but fresh items speak against it.",
        "luck": _luck(challenger, compared),
        "dearer": f"not worse, but not cheaper ({costs(evidence)}).",
        "underpowered": _needed(found),
    }[ground]
    fresh = challenger.fresh
    beside = f" Fresh items: {numbers(fresh)}, {fresh.difference.verdict.value}." if fresh else ""
    if ground == "win" and _suspect(challenger):
        beside += " It wins on old items only: suspect."
    return f"{said}: {told}{beside}"


def _luck(challenger: Challenger, compared: int) -> str:
    if challenger.standing is None:
        return f"but the best of {compared} on the same items can win by so much by luck."
    return "but whoever looks again and again sees so much by luck."


def _outdone(ruling: Ruling, best: Ruling) -> str:
    said = ruling.why.removesuffix("promoted.").rstrip(": ")
    return f"{said}: it would do, but {best.challenger.key} does better."


def numbers(evidence: Evidence) -> str:
    """``+10.2 points (8.8 to 11.6, 3,080 questions; .851 against .749)``."""
    found = evidence.difference
    scores = f"{_share(evidence.score.value)} against {_share(evidence.rival_score.value)}"
    return (
        f"{100 * found.difference:+.1f} points ({100 * found.interval.low:.1f} to "
        f"{100 * found.interval.high:.1f}, {found.n:,} questions; {scores})"
    )


def costs(evidence: Evidence) -> str:
    """What an answer of each costs, in a few words."""
    return f"{_cost(evidence.cost)} against {_cost(evidence.rival_cost)}"


def _needed(found: Difference) -> str:
    if found.needed_n:
        return f"{found.n:,} questions cannot tell; about {found.needed_n:,} could."
    return f"{found.n:,} questions cannot tell."


def _cost(cost: Cost) -> str:
    known = []
    if cost.price_per_million_tokens is not None:
        known.append(f"{cost.price_per_million_tokens:g} per million tokens")
    if cost.ms_per_text is not None:
        known.append(f"{cost.ms_per_text:.2f} ms")
    if cost.size_bytes is not None or cost.shared_bytes is not None:
        known.append(f"{((cost.size_bytes or 0) + (cost.shared_bytes or 0)) / 1e6:.1f} MB")
    return ", ".join(known) or "not known"


def _share(value: float) -> str:
    return f"{value:.3f}".lstrip("0") if value < 1 else f"{value:.3f}"
