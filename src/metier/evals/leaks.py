"""The leak gate: what of the eval stands in the training rows already.

It knows texts, labels and rows, and looks before anything is trained: exact, folded, 13-gram and
near-duplicate overlap, conflicting labels, duplicates. It knows no model, so a text that was
reworded with other words can pass it.

Near-duplicates need a yardstick, since people ask the same thing in nearly the same words: they
count as leaks only where eval texts resemble training texts clearly more often than training
texts resemble each other (``NATURAL_FACTOR``, ``TOLERATED``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.card import LeakReport, LeakRow
from metier.errors import InputError
from metier.evals import resemblance, wordruns
from metier.features import fold
from metier.messages import Example

TOLERATED = 0.01
"""Share of the eval that may leak; above it no WIN can be given."""
SIMILARITY = 0.75
"""Jaccard similarity of character 2- and 3-grams from which two texts are near-duplicates."""
NATURAL_FACTOR = 1.5
"""Eval texts may resemble training texts this much more often than those resemble each other."""
_SAMPLE = 3_000
_SHOWN = 20
_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class LeakScan:
    """What the leak gate found, with every position.

    Attributes:
        report: The summary that goes on the card.
        leaked: Positions of the eval items that count as leaked, ascending.
        similar: Positions of eval items that have a near-duplicate in train which does not count
            as a leak, ascending; a careful comparison is repeated without them too.
        sources: Positions of the training rows behind ``leaked``, ascending.
    """

    report: LeakReport
    leaked: tuple[int, ...]
    similar: tuple[int, ...]
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Match:
    """The best overlap of one eval item of one kind."""

    train: int
    similarity: float


@dataclass(frozen=True, slots=True)
class _Similar:
    """Near-duplicates: the best of each eval item, all rows behind them, and the yardstick."""

    matches: dict[int, _Match]
    sources: set[int]
    among_train: float


def scan(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    *,
    similarity: float = SIMILARITY,
) -> LeakScan:
    """Look for eval items in the training rows.

    Args:
        train: Rows to train on.
        evaluation: Sealed rows.
        similarity: Jaccard similarity from which two texts of one label are near-duplicates.

    Returns:
        The report and the positions behind it. Each item counts once, under its strongest kind:
        exact, folded (equal but for case and punctuation), 13-gram (13 consecutive folded words
        shared), near-duplicate.
    """
    train_keys = [_key(example.text) for example in train]
    eval_keys = [_key(example.text) for example in evaluation]
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(train_keys):
        rows_of[key].append(row)
    sources: set[int] = set()
    found: dict[str, dict[int, _Match]] = {"exact": {}, "folded": {}}
    for item, key in enumerate(eval_keys):
        if rows := rows_of.get(key):
            sources.update(rows)
            text = evaluation[item].text
            same = next((row for row in rows if train[row].text == text), None)
            kind = "folded" if same is None else "exact"
            found[kind][item] = _Match(rows[0] if same is None else same, 1.0)
    runs = wordruns.shared_runs(train_keys, eval_keys)
    sources.update(runs.sources)
    found["13-gram"] = {item: _Match(row, share) for item, (row, share) in runs.items.items()}
    similar = _similar(train, evaluation, train_keys, eval_keys, similarity)
    share = len(similar.matches) / max(1, len(evaluation))
    natural = share <= NATURAL_FACTOR * similar.among_train + TOLERATED
    if not natural:
        sources.update(similar.sources)
    found["near-duplicate"] = similar.matches
    leaked, alike, by_kind = _counted(found, natural)
    report = LeakReport(
        eval_items=len(evaluation),
        leaked=len(leaked),
        share=len(leaked) / max(1, len(evaluation)),
        by_kind=by_kind,
        duplicate_train_rows=len(train) - len(rows_of),
        conflicting_labels=_conflict_count(train, evaluation, rows_of, eval_keys),
        similar=len(alike),
        similar_among_train=similar.among_train,
        blocks_win=len(leaked) > TOLERATED * len(evaluation),
        rows=_shown(train, evaluation, found),
        conflicts=tuple(_conflicts(train, evaluation, rows_of, eval_keys))[:_SHOWN],
        method=_method(similarity, natural, share, similar.among_train),
    )
    return LeakScan(report, tuple(leaked), tuple(alike), tuple(sorted(sources)))


def drop_leaks(train: Sequence[Example], scanned: LeakScan) -> tuple[list[Example], LeakReport]:
    """Take the training rows behind the leaks out; the eval stays as it is.

    Args:
        train: The rows that were scanned.
        scanned: What ``scan`` said about them.

    Returns:
        The rows that are left, in order, and the report of what is left: nothing leaks,
        ``dropped`` rows are gone, and ``rows`` still shows examples of what was dropped.

    Raises:
        InputError: A label would be left with fewer than two rows (``leaks_hold_label``).
    """
    dropped = set(scanned.sources)
    kept = [example for row, example in enumerate(train) if row not in dropped]
    left = Counter(example.label for example in kept)
    before = Counter(example.label for example in train)
    lost = [label for label, count in before.items() if left[label] < min(2, count)]
    if lost:
        raise InputError(
            f"Without the {len(dropped):,} training rows that also stand in the eval, "
            f"{len(lost)} labels have fewer than two rows left: {', '.join(map(repr, lost[:5]))}.",
            code="leaks_hold_label",
            remedy="Add training rows of these labels that are not in the eval.",
            details={"labels": lost[:20], "rows": [train[row].row for row in sorted(dropped)[:20]]},
        )
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(kept):
        rows_of[_key(example.text)].append(row)
    report = scanned.report.model_copy(
        update={
            "leaked": 0,
            "share": 0.0,
            "by_kind": dict.fromkeys(scanned.report.by_kind, 0),
            "duplicate_train_rows": len(kept) - len(rows_of),
            "conflicting_labels": _conflict_count(kept, [], rows_of, []),
            "conflicts": tuple(_conflicts(kept, [], rows_of, []))[:_SHOWN],
            "dropped": len(dropped),
            "blocks_win": False,
        }
    )
    return kept, report


def _key(text: str) -> str:
    """The folded text; the text itself where nothing is left of it (an emoji)."""
    return fold(text) or text


def _counted(
    found: dict[str, dict[int, _Match]], natural: bool
) -> tuple[list[int], list[int], dict[str, int]]:
    """Leaked items, items that are only alike, and how many leaked by which kind."""
    leaked: set[int] = set()
    alike: set[int] = set()
    by_kind: dict[str, int] = {}
    for kind, matches in found.items():
        new = matches.keys() - leaked
        if kind == "near-duplicate" and natural:
            alike, new = new, set()
        by_kind[kind] = len(new)
        leaked |= new
    return sorted(leaked), sorted(alike), by_kind


def _similar(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    train_keys: list[str],
    eval_keys: list[str],
    threshold: float,
) -> _Similar:
    """Near-duplicates of one label, and how often training rows have one among themselves.

    Equal folded texts are no near-duplicates but copies; they are counted elsewhere.
    """
    copies: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(train_keys):
        copies[key, train[row].label].append(row)
    first = [rows[0] for rows in copies.values()]
    texts = [train_keys[row] for row in first]
    number = {label: at for at, label in enumerate(dict.fromkeys(e.label for e in train))}
    classes = np.array([number[train[row].label] for row in first], np.int64)
    eval_classes = np.array([number.get(e.label, -1) for e in evaluation], np.int64)
    sets = resemblance.sets_of(texts, beside=eval_keys)
    queries = resemblance.sets_of(eval_keys, beside=texts)
    matches: dict[int, _Match] = {}
    sources: set[int] = set()
    for pairs in resemblance.similar_pairs(
        queries, sets, threshold, query_classes=eval_classes, text_classes=classes
    ):
        for item, at, value in zip(
            pairs.left.tolist(), pairs.right.tolist(), pairs.similarity.tolist(), strict=True
        ):
            if eval_keys[item] == texts[at]:
                continue
            sources.update(copies[texts[at], evaluation[item].label])
            if item not in matches or value > matches[item].similarity:
                matches[item] = _Match(first[at], round(value, 4))
    sample = _like_eval(classes, eval_classes)
    has_near = np.zeros(len(texts), np.bool_)
    for pairs in resemblance.similar_pairs(
        sets[sample], sets, threshold, query_classes=classes[sample], text_classes=classes
    ):
        at = sample[pairs.left]
        has_near[at[at != pairs.right]] = True
    return _Similar(matches, sources, _expected(classes, eval_classes, sample, has_near))


def _like_eval(classes: NDArray[np.int64], eval_classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of at most about 3,000 training rows with the eval's mix of labels."""
    chosen: list[NDArray[np.int64]] = []
    for label, count in zip(*np.unique(eval_classes, return_counts=True), strict=True):
        rows = np.flatnonzero(classes == label)
        take = min(rows.size, int(np.ceil(_SAMPLE * count / eval_classes.size)))
        # Evenly spaced and not random: the same rows on every machine.
        chosen.append(rows[np.linspace(0, rows.size - 1, take).astype(np.int64)] if take else rows)
    return np.concatenate(chosen) if chosen else np.empty(0, np.int64)


def _expected(
    classes: NDArray[np.int64],
    eval_classes: NDArray[np.int64],
    sample: NDArray[np.int64],
    has_near: NDArray[np.bool_],
) -> float:
    """Share of training rows with a near-duplicate in train, weighted by the eval's labels."""
    total = 0.0
    for label, count in zip(*np.unique(eval_classes, return_counts=True), strict=True):
        rows = sample[classes[sample] == label]
        size = int(np.count_nonzero(classes == label))
        if rows.size and size > 1:
            # A training row has one row fewer to resemble than an eval item has.
            rate = float(has_near[rows].mean()) * size / (size - 1)
            total += min(1.0, rate) * float(count)
    return total / max(1, eval_classes.size)


def _conflict_count(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    rows_of: dict[str, list[int]],
    eval_keys: list[str],
) -> int:
    return sum(1 for _ in _conflicts(train, evaluation, rows_of, eval_keys))


def _conflicts(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    rows_of: dict[str, list[int]],
    eval_keys: list[str],
) -> Iterable[LeakRow]:
    """Equal folded texts with different labels.

    One pair for each such text in train, and one for each eval item that train knows under other
    labels only.
    """
    for rows in rows_of.values():
        other = next((row for row in rows if train[row].label != train[rows[0]].label), None)
        if other is not None:
            yield _row("folded", train[other], train[rows[0]], 1.0, "train")
    for item, key in enumerate(eval_keys):
        rows = rows_of.get(key, [])
        if rows and all(train[row].label != evaluation[item].label for row in rows):
            yield _row("folded", evaluation[item], train[rows[0]], 1.0, "train and eval")


def _shown(
    train: Sequence[Example], evaluation: Sequence[Example], found: dict[str, dict[int, _Match]]
) -> tuple[LeakRow, ...]:
    """Up to 20 pairs, some of every kind, best first within a kind."""
    each = _SHOWN // 4
    seen: set[int] = set()
    first: list[LeakRow] = []
    rest: list[LeakRow] = []
    for kind, matches in found.items():
        ordered = sorted(matches.items(), key=lambda pair: (-pair[1].similarity, pair[0]))
        new = [(item, match) for item, match in ordered if item not in seen][:_SHOWN]
        seen.update(matches)
        rows = [
            _row(kind, evaluation[item], train[match.train], match.similarity, "train and eval")
            for item, match in new
        ]
        first.extend(rows[:each])
        rest.extend(rows[each:])
    return tuple((first + rest)[:_SHOWN])


def _row(kind: str, one: Example, other: Example, similarity: float, where: str) -> LeakRow:
    return LeakRow.model_validate(
        {
            "kind": kind,
            "eval_row": one.row,
            "train_row": other.row,
            "similarity": similarity,
            "eval_excerpt": _excerpt(one),
            "train_excerpt": _excerpt(other),
            "where": where,
        }
    )


def _excerpt(example: Example) -> str:
    flat = " ".join(example.text[: _EXCERPT * 4].split())
    cut = flat if len(flat) <= _EXCERPT else f"{flat[: _EXCERPT - 1].rstrip()}…"
    return f"{cut} [{example.label}]"


def _method(similarity: float, natural: bool, share: float, among_train: float) -> str:
    verdict = (
        "which is how alike these texts are: not counted as leaks"
        if natural
        else "which is more than these texts are alike by nature: counted as leaks"
    )
    return (
        "Texts are compared exactly, folded (NFKC, case and punctuation away), by runs of 13 "
        "folded words, and as near-duplicates of the same label (Jaccard similarity of hashed "
        f"character 2- and 3-grams of at least {similarity:g}). {share:.1%} of the eval has a "
        f"near-duplicate in train and {among_train:.1%} of the training rows have one among "
        f"themselves, {verdict} (limit: {NATURAL_FACTOR:g} times that plus {TOLERATED:.0%}). "
        "A paraphrase in other words can pass."
    )
