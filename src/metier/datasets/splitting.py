"""Which rows train and which are sealed: splits, folds and samples.

It knows labels, groups and equal texts: rows of one group, and rows whose folded texts are equal,
never straddle a split. Everything is decided by hashes of the seed and the rows' own contents, so
that the same rows and seed give the same split in every process, in whatever order they come. A
given test split is never touched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from metier.datasets import names
from metier.errors import InputError
from metier.messages import Example
from metier.recipe import SplitPart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


LEAST_TRAIN = 2
"""Training rows that a label keeps: with one, cross-validation could never answer it."""


@dataclass(frozen=True, slots=True)
class Division:
    """Rows to train on and rows that are sealed.

    Attributes:
        train: Rows to train on, in their order.
        evaluation: Sealed rows, in their order.
        given: Whether the rows themselves said so.
        notes: What was decided or left out, for people.
    """

    train: list[Example]
    evaluation: list[Example]
    given: bool
    notes: tuple[str, ...] = ()


def divide(
    examples: Sequence[Example],
    splits: Sequence[str] | None,
    part: SplitPart,
    *,
    seed: int = 0,
    out_of_scope_label: str | None = None,
) -> Division:
    """Divide rows as a recipe says.

    A given split is taken as it is; where none of its rows is an eval row, ``valid`` rows serve,
    else ``eval_share`` of the training rows. ``per_class`` then thins out the training rows only.

    Args:
        examples: All rows.
        splits: The given split of each, or ``None``.
        part: The recipe's ``[split]``.
        seed: Decides what chance decides.
        out_of_scope_label: A label that the training rows need not have.

    Raises:
        InputError: No training rows (``no_train_rows``), a class with fewer than two training
            rows (``one_example``), eval labels that no training row has (``unseen_labels``), or
            rows that cannot be split (``cannot_split``).
    """
    notes: list[str] = []
    given = splits is not None
    if splits is None:
        train, evaluation = split(examples, eval_share=part.eval_share, seed=seed)
        notes.append(
            f"{len(evaluation):,} of {len(examples):,} rows were set aside as the eval, "
            "stratified by label."
        )
    else:
        train, evaluation, given = _given(examples, splits, part, seed, notes)
    both = {item.group for item in train} & {item.group for item in evaluation} - {None}
    if both:
        notes.append(f"{len(both):,} groups have rows in train and in the eval.")
    if part.per_class is not None:
        before = len(train)
        train = sample_per_class(train, part.per_class, seed=seed)
        notes.append(f"{len(train):,} of {before:,} training rows: {part.per_class} per label.")
    _check(train, evaluation, out_of_scope_label, per_class=part.per_class)
    return Division(train, evaluation, given, tuple(notes))


def split(
    examples: Sequence[Example], *, eval_share: float = 0.2, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Set aside a share of the rows, stratified by label and never through a group.

    Every label keeps at least two rows in train. Labels whose rows all stand in one group stay
    in train as a whole.

    Args:
        examples: Rows without a given split.
        eval_share: Share to set aside, above 0 and below 1.
        seed: Decides which rows.

    Returns:
        Training rows and eval rows, each in their order.

    Raises:
        InputError: The rows are so tied together that nothing can be set aside
            (``cannot_split``).
    """
    if not 0 < eval_share < 1:
        raise ValueError("eval_share must lie between 0 and 1")
    units = _units(examples, seed)
    total = Counter(example.label for example in examples)
    target = _targets(total, eval_share, seed)
    held: Counter[str] = Counter()
    chosen: set[int] = set()
    # Large units first: they are the hardest to place; chance orders units of one size.
    for unit in sorted(units, key=lambda unit: (-len(unit.rows), unit.rank)):
        counts = Counter(examples[row].label for row in unit.rows)
        if any(total[label] - held[label] - count < LEAST_TRAIN for label, count in counts.items()):
            continue
        gain = 0.0
        for label, count in counts.items():
            short = target[label] - held[label]
            gain += (short * short - (short - count) ** 2) / total[label]
        if gain > 0:
            chosen.update(unit.rows)
            held.update(counts)
    if not chosen:
        raise InputError(
            "No rows can be set aside as the eval: no label has a row to spare beside the two "
            "that it trains on, or its rows are tied together by a group or by equal texts.",
            code="cannot_split",
            remedy="Add rows (three or more different texts for each label), pass another --group, "
            "or mark the rows train and test in a column called split.",
        )
    train = [example for row, example in enumerate(examples) if row not in chosen]
    return train, [examples[row] for row in sorted(chosen)]


def folds(
    labels: Sequence[str],
    groups: Sequence[Hashable | None] | None,
    k: int,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Number each row with its fold for cross-validation, stratified and grouped.

    Args:
        labels: One label a row.
        groups: One group a row, ``None`` for a row of its own; ``independent_groups`` makes
            them of texts and given groups. ``None``: every row is its own.
        k: Folds, at least 2.
        seed: Decides which rows go together.

    Returns:
        Shape (len(labels),), int64, 0 to k - 1. A label with fewer than k independent rows is
        missing from some folds; one with at least two is in train for every fold.
    """
    import numpy as np

    if k < 2:
        raise ValueError("cross-validation needs at least two folds")
    members: dict[Hashable, list[int]] = defaultdict(list)
    for row in range(len(labels)):
        group = groups[row] if groups is not None else None
        members[("row", row) if group is None else ("group", group)].append(row)
    ordered = sorted(
        members.values(),
        key=lambda rows: (-len(rows), labels[rows[0]], _rank(seed, "fold", str(rows[0]))),
    )
    assigned = np.empty(len(labels), np.int64)
    by_label: dict[str, list[int]] = defaultdict(lambda: [0] * k)
    sizes = [0] * k
    for rows in ordered:
        counts = Counter(labels[row] for row in rows)
        best = min(
            range(k),
            key=lambda fold: (
                sum(by_label[label][fold] * count for label, count in counts.items()),
                sizes[fold],
                fold,
            ),
        )
        for label, count in counts.items():
            by_label[label][best] += count
        sizes[best] += len(rows)
        assigned[rows] = best
    return assigned


def independent_groups(
    texts: Sequence[str], groups: Sequence[Hashable | None] | None = None
) -> NDArray[np.int64]:
    """Number rows so that rows of one group, or of one folded text, have one number.

    Args:
        texts: The texts.
        groups: A group for each row, ``None`` for a row of its own.

    Returns:
        Shape (len(texts),), int64; the number is the position of the group's first row.
    """
    import numpy as np

    return np.array(_roots(texts, groups), np.int64)


def sample_per_class(examples: Sequence[Example], k: int, *, seed: int = 0) -> list[Example]:
    """At most ``k`` rows of each label, in their order.

    A smaller ``k`` with the same seed gives a subset, so that a curve over ``k`` is nested.
    Copies of a text are taken only where a label has no other rows left.
    """
    if k < 1:
        raise ValueError("k must be at least 1")
    seen: Counter[tuple[str, str]] = Counter()
    ranked: dict[str, list[tuple[int, bytes, int]]] = defaultdict(list)
    for row, example in enumerate(examples):
        key = (example.label, _fold()(example.text))
        rank = _rank(seed, "sample", *key, str(seen[key]))
        ranked[example.label].append((seen[key], rank, row))
        seen[key] += 1
    kept = sorted(row for rows in ranked.values() for _, _, row in sorted(rows)[:k])
    return [examples[row] for row in kept]


@dataclass(frozen=True, slots=True)
class _Unit:
    """Rows that stay together, and their place in a shuffle."""

    rows: list[int]
    rank: bytes


def _units(examples: Sequence[Example], seed: int) -> list[_Unit]:
    roots = _roots([item.text for item in examples], [item.group for item in examples])
    members: dict[int, list[int]] = defaultdict(list)
    for row, root in enumerate(roots):
        members[root].append(row)
    # The least text names a unit, whatever the order of the rows.
    return [
        _Unit(rows, _rank(seed, "split", min(examples[row].text for row in rows)))
        for rows in members.values()
    ]


def _roots(texts: Sequence[str], groups: Sequence[Hashable | None] | None) -> list[int]:
    """The first row of each row's component: union-find over folded texts and groups."""
    fold = _fold()
    parent = list(range(len(texts)))

    def find(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[Hashable, int] = {}
    for row, text in enumerate(texts):
        group = groups[row] if groups is not None else None
        keys: list[Hashable] = [("text", fold(text) or text)]
        if group is not None:
            keys.append(("group", group))
        for key in keys:
            one, other = find(row), find(first.setdefault(key, row))
            parent[max(one, other)] = min(one, other)
    return [find(row) for row in range(len(texts))]


def _targets(total: Counter[str], share: float, seed: int) -> dict[str, int]:
    """Eval rows for each label: largest remainders, so that they add up to the share."""
    most = {label: max(0, count - LEAST_TRAIN) for label, count in total.items()}
    target = {label: min(int(count * share), most[label]) for label, count in total.items()}
    missing = round(sum(total.values()) * share) - sum(target.values())
    remainders = sorted(
        (label for label in total if target[label] < most[label]),
        key=lambda label: (-(total[label] * share % 1), _rank(seed, "label", label)),
    )
    for label in remainders[: max(0, missing)]:
        target[label] += 1
    return target


def _given(
    examples: Sequence[Example],
    splits: Sequence[str],
    part: SplitPart,
    seed: int,
    notes: list[str],
) -> tuple[list[Example], list[Example], bool]:
    """Rows by their given split; whether the eval was given too."""
    counts = Counter(splits)
    train_names = _canonical(part.train)
    eval_names = _canonical(part.eval)
    if not train_names & counts.keys():
        raise InputError(
            f"No row is in the split {' or '.join(sorted(train_names))}: the rows say "
            f"{', '.join(sorted(counts))}.",
            code="no_train_rows",
            remedy="Name the training rows in the recipe's [split] train, or write train in the "
            "rows' split column.",
        )
    if not eval_names & counts.keys() and "valid" in counts and "valid" not in train_names:
        eval_names = {"valid"}
        notes.append("No row is marked test: the valid rows serve as the eval.")
    train = [item for item, name in zip(examples, splits, strict=True) if name in train_names]
    evaluation = [item for item, name in zip(examples, splits, strict=True) if name in eval_names]
    for name, count in sorted(counts.items()):
        if name not in train_names | eval_names:
            notes.append(f"{count:,} rows of the split {name} were left out.")
    if evaluation:
        return train, evaluation, True
    rows = len(train)
    train, evaluation = split(train, eval_share=part.eval_share, seed=seed)
    notes.append(
        f"No row is marked {' or '.join(sorted(eval_names))}: {len(evaluation):,} of {rows:,} "
        "training rows were set aside as the eval."
    )
    return train, evaluation, False


def _canonical(values: Iterable[str]) -> set[str]:
    return {names.split_name(value) or value for value in values}


def _check(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    out_of_scope_label: str | None,
    *,
    per_class: int | None,
) -> None:
    counts = Counter(example.label for example in train)
    counts.pop(out_of_scope_label or "", None)
    if len(counts) < 2:
        raise InputError(
            "The training rows have fewer than two labels.",
            code="one_class",
            remedy="Add rows of another label to the training rows.",
        )
    single = [item for item in train if counts[item.label] == 1]
    if single and per_class != 1:
        shown = ", ".join(f"{item.label!r} (row {item.row})" for item in single[:5])
        rest = f" and {len(single) - 5} more" if len(single) > 5 else ""
        raise InputError(
            f"Labels with one training row only: {shown}{rest}.",
            code="one_example",
            remedy="Add a second example of each, or take these rows out.",
            details={
                "count": len(single),
                "problems": [{"row": item.row, "what": item.label} for item in single[:20]],
            },
        )
    unseen = [
        item for item in evaluation if not counts[item.label] and item.label != out_of_scope_label
    ]
    if unseen:
        labels = sorted({item.label for item in unseen})
        raise InputError(
            f"{len(unseen):,} eval rows have labels that no training row has: "
            f"{', '.join(map(repr, labels[:5]))} (first: row {unseen[0].row}).",
            code="unseen_labels",
            remedy="Add training rows of these labels, take the eval rows out, or name the label "
            "as out_of_scope_label in the recipe.",
            details={"labels": labels[:20], "rows": [item.row for item in unseen[:20]]},
        )


def _rank(seed: int, *parts: str) -> bytes:
    """A place in a shuffle that depends on nothing but its arguments."""
    content = "\0".join((str(seed), *parts))
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _fold() -> Callable[[str], str]:
    """``metier.features.fold``, whose module imports numpy: only when it is needed."""
    from metier.features import fold

    return fold
