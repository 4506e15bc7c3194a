"""The leak gate: what of the eval stands in the training rows already.

It knows texts, labels and rows, and looks before anything is trained: exact, folded, 13-gram and
near-duplicate overlap, conflicting labels, duplicates. It knows no model, so a text that was
reworded with other words can pass it.

Near-duplicates need a yardstick, since people ask the same thing in nearly the same words: they
count as leaks only where eval texts resemble training texts clearly more often than training
texts resemble each other (``nearness.Level``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metier.card import LeakReport, LeakRow
from metier.errors import InputError
from metier.evals import nearness, resemblance, wordruns
from metier.evals.nearness import TOLERATED, Match, Nearness
from metier.features import fold
from metier.messages import Example

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
        complete: Whether every eval item was searched for near-duplicates; very large data is
            sampled, which the report's ``method`` says.
    """

    report: LeakReport
    leaked: tuple[int, ...]
    similar: tuple[int, ...]
    sources: tuple[int, ...]
    complete: bool = True


def scan(train: Sequence[Example], evaluation: Sequence[Example]) -> LeakScan:
    """Look for eval items in the training rows.

    Args:
        train: Rows to train on.
        evaluation: Sealed rows.

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
    found: dict[str, dict[int, Match]] = {"exact": {}, "folded": {}}
    for item, key in enumerate(eval_keys):
        if rows := rows_of.get(key):
            sources.update(rows)
            text = evaluation[item].text
            same = next((row for row in rows if train[row].text == text), None)
            kind = "folded" if same is None else "exact"
            found[kind][item] = Match(rows[0] if same is None else same, 1.0)
    runs = wordruns.shared_runs(train_keys, eval_keys)
    sources.update(runs.sources)
    found["13-gram"] = {item: Match(row, share) for item, (row, share) in runs.items.items()}
    similar = nearness.measure(train, evaluation, train_keys, eval_keys)
    counted_from = similar.counted_from
    sources.update(row for row, value in similar.sources.items() if value >= counted_from)
    found["near-duplicate"] = similar.matches
    leaked, alike, by_kind = _counted(found, counted_from)
    report = LeakReport(
        eval_items=len(evaluation),
        leaked=len(leaked),
        share=len(leaked) / max(1, len(evaluation)),
        by_kind=by_kind,
        duplicate_train_rows=len(train) - len(rows_of),
        conflicting_labels=_conflict_count(train, evaluation, rows_of, eval_keys),
        similar=len(alike),
        similar_among_train=round(similar.levels[0].among_train, 4),
        blocks_win=len(leaked) > TOLERATED * len(evaluation)
        or any(not level.natural for level in similar.levels),
        rows=_shown(train, evaluation, found),
        conflicts=tuple(_conflicts(train, evaluation, rows_of, eval_keys))[:_SHOWN],
        method=_method(similar, len(evaluation)),
    )
    complete = similar.levels[0].items == len(evaluation)
    return LeakScan(report, tuple(leaked), tuple(alike), tuple(sorted(sources)), complete)


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
            # What was not searched may hold more of what was found.
            "blocks_win": not scanned.complete and scanned.report.by_kind["near-duplicate"] > 0,
        }
    )
    return kept, report


def _key(text: str) -> str:
    """The folded text; the text itself where nothing is left of it (an emoji)."""
    return fold(text) or text


def _counted(
    found: dict[str, dict[int, Match]], counted_from: float
) -> tuple[list[int], list[int], dict[str, int]]:
    """Leaked items, items that are only alike, and how many leaked by which kind."""
    leaked: set[int] = set()
    by_kind: dict[str, int] = {}
    for kind, matches in found.items():
        new = matches.keys() - leaked
        if kind == "near-duplicate":
            new = {item for item in new if matches[item].similarity >= counted_from}
        by_kind[kind] = len(new)
        leaked |= new
    return sorted(leaked), sorted(found["near-duplicate"].keys() - leaked), by_kind


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
    train: Sequence[Example], evaluation: Sequence[Example], found: dict[str, dict[int, Match]]
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
            "similarity": round(similarity, 4),
            "eval_excerpt": _excerpt(one),
            "train_excerpt": _excerpt(other),
            "where": where,
        }
    )


def _excerpt(example: Example) -> str:
    flat = " ".join(example.text[: _EXCERPT * 4].split())
    cut = flat if len(flat) <= _EXCERPT else f"{flat[: _EXCERPT - 1].rstrip()}…"
    return f"{cut} [{example.label}]"


def _method(similar: Nearness, items: int) -> str:
    first = similar.levels[0]
    part = "" if first.items >= items else f" ({first.items:,} of {items:,} searched)"
    rates = "; ".join(
        f"at {level.similarity:g} {level.share:.1%} of the eval{part} and {level.among_train:.1%} "
        f"of the training rows among themselves, limit {level.limit:.1%}"
        for level in similar.levels
    )
    verdict = (
        "no more than these texts are alike by nature, so not counted as leaks"
        if similar.counted_from > 1
        else f"more than by nature, so counted as leaks from {similar.counted_from:g} on"
    )
    return (
        "Texts are compared exactly, folded (NFKC, case and punctuation away), by runs of 13 "
        "folded words, and as near-duplicates of the same label (Jaccard similarity of hashed "
        f"character 2- and 3-grams, texts up to {resemblance.LONGEST} characters): {rates}: "
        f"{verdict}. A paraphrase in other words can pass."
    )
