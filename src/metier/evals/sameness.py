"""The leak gate of pictures: what of the eval stands in the training rows already.

It knows digests of pixels, 64-bit hashes and 8 x 8 thumbs; it knows no model. Two pictures are the
same if their pixels are, and near-duplicates if their hashes differ in few bits and their thumbs
in few levels: another size, another compression, a little light. A crop, a mirrored copy or another
photograph of the same thing can pass.

Pictures on a plain ground resemble each other by nature, as short texts do, so near-duplicates
count as leaks only where eval pictures have them clearly more often than training pictures have
them among themselves; else they are told and not counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.card import LeakReport, LeakRow
from metier.evals.items import EvalItem
from metier.evals.leaks import LeakScan
from metier.evals.nearness import TOLERATED
from metier.messages import Example
from metier.picturefeatures import Trace

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MOST_BITS = 6
"""Bits of 64 in which two hashes of one picture differ at most."""
MOST_LEVELS = 6.0
"""Mean difference of two thumbs of one picture, in levels of 255."""
_SHOWN = 20
_CHUNK = 256
_MOST_PAIRS = 400_000_000
"""Pairs that are compared at most; above it the training rows among themselves are sampled."""


@dataclass(frozen=True, slots=True)
class _Traces:
    """Hashes, shape (n,), uint64, and thumbs, shape (n, 192), int16."""

    hashes: NDArray[np.uint64]
    thumbs: NDArray[np.int16]

    @classmethod
    def of(cls, digests: Sequence[str], traces: Mapping[str, Trace]) -> _Traces:
        found = [traces[digest] for digest in digests]
        thumbs = [np.frombuffer(one.thumb, np.uint8) for one in found]
        return cls(
            np.array([one.hash for one in found], np.uint64),
            np.array(thumbs, np.int16).reshape(len(found), -1),
        )


def of_pictures(items: Iterable[EvalItem]) -> bool:
    """Whether an eval's items are pictures: each text is a digest."""
    return all(_DIGEST.fullmatch(item.text) for item in items)


def scan_pictures(
    train: Sequence[Example], evaluation: Sequence[Example], traces: Mapping[str, Trace]
) -> LeakScan:
    """Look for eval pictures in the training rows.

    Args:
        train: Rows to train on; ``text`` is the picture's digest.
        evaluation: Sealed rows.
        traces: Of every digest.

    Returns:
        The report and the positions behind it, as ``leaks.scan`` gives them for texts. Each item
        counts once, under its strongest kind: exact, then near-duplicate.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(train):
        rows_of[example.text].append(row)
    exact = {
        item: rows_of[example.text][0]
        for item, example in enumerate(evaluation)
        if example.text in rows_of
    }
    first = _Traces.of([example.text for example in evaluation], traces)
    second = _Traces.of([example.text for example in train], traces)
    near = {
        item: rows for item, rows in _pairs(first, second).items() if item not in exact and rows
    }
    among = _share_among(train, second)
    share = len(near) / max(1, len(evaluation))
    counts = share > _limit(among, len(evaluation))
    leaked = sorted({*exact, *(near if counts else ())})
    sources = {row for item in exact for row in rows_of[evaluation[item].text]}
    if counts:
        sources |= {row for rows in near.values() for row in rows}
    conflicts = _conflicts(train, evaluation, rows_of)
    report = LeakReport(
        eval_items=len(evaluation),
        leaked=len(leaked),
        share=len(leaked) / max(1, len(evaluation)),
        by_kind={"exact": len(exact), "near-duplicate": len(near) if counts else 0},
        duplicate_train_rows=len(train) - len(rows_of),
        conflicting_labels=len(conflicts),
        similar=0 if counts else len(near),
        similar_among_train=round(among, 4),
        blocks_win=len(leaked) > TOLERATED * len(evaluation),
        rows=_shown(train, evaluation, exact, near),
        conflicts=tuple(conflicts[:_SHOWN]),
        method=_method(share, among, counts=counts),
    )
    similar = () if counts else tuple(sorted(near))
    return LeakScan(report, tuple(leaked), similar, tuple(sorted(sources)))


def near_groups(digests: Sequence[str], traces: Mapping[str, Trace]) -> list[str | None]:
    """A group for each picture that has a near-duplicate among the others, ``None`` for the rest.

    A split by chance keeps a group together, so that no copy is sealed while its twin trains.
    """
    found = _Traces.of(digests, traces)
    root = list(range(len(digests)))

    def top(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for one, others in _pairs(found, found, same=True).items():
        for other in others:
            root[max(top(one), top(other))] = min(top(one), top(other))
    tops = [top(place) for place in range(len(digests))]
    sizes = np.bincount(tops, minlength=len(digests))
    return [f"near:{place}" if sizes[place] > 1 else None for place in tops]


def _pairs(first: _Traces, second: _Traces, *, same: bool = False) -> dict[int, list[int]]:
    """Place in ``first`` to the places in ``second`` that look the same."""
    found: dict[int, list[int]] = {}
    for start in range(0, first.hashes.size, _CHUNK):
        chunk = first.hashes[start : start + _CHUNK]
        bits = np.bitwise_count(chunk[:, None] ^ second.hashes[None, :])
        for row, column in np.argwhere(bits <= MOST_BITS).tolist():
            place = start + row
            if same and column <= place:
                continue
            apart = np.abs(first.thumbs[place] - second.thumbs[column]).mean()
            if apart <= MOST_LEVELS:
                found.setdefault(place, []).append(column)
    return found


def _share_among(train: Sequence[Example], traces: _Traces) -> float:
    """Share of the training pictures with a near-duplicate that is not the very same picture."""
    number = len(train)
    if number < 2:
        return 0.0
    most = max(1, min(number, _MOST_PAIRS // number))
    picked = np.linspace(0, number - 1, most).astype(np.int64)
    some = _Traces(traces.hashes[picked], traces.thumbs[picked])
    with_one = 0
    for place, others in _pairs(some, traces).items():
        own = train[int(picked[place])].text
        with_one += any(train[other].text != own for other in others)
    return with_one / most


def _limit(among: float, items: int) -> float:
    """Twice what is natural, and no less than chance gives in so few items."""
    return max(TOLERATED, 2 * among + 2 * float(np.sqrt(among * (1 - among) / max(1, items))))


def _conflicts(
    train: Sequence[Example], evaluation: Sequence[Example], rows_of: Mapping[str, list[int]]
) -> list[LeakRow]:
    found = []
    for rows in rows_of.values():
        other = next((row for row in rows if train[row].label != train[rows[0]].label), None)
        if other is not None:
            found.append(_row("exact", train[other], train[rows[0]], "train"))
    for example in evaluation:
        rows = rows_of.get(example.text, [])
        if rows and all(train[row].label != example.label for row in rows):
            found.append(_row("exact", example, train[rows[0]], "train and eval"))
    return found


def _shown(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    exact: Mapping[int, int],
    near: Mapping[int, list[int]],
) -> tuple[LeakRow, ...]:
    rows = [
        _row("exact", evaluation[item], train[row], "train and eval")
        for item, row in sorted(exact.items())[: _SHOWN // 2]
    ]
    rows += [
        _row("near-duplicate", evaluation[item], train[others[0]], "train and eval")
        for item, others in sorted(near.items())[: _SHOWN - len(rows)]
    ]
    return tuple(rows)


def _row(kind: str, one: Example, other: Example, where: str) -> LeakRow:
    return LeakRow.model_validate(
        {
            "kind": kind,
            "eval_row": one.row,
            "train_row": other.row,
            "eval_excerpt": f"picture {one.row} [{one.label}]",
            "train_excerpt": f"picture {other.row} [{other.label}]",
            "where": where,
        }
    )


def _method(share: float, among: float, *, counts: bool) -> str:
    verdict = (
        "more than by nature, so counted as leaks"
        if counts
        else "no more than these pictures are alike by nature, so not counted as leaks"
    )
    return (
        "Pictures are compared by their pixels after decoding, and as near-duplicates: difference "
        f"hashes of 64 bits that differ in {MOST_BITS} at most, and 8 x 8 thumbs that differ by "
        f"{MOST_LEVELS:g} of 255 levels at most: {share:.1%} of the eval and {among:.1%} of the "
        f"training rows among themselves: {verdict}. A crop, a mirrored copy or another photograph "
        "of the same thing can pass."
    )
