"""New labelled items that a person adds for the watch: checked, sealed and kept.

It knows which rows are refused: those that stand in what the specialist was trained on or in its
sealed eval, those that were added before, and those that are dated after today. It asks no system.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.assembly.feedback import Labelled
from metier.errors import InputError, StorageError
from metier.messages import Example

if TYPE_CHECKING:
    from metier.evals.items import Eval, EvalItem

SHOWN = 5
_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a file of fresh items.

    Attributes:
        name: The specialist.
        rows: Rows of the file.
        added: Items that were sealed and kept.
        repeated: Rows whose text was there before, in the file or in the home.
        leaked: Rows that stand in the training rows or in the sealed eval.
        future: Rows that are dated after today.
        undated: Items without a date; they count from today.
        old: Items that are dated before the specialist was made, so they do not count as fresh.
        training_seen: Whether the training rows could be looked at.
        eval_seen: Whether the sealed eval could be looked at.
        fingerprint: Of the sealed items; "" if nothing was added.
        notes: What was assumed of the file.
        examples: Some rows that were refused, as row, why and the first characters.
    """

    name: str
    rows: int
    added: int
    repeated: int
    leaked: int
    future: int
    undated: int
    old: int
    training_seen: bool
    eval_seen: bool
    fingerprint: str
    notes: tuple[str, ...] = ()
    examples: tuple[tuple[int, str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)


@dataclass(frozen=True)
class Gate:
    """What fresh items must pass.

    Attributes:
        labels: What the specialist may answer, its out-of-scope label included.
        training: Its training rows, or ``None`` if they are not here.
        sealed: Its sealed eval, or ``None`` if it is not here.
        scorer: How its items are scored.
        made: ISO date on which it was made.
        today: ISO date.
    """

    labels: Sequence[str]
    training: Sequence[Example] | None
    sealed: Eval | None
    scorer: str
    made: str
    today: str


def add(
    folder: Path, name: str, source: Path, gate: Gate, *, waits: Callable[[str], None]
) -> Added:
    """Check the rows of a file, seal the good ones and keep them.

    Args:
        folder: Where the fresh items of this specialist are kept.
        name: The specialist.
        source: CSV, TSV, JSON or JSON Lines with texts and labels, dates if there are any.
        gate: See ``Gate``.
        waits: Told what is being looked at.

    Raises:
        InputError: The file is wrong (``datasets`` names rows), a label is none of the
            specialist's (``unknown_label``), or no row is left (``nothing_fresh``).
        StorageError: The items cannot be kept.
    """
    from metier.datasets.recognising import read_examples
    from metier.evals.items import Eval, write_eval

    dataset = read_examples(source, name=source.name, trains=False)
    _check_labels(dataset.examples, gate.labels, source.name)
    waits(f"Looking for the {len(dataset.examples):,} rows in training and eval rows.")
    refused = _refused(folder, dataset.examples, gate)
    kept = [example for position, example in enumerate(dataset.examples) if position not in refused]
    why = list(refused.values())
    items = tuple(_item(example, gate.today) for example in kept)
    added = Added(
        name=name,
        rows=len(dataset.examples),
        added=len(items),
        repeated=why.count("repeated"),
        leaked=why.count("leaked"),
        future=why.count("future"),
        undated=sum(example.date is None for example in kept),
        old=sum((item.date or "")[:10] < gate.made[:10] for item in items),
        training_seen=gate.training is not None,
        eval_seen=gate.sealed is not None,
        fingerprint="",
        notes=dataset.recognised.notes,
        examples=_examples(dataset.examples, refused),
    )
    if not items:
        raise InputError(
            f"{source.name} holds no item that is fresh: {_tally(added)}.",
            code="nothing_fresh",
            remedy="Fresh items are new: collected after the specialist was made, and in neither "
            "its training rows nor its eval.",
            details=added.to_dict(),
        )
    sealed = Eval(items, scorer=gate.scorer)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    write_eval(folder / f"{sealed.fingerprint.removeprefix('sha256:')}.jsonl", sealed)
    return Added(**{**asdict(added), "fingerprint": sealed.fingerprint})


def kept(folder: Path) -> list[Eval]:
    """The fresh items of a specialist, as they were sealed; in a fixed order."""
    from metier.evals.items import read_eval

    return [read_eval(path) for path in sorted(folder.glob("*.jsonl"))]


def of_feedback(said: Sequence[Labelled], out_of_scope_label: str | None) -> Eval:
    """Texts with the labels that people gave them, as an eval."""
    from metier.evals.items import Eval, EvalItem
    from metier.evals.scoring import Accuracy

    items = tuple(EvalItem(one.item, one.text, one.label, one.item, one.date) for one in said)
    return Eval(items, scorer=Accuracy(out_of_scope_label).name)


def folder_of(home: Path, name: str) -> Path:
    """Where the fresh items of a specialist are kept; a name never becomes a path."""
    return home / "watch" / "fresh" / hashlib.sha256(name.encode()).hexdigest()[:_ID_DIGITS]


def _refused(folder: Path, examples: Sequence[Example], gate: Gate) -> dict[int, str]:
    """Position to why it is refused; the first reason counts."""
    found = {
        position: "future"
        for position, example in enumerate(examples)
        if example.date is not None and _day(example.date) > gate.today
    }
    known = {item.id for sealed in kept(folder) for item in sealed.items}
    for position, example in enumerate(examples):
        key = item_id(example.text)
        if key in known:
            found.setdefault(position, "repeated")
        known.add(key)
    for position in _leaked(examples, gate.training, gate.sealed):
        found.setdefault(position, "leaked")
    return found


def leaked_ids(
    items: Sequence[EvalItem], training: Sequence[Example] | None, sealed: Eval | None
) -> frozenset[str]:
    """Ids of items that stand in the training rows or in the sealed eval."""
    examples = [Example(item.text, item.label) for item in items]
    return frozenset(items[position].id for position in _leaked(examples, training, sealed))


def _leaked(
    examples: Sequence[Example], training: Sequence[Example] | None, sealed: Eval | None
) -> Sequence[int]:
    from metier.evals.leaks import scan

    rows = [*(training or ())]
    if sealed is not None:
        rows += [Example(item.text, item.label) for item in sealed.items]
    return scan(rows, examples).leaked if rows else ()


def item_id(text: str) -> str:
    """The same text has the same id, in whatever file and case it comes."""
    from metier.features import fold

    key = (fold(text) or text).encode("utf-8", "surrogatepass")
    return hashlib.sha256(key).hexdigest()[:_ID_DIGITS]


def _item(example: Example, today: str) -> EvalItem:
    from metier.evals.items import EvalItem

    name = item_id(example.text)
    cluster = name
    if example.group is not None:
        group = hashlib.sha256(example.group.encode("utf-8", "surrogatepass")).hexdigest()
        cluster = f"group:{group[:_ID_DIGITS]}"
    day = today if example.date is None else _day(example.date)
    return EvalItem(name, example.text, example.label, cluster, day)


def _day(moment: str) -> str:
    """The day of an ISO moment, in the one form that sorts: ``20261112`` is 2026-11-12."""
    return datetime.fromisoformat(moment).date().isoformat()


def _check_labels(examples: Sequence[Example], labels: Sequence[str], source: str) -> None:
    allowed = set(labels)
    wrong: dict[str, int] = {}
    for example in examples:
        if example.label not in allowed:
            wrong.setdefault(example.label, example.row)
    if not wrong:
        return
    shown = ", ".join(f"{label!r} (row {row})" for label, row in list(wrong.items())[:SHOWN])
    near = difflib.get_close_matches(next(iter(wrong)), labels, n=3)
    guess = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise InputError(
        f"{source}: {len(wrong):,} labels are none of the specialist's: {shown}.{guess}",
        code="unknown_label",
        remedy="Write labels as the specialist does; 'metier show NAME --json' lists them.",
        details={"labels": list(wrong)[:20], "near": near},
    )


def _examples(
    examples: Sequence[Example], refused: dict[int, str]
) -> tuple[tuple[int, str, str], ...]:
    shown = []
    for position, why in sorted(refused.items())[: 2 * SHOWN]:
        example = examples[position]
        shown.append((example.row, why, " ".join(example.text[:200].split())[:60]))
    return tuple(shown)


def _tally(added: Added) -> str:
    counts = (
        (added.leaked, "stand in the training or eval rows"),
        (added.repeated, "were there before"),
        (added.future, "are dated after today"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in counts if count) or "it has no rows"
