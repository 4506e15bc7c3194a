"""The card of a classifier, of texts or of pictures: ladder, curve, thresholds, what it proved.

It knows the fields; see ``values`` for the words that all cards share.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from metier.card.parsing import card_of
from metier.card.values import (
    BaseReference,
    Cost,
    Evidence,
    Frozen,
    Machine,
    Row,
    Score,
)
from metier.manifest import canonical_json


class Rung(Frozen):
    """One rung of the ladder as it was tried.

    Attributes:
        name: ``majority``, ``linear``, ``static``, ``encoder``, ``encoder-int8``, ``ensemble`` …
        title: For people.
        accuracy: Cross-validated accuracy, or ``None`` if the rung was not tried.
        ms_per_text: Of one text at a time on this machine.
        size_bytes: Bytes of its own parts.
        shared_bytes: Bytes of the base that it shares with others.
        seconds: Wall seconds to make it; ``cpu_seconds`` the processor time.
        state: ``tried``, ``chosen``, ``skipped`` or ``stopped``.
        why: The sentence that explains the state.
    """

    name: str
    title: str
    accuracy: Score | None = None
    ms_per_text: float | None = None
    size_bytes: int | None = None
    shared_bytes: int = 0
    seconds: float | None = None
    cpu_seconds: float | None = None
    state: Literal["tried", "chosen", "skipped", "stopped"]
    why: str = ""


class CurvePoint(Frozen):
    """Accuracy at so many labels per class: mean, lowest and highest of the draws."""

    per_class: int
    labels: int
    mean: float
    low: float
    high: float
    draws: int


class Crossover(Frozen):
    """Where the curve passes a rival for good, or ``None`` if it does not."""

    against: str
    accuracy: float
    per_class: int | None
    sentence: str


class LabelCurve(Frozen):
    """Accuracy against labels per class, and where it passes each rival."""

    rung: str
    points: tuple[CurvePoint, ...]
    crossovers: tuple[Crossover, ...] = ()
    seed: int


class Calibration(Frozen):
    """How far the probabilities can be trusted: expected calibration error, 15 equal-mass bins."""

    expected_calibration_error: float
    temperature: float
    n: int


class Abstention(Frozen):
    """The abstain threshold, fitted on unseen rows, and what it buys.

    ``accuracy`` is that of the answers given at ``coverage`` (share answered).
    """

    threshold: float
    target_accuracy: float
    accuracy: float
    coverage: float
    n: int


class OutOfScope(Frozen):
    """How well the energy tells texts that belong to no label.

    ``auroc`` and ``recall`` (at ``false_alarms``) are measured on the eval's out-of-scope items
    and are ``None`` where it has none.
    """

    energy_threshold: float
    false_alarms: float
    auroc: float | None = None
    recall: float | None = None
    n_in: int = 0
    n_out: int = 0


class LeakRow(Frozen):
    """One pair of rows that leaked: 1-based rows, their kind and a similarity of 0 to 1.

    Where ``where`` is ``train`` (two training rows with conflicting labels) both are training
    rows.
    """

    kind: Literal["exact", "folded", "13-gram", "near-duplicate"]
    eval_row: int
    train_row: int
    similarity: float = 1.0
    eval_excerpt: str = ""
    train_excerpt: str = ""
    where: Literal["train and eval", "train"] = "train and eval"


class LeakReport(Frozen):
    """What the leak gate found before training.

    ``leaked`` counts eval items with any overlap, ``by_kind`` each item once under its strongest
    kind; ``share`` is ``leaked`` over the eval's items. ``dropped`` counts training rows that
    were taken out because the user asked for it. ``rows`` shows examples, not all;
    ``items`` are the ids of all leaked eval items. ``similar``
    counts items with a near-duplicate in train that is not counted as a leak, since training rows
    resemble each other as often: ``similar_among_train`` is the share of them that does.
    """

    eval_items: int
    leaked: int
    share: float
    by_kind: dict[str, int]
    duplicate_train_rows: int
    conflicting_labels: int
    similar: int = 0
    similar_among_train: float | None = None
    dropped: int = 0
    blocks_win: bool
    items: tuple[str, ...] = ()
    rows: tuple[LeakRow, ...] = ()
    conflicts: tuple[LeakRow, ...] = ()
    method: str


class DataSummary(Frozen):
    """What it was made from: counts, digests and where the rows came from. No texts."""

    train_rows: int
    eval_rows: int
    labels: int
    smallest_class: int
    largest_class: int
    train_digest: str
    eval_digest: str
    source: str
    licence: str | None = None
    grouped: bool = False
    given_split: bool = False


class Card(Frozen):
    """What a specialist is and has proved. See ``docs/formats/card.md``."""

    format: Literal[1] = 1
    name: str
    version: str
    task: Literal["classify", "classify-image"] = "classify"
    domain: str = "general"
    description: str = ""
    licence: str | None = None
    labels: tuple[str, ...]
    out_of_scope_label: str | None = None
    base: BaseReference | None = None
    rung: str
    why: str
    decided: bool = True
    rows: tuple[Row, ...]
    scores: tuple[Score, ...]
    evidence: tuple[Evidence, ...] = ()
    ladder: tuple[Rung, ...]
    curve: LabelCurve | None = None
    calibration: Calibration | None = None
    abstention: Abstention | None = None
    out_of_scope: OutOfScope | None = None
    leaks: LeakReport
    data: DataSummary
    worst_labels: tuple[tuple[str, float, int], ...] = ()
    recipe_id: str
    build_id: str
    system: str
    toolchain: dict[str, str] = Field(default_factory=dict)
    seed: int
    made: str
    seconds: float
    cpu_seconds: float
    machine: Machine
    cost: Cost
    notes: tuple[str, ...] = ()

    def against(self, role: str) -> Evidence | None:
        """The evidence against ``base``, ``general`` or ``majority``, if it was measured."""
        return next((item for item in self.evidence if item.against == role), None)

    def accuracy(self) -> Score | None:
        """The headline score on the eval."""
        return next((score for score in self.scores if score.metric == "accuracy"), None)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, data: bytes) -> Card:
        """Parse a card; raises CorruptError (code ``bad_card``) naming the field that is wrong."""
        return card_of(cls, data)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return self.model_dump(mode="json")
