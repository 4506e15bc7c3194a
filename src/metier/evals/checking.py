"""What an eval can show, before anybody runs it; and what its results say about it.

It knows items and, where there are any, results; it runs nothing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from metier.errors import InputError
from metier.evals.items import Eval
from metier.evals.results import Result

DISCORDANT_SHARES = (0.05, 0.1, 0.2, 0.3)
"""Shares of discordant items for which the smallest detectable difference is given."""
DIFFERENCES = (0.01, 0.02, 0.03, 0.05, 0.1)
"""Differences for which the needed items are given, at a discordant share of .1."""
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class EvalCheck:
    """What ``check_eval`` found. Differences and shares are shares of 1.

    Attributes:
        fingerprint: Of the eval.
        items: How many.
        clusters: Independent groups; equal to ``items`` where every item stands alone.
        largest_cluster: Items of the largest.
        worst_design: Design effect if items of a cluster were all alike.
        labels: How many.
        smallest_label: Items of the rarest label, and its name.
        largest_label: Items of the most common label, and its name.
        majority_share: Score of always answering the most common label.
        detectable: Discordant share to the smallest difference that comes out as WIN or LOSS
            with 80 % power, items counted as independent.
        detectable_worst: The same if the items of a cluster are all alike.
        needed: Difference to the items that show it with 80 % power at 10 % discordant.
        smallest_win: The least difference that can ever be a WIN here: six discordant items one
            way; ``None`` if there are fewer than six clusters.
        duplicates: Pairs of ids with the same text after folding case and spaces; examples.
        duplicate_items: Items whose text occurred before.
        conflicts: Pairs of ids with the same text but different labels; examples.
        conflicting_items: Items whose text occurred before under another label.
        dated: Items with a date; ``oldest`` and ``newest`` are ISO dates or ``None``.
        all_right: Items that every result gets right; ``None`` without results.
        all_wrong: Items that no result gets right.
        unscored: Items that some result left unscored.
        discordant: Share of items on which the results differ, if there are two or more.
        warnings: Sentences for people.
    """

    fingerprint: str
    items: int
    clusters: int
    largest_cluster: int
    worst_design: float
    labels: int
    smallest_label: tuple[str, int]
    largest_label: tuple[str, int]
    majority_share: float
    detectable: Mapping[str, float]
    detectable_worst: Mapping[str, float]
    needed: Mapping[str, int]
    smallest_win: float | None
    duplicates: tuple[tuple[str, str], ...]
    duplicate_items: int
    conflicts: tuple[tuple[str, str], ...]
    conflicting_items: int
    dated: int
    oldest: str | None
    newest: str | None
    results: int = 0
    all_right: int | None = None
    all_wrong: int | None = None
    unscored: int | None = None
    discordant: float | None = None
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)


def check_eval(sealed: Eval, results: Sequence[Result] = ()) -> EvalCheck:
    """What the eval can show, and what is odd about it.

    Raises InputError (code ``other_eval``) if a result is not of this eval.
    """
    from metier.stats import detectable_difference, needed_items

    n = len(sealed.items)
    sizes = Counter(item.cluster for item in sealed.items)
    worst_design = sum(size * size for size in sizes.values()) / n
    labels = Counter(item.label for item in sealed.items)
    ordered = sorted(labels.items(), key=lambda pair: (pair[1], pair[0]))
    duplicates, conflicts = _repeated_texts(sealed)
    dates = sorted(item.date[:10] for item in sealed.items if item.date is not None)
    outcomes = _outcome_facts(sealed, results)
    check = EvalCheck(
        fingerprint=sealed.fingerprint,
        items=n,
        clusters=len(sizes),
        largest_cluster=max(sizes.values()),
        worst_design=worst_design,
        labels=len(labels),
        smallest_label=ordered[0],
        largest_label=ordered[-1],
        majority_share=ordered[-1][1] / n,
        detectable={f"{d:g}": detectable_difference(n, d) for d in DISCORDANT_SHARES},
        detectable_worst={
            f"{d:g}": detectable_difference(n, d, design=worst_design) for d in DISCORDANT_SHARES
        },
        needed={f"{size:g}": needed_items(size, max(0.1, size)) for size in DIFFERENCES},
        smallest_win=6 / n if len(sizes) >= 6 else None,
        duplicates=tuple(duplicates[:_EXAMPLES]),
        duplicate_items=len(duplicates),
        conflicts=tuple(conflicts[:_EXAMPLES]),
        conflicting_items=len(conflicts),
        dated=len(dates),
        oldest=dates[0] if dates else None,
        newest=dates[-1] if dates else None,
        **outcomes,
    )
    return replace(check, warnings=_warnings(check))


def _repeated_texts(sealed: Eval) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Pairs of ids, first occurrence and repeat: the same text, and of these other labels."""
    first: dict[str, tuple[str, str]] = {}
    duplicates: list[tuple[str, str]] = []
    conflicts: list[tuple[str, str]] = []
    for item in sealed.items:
        key = " ".join(unicodedata.normalize("NFKC", item.text).casefold().split())
        found = first.setdefault(key, (item.id, item.label))
        if found[0] == item.id:
            continue
        duplicates.append((found[0], item.id))
        if found[1] != item.label:
            conflicts.append((found[0], item.id))
    return duplicates, conflicts


def _outcome_facts(sealed: Eval, results: Sequence[Result]) -> dict[str, Any]:
    """Saturation, floor, unscored and discordant items over the results."""
    for result in results:
        if result.eval_fingerprint != sealed.fingerprint:
            raise InputError(
                f"The result of {result.system_name} is of another eval, "
                f"{result.eval_fingerprint}.",
                code="other_eval",
                remedy="Give only results of this eval.",
            )
    if not results:
        return {}
    rows = list(zip(*(result.items for result in results), strict=True))
    outcomes = [[item.outcome for item in row] for row in rows]
    scored = [row for row in outcomes if "unscored" not in row]
    differ = sum(len(set(row)) > 1 for row in scored)
    return {
        "results": len(results),
        "all_right": sum(all(value == 1.0 for value in row) for row in scored),
        "all_wrong": sum(all(value == 0.0 for value in row) for row in scored),
        "unscored": len(outcomes) - len(scored),
        "discordant": differ / len(scored) if len(results) > 1 and scored else None,
    }


def _warnings(check: EvalCheck) -> tuple[str, ...]:
    """Sentences on size, clusters, repeats and balance."""
    found: list[str] = []
    least = check.detectable["0.1"]
    if check.smallest_win is None:
        found.append(f"Clusters: {check.clusters}, fewer than 6: no WIN or LOSS can be given.")
    elif least >= 1.0:
        found.append(f"{check.items} items show nothing where 10 % of the answers differ.")
    elif least >= 0.05:
        found.append(
            f"{check.items} items cannot show less than {least * 100.0:.1f} points where 10 % of "
            "the answers differ."
        )
    if check.worst_design > 1.0:
        found.append(
            f"{check.items} items come in {check.clusters} clusters: they may count as few as "
            f"{check.items / check.worst_design:.0f} independent items."
        )
    if check.duplicate_items:
        found.append(f"Items that repeat the text of another: {check.duplicate_items}.")
    if check.conflicting_items:
        found.append(f"Items that repeat a text under another label: {check.conflicting_items}.")
    if check.labels == 1:
        found.append("There is one label only: every answer with it is right.")
    elif check.majority_share >= 0.8:
        found.append(
            f"Always answering {check.largest_label[0]!r} scores {check.majority_share:.3f}."
        )
    return (*found, *_result_warnings(check))


def _result_warnings(check: EvalCheck) -> list[str]:
    """Sentences on saturation, floor and unscored items."""
    found: list[str] = []
    right, wrong = check.all_right or 0, check.all_wrong or 0
    if check.results > 1 and right + wrong >= 0.9 * check.items:
        found.append(
            f"Right in all {check.results} results: {right} items, wrong in all: {wrong}; only "
            f"{check.items - right - wrong} tell systems apart."
        )
    if check.unscored:
        found.append(f"Items that a result left unscored, so not compared: {check.unscored}.")
    return found
