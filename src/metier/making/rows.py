"""Rows: what a recipe's data comes to, before anything is trained on it.

It knows sources, the split and the leak gate, in that order; it computes no feature. Texts of the
eval are sealed here and only the prover opens them again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metier.card import DataSummary, LeakReport
from metier.datasets.recognising import read_examples
from metier.datasets.sources import resolve
from metier.datasets.splitting import Division, divide, independent_groups
from metier.errors import InputError
from metier.evals.items import Eval, seal
from metier.evals.leaks import LeakScan, drop_leaks, scan
from metier.evals.scoring import Accuracy
from metier.features import fold
from metier.manifest import canonical_json
from metier.messages import Example, Progress, Report, silent
from metier.pictures import Reader
from metier.recipe import DataPart, Recipe


@dataclass(frozen=True)
class Places:
    """Where data may come from: the recipe's folder, a mirror, a cache of ours.

    ``confined`` recipes (those that came over HTTP) reach no path outside their folder and no
    address. ``decoder`` reads picture files, for recipes whose rows are pictures.
    """

    folder: Path
    mirror: Path | None
    cache: Path
    confined: bool = False
    decoder: Reader | None = None


@dataclass(frozen=True)
class Rows:
    """Everything the maker knows of the data.

    Attributes:
        texts: Training texts of ordinary labels.
        classes: Their label numbers, shape (len(texts),).
        clusters: Number of the independent group of each, shape (len(texts),).
        examples: All training rows, those of the out-of-scope label too, for retrieval.
        labels: Ordinary labels, sorted.
        outside: Training texts of the out-of-scope label.
        sealed: The eval.
        leaked: Ids of eval items that overlap the training rows.
        leaks: The leak gate's report.
        summary: For the card.
        recipe: The recipe as it is recorded: local files by name and digest, not by path.
        located: Digest of a local file to where it lies on this machine.
        notes: What was assumed or left out, for people.
    """

    texts: tuple[str, ...]
    classes: NDArray[np.int64]
    clusters: NDArray[np.int64]
    examples: tuple[Example, ...]
    labels: tuple[str, ...]
    outside: tuple[str, ...]
    sealed: Eval
    leaked: frozenset[str]
    leaks: LeakReport
    summary: DataSummary
    recipe: Recipe
    located: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """The rows divided, and what was learned about their sources on the way."""

    division: Division
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    recipe: Recipe
    located: dict[str, str]


def gather(recipe: Recipe, places: Places, report: Report) -> Rows:
    """Read, split, seal and scan.

    Raises:
        InputError: The rows are wrong; the message says which, what and how to mend it.
        UnavailableError: A source cannot be reached.
    """
    report(Progress("data", "Reading the rows."))
    read = _read(recipe, places, report)
    return sealed_rows(
        recipe,
        read,
        report,
        words=("rows", "eval items"),
        scan=scan,
        groups=lambda inside: [item.group for item in inside],
    )


def sealed_rows(
    recipe: Recipe,
    read: Read,
    report: Report,
    *,
    words: tuple[str, str],
    scan: Callable[[Sequence[Example], Sequence[Example]], LeakScan],
    groups: Callable[[Sequence[Example]], Sequence[str | None]],
) -> Rows:
    """Seal what was read, pass the leak gate, and lay the training rows out; for every kind of row.

    Args:
        recipe: What is made.
        read: Its rows, divided.
        report: Receives progress.
        words: What rows and sealed items are called, for people.
        scan: The leak gate of this kind of row.
        groups: The group of each training row, ``None`` where it stands alone.
    """
    division = read.division
    rows, items = words
    outside_label = recipe.specialist.out_of_scope_label
    report(
        Progress(
            "data",
            f"{len(division.train):,} {rows} to train on, {len(division.evaluation):,} sealed.",
            data={"train": len(division.train), "eval": len(division.evaluation)},
        )
    )
    sealed = seal(division.evaluation, scorer=Accuracy(outside_label).name)
    report(Progress("leaks", f"Looking for {items} among the training rows."))
    scanned = scan(division.train, division.evaluation)
    train, leaks = division.train, scanned.report
    leaked = frozenset(sealed.items[position].id for position in scanned.leaked)
    if recipe.split.drop_leaks and leaked:
        train, leaks = drop_leaks(division.train, scanned)
        leaked = frozenset()
    leaks = leaks.model_copy(update={"items": tuple(sorted(leaked))})
    report(Progress("leaks", leak_sentence(leaks), data=leaks.model_dump()))
    inside = [item for item in train if item.label != outside_label]
    labels = tuple(sorted({item.label for item in inside}))
    number = {label: index for index, label in enumerate(labels)}
    check_ordinary(sealed, number.keys())
    texts = tuple(item.text for item in inside)
    return Rows(
        texts=texts,
        classes=np.array([number[item.label] for item in inside], np.int64),
        clusters=independent_groups(texts, groups(inside)),
        examples=tuple(train),
        labels=labels,
        outside=tuple(item.text for item in train if item.label == outside_label),
        sealed=sealed,
        leaked=leaked,
        leaks=leaks,
        summary=summary(recipe, division, train, labels, sealed, read.sources),
        recipe=read.recipe,
        located=read.located,
        notes=read.notes,
    )


def training_texts(recipe: Recipe, places: Places) -> tuple[str, ...]:
    """The texts that a recipe trains on, without any that is sealed too; no leak gate is passed.

    For who learns what a specialist is asked, and neither trains nor proves it. Raises as
    ``gather`` does.
    """
    division = _read(recipe, places, silent).division
    sealed = {fold(item.text) for item in division.evaluation}
    return tuple(item.text for item in division.train if fold(item.text) not in sealed)


def _read(recipe: Recipe, places: Places, report: Report) -> Read:
    examples: list[Example] = []
    splits: list[str] = []
    notes: list[str] = []
    sources: list[str] = []
    parts: list[DataPart] = []
    located: dict[str, str] = {}
    for part in recipe.data:
        rows = resolve(
            part,
            folder=places.folder,
            mirror=places.mirror,
            cache=places.cache,
            report=report,
            confined=places.confined,
        )
        dataset = read_examples(
            rows.path,
            text=recipe.split.text,
            label=recipe.split.label,
            group=recipe.split.group,
            name=part.path or part.url or recipe.specialist.name,
            trains=part.role != "eval",
        )
        examples.extend(dataset.examples)
        if part.role == "both":
            given = dataset.splits or [""] * len(dataset.examples)
        else:
            name = recipe.split.train[0] if part.role == "train" else recipe.split.eval[0]
            given = [name] * len(dataset.examples)
        splits.extend(given)
        notes.extend(dataset.recognised.notes)
        sources.append(source_of(part))
        parts.append(recorded(part, rows.sha256))
        if part.kind != "git":
            located[rows.sha256] = str((places.folder / (part.path or "")).absolute())
    division = divide(
        examples,
        splits if any(splits) else None,
        recipe.split,
        seed=recipe.ladder.seed,
        out_of_scope_label=recipe.specialist.out_of_scope_label,
    )
    return Read(
        division=division,
        notes=(*notes, *division.notes),
        sources=tuple(sources),
        recipe=recipe.model_copy(update={"data": tuple(parts)}),
        located=located,
    )


def check_ordinary(sealed: Eval, labels: Set[str]) -> None:
    """Refuse an eval without an item of an ordinary label (code ``no_ordinary_items``)."""
    if not any(item.label in labels for item in sealed.items):
        raise InputError(
            f"None of the {len(sealed.items):,} eval rows has an ordinary label: all are out of "
            "scope.",
            code="no_ordinary_items",
            remedy="Add eval rows of the labels that are to be told apart.",
        )


def recorded(part: DataPart, sha256: str) -> DataPart:
    """The source as it may travel: a local file keeps its name and digest, not its path.

    A path beneath the recipe's own folder says nothing of this machine and stays.
    """
    if part.kind == "git":
        return part
    path = Path(part.path or "")
    if path.is_absolute() or ".." in path.parts:
        path = Path(path.name)
    return part.model_copy(update={"path": path.as_posix(), "rows_sha256": sha256})


def source_of(part: DataPart) -> str:
    """Where the rows of a source came from, for a card."""
    if part.repositories:
        return f"{len(part.repositories)} repositories, listed in the recipe"
    if part.url:
        return f"{part.url} at {part.commit}" if part.commit else part.url
    return Path(part.path or "").name


def summary(
    recipe: Recipe,
    division: Division,
    train: Sequence[Example],
    labels: tuple[str, ...],
    sealed: Eval,
    sources: tuple[str, ...],
) -> DataSummary:
    """Counts, digests and sources, for a card."""
    counts = Counter(item.label for item in train)
    sizes = [counts[label] for label in labels]
    licences = sorted({part.licence for part in recipe.data if part.licence})
    return DataSummary(
        train_rows=len(train),
        eval_rows=len(sealed.items),
        labels=len(labels),
        smallest_class=min(sizes),
        largest_class=max(sizes),
        train_digest=rows_digest(train),
        eval_digest=sealed.fingerprint,
        source="; ".join(sources),
        licence=" and ".join(licences) or None,
        grouped=any(item.group is not None for item in train),
        given_split=division.given,
    )


def rows_digest(examples: Sequence[Example]) -> str:
    """``sha256:…`` over texts, labels and groups in order."""
    digest = sha256()
    for item in examples:
        digest.update(canonical_json([item.text, item.label, item.group]))
        digest.update(b"\n")
    return f"sha256:{digest.hexdigest()}"


def leak_sentence(leaks: LeakReport) -> str:
    """What the leak gate found, in a sentence."""
    dropped = f" {leaks.dropped:,} training rows were taken out." if leaks.dropped else ""
    if not leaks.leaked:
        return f"No leak found among {leaks.eval_items:,} eval items.{dropped}"
    blocks = " Above 1 %: no WIN can be given." if leaks.blocks_win else ""
    return (
        f"{leaks.leaked:,} of {leaks.eval_items:,} eval items ({100 * leaks.share:.2f} %) overlap "
        f"the training rows.{blocks}"
    )
