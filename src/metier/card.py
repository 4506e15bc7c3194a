"""The card: what a specialist is and what it has proved, as one frozen document.

It knows the words of DESIGN §2 (scores, evidence, verdicts, rungs) and nothing about how they
were computed. Numbers are shares of 1 (an accuracy of .93, a difference of .012), never per
cent; people-facing floors turn them into points. Times are seconds unless a name says ``ms``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metier.errors import CorruptError
from metier.manifest import canonical_json


class Verdict(StrEnum):
    """What a paired comparison says; the order of the tests is DESIGN §2's."""

    WIN = "WIN"
    LOSS = "LOSS"
    TIE = "TIE"
    NOT_WORSE = "NOT WORSE"
    UNDERPOWERED = "UNDERPOWERED"


class Frozen(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(Frozen):
    """A two-sided confidence interval."""

    low: float
    high: float
    level: float = 0.95


class Score(Frozen):
    """One metric of one system on one eval.

    ``metric`` is ``accuracy``, ``macro_f1``, ``coverage`` …; ``n`` counts scored items and
    ``unscored`` the ones that are left out, ``clusters`` the independent groups among them.
    """

    metric: str
    value: float
    interval: Interval | None = None
    n: int
    clusters: int
    unscored: int = 0


class Difference(Frozen):
    """A paired difference with its verdict.

    Attributes:
        verdict: See ``Verdict``.
        small: A WIN whose difference is smaller than the margin.
        difference: Mean paired difference, first system minus second.
        interval: Its 95 % interval, clustered.
        margin: The margin m.
        n: Paired items.
        clusters: Independent groups among them.
        discordant: Items on which the outcomes differ.
        p_value: Two-sided.
        needed_n: For UNDERPOWERED, the items it would take; else ``None``.
        detectable: The smallest difference this eval could show with 80 % power, or ``None``.
        method: The statistical method, with every setting that changes the result.
    """

    verdict: Verdict
    small: bool = False
    difference: float
    interval: Interval
    margin: float = 0.01
    n: int
    clusters: int
    discordant: int
    p_value: float | None = None
    needed_n: int | None = None
    detectable: float | None = None
    method: str


class Cost(Frozen):
    """What an answer costs: milliseconds, bytes resident or stored, price where remote."""

    cost_class: str = "this machine"
    ms_per_text: float | None = None
    size_bytes: int | None = None
    shared_bytes: int | None = None
    price_per_million_tokens: float | None = None
    spent: float | None = None


class Evidence(Frozen):
    """A paired comparison of two results, and what it takes to repeat it.

    ``against`` is the role of the rival: ``base``, ``general``, ``majority`` or ``other``.
    ``without_leaks`` is the same comparison without the leaked items, given when there are any.
    ``command`` repeats it.
    """

    against: Literal["majority", "base", "general", "other"]
    system: str
    system_name: str
    rival: str
    rival_name: str
    eval_fingerprint: str
    metric: str = "accuracy"
    score: Score
    rival_score: Score
    difference: Difference
    without_leaks: Difference | None = None
    date: str
    cost: Cost = Cost()
    rival_cost: Cost = Cost()
    results: tuple[str, ...] = ()
    command: str


class Row(Frozen):
    """One of the rows that are always shown beside the specialist.

    ``score`` is ``None`` when it was not measured; ``note`` then says why and ``command`` what
    would measure it. ``settings`` is what was fitted on the training rows (the most frequent
    label, the base's threshold), so that the same system can be asked again.
    """

    role: Literal["specialist", "majority", "base", "general"]
    name: str
    score: Score | None = None
    cost: Cost = Cost()
    note: str | None = None
    command: str | None = None
    settings: dict[str, str | float] = Field(default_factory=dict)


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


class BaseReference(Frozen):
    """The base, bound by digest."""

    name: str
    digest: str
    licence: str | None = None


class Machine(Frozen):
    """Where something was measured."""

    processor: str
    cores: int
    system: str
    python: str


class Card(Frozen):
    """What a specialist is and has proved. See ``docs/formats/card.md``."""

    format: Literal[1] = 1
    name: str
    version: str
    task: Literal["classify"] = "classify"
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
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise CorruptError(
                f"The card is not valid: {where}: {first['msg']}.", code="bad_card"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return self.model_dump(mode="json")
