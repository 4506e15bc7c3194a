"""The shapes that travel between floors: protocols of what can answer, and what they answer.

Units of one floor are strangers; what they hand each other is defined here and passed in by
``assembly``. It computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

Outcome = float | Literal["unscored"]
"""What a scorer says of one answer: 0 to 1, or "unscored", which is never 0."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text.

    Attributes:
        text: The text.
        label: Its label.
        group: Rows of one group never straddle a split; ``None`` if rows are independent.
        date: ISO date of the row, if known.
        row: 1-based row (or file) it came from, for messages to people.
    """

    text: str
    label: str
    group: str | None = None
    date: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A classifier's answer to one text.

    Attributes:
        label: The answer, or ``None`` when it abstains.
        probability: Calibrated probability of the best label, 0 to 1.
        best: The best label even when it abstains.
        abstained: Whether the probability is below the abstain threshold or the text is out of
            scope.
        out_of_scope: Whether the text looks unlike everything it was made for.
        energy: The out-of-scope score, log-sum-exp of the logits (higher is more in scope), or
            ``None``.
        scores: Label to probability, best first, as many as were asked for.
    """

    label: str | None
    probability: float
    best: str
    abstained: bool
    out_of_scope: bool
    energy: float | None
    scores: tuple[tuple[str, float], ...]


class Encoder(Protocol):
    """A frozen text encoder."""

    @property
    def name(self) -> str:
        """Its name, every setting that changes its vectors included (precision, length cut)."""

    @property
    def digest(self) -> str:
        """``sha256:…`` over everything that determines its vectors."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    @property
    def size_bytes(self) -> int:
        """Bytes of the files it needs, shared with every head over it."""

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32, shape (len(texts), dimension), in the order of ``texts``."""


class Classifier(Protocol):
    """Anything that gives each text one of a closed set of labels."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels, in the order of the columns of ``logits``."""

    @property
    def digest(self) -> str:
        """``sha256:…`` of the system: its parts and its base."""

    def predict(self, texts: Sequence[str], *, top: int = 5) -> list[Prediction]:
        """One prediction per text, in order."""


class System(Protocol):
    """Something that an eval can question: a specialist, a base, a general model."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def digest(self) -> str:
        """``sha256:…`` over everything that can change its answers."""

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in order; raises MetierError.

        A single text that cannot be answered gives an ``Answer`` with ``error`` set, which is
        scored "unscored".
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system said to one item.

    Attributes:
        text: The answer (a label), or ``None`` when the system abstained.
        seconds: Wall time that this item took, its share of a batch.
        tokens_in: Tokens of the question, 0 where nothing is counted.
        tokens_out: Tokens of the answer.
        error: Why there is no answer to score, or ``None``.
    """

    text: str | None
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of long work, for the terminal's live view and the page's event stream.

    Attributes:
        stage: ``data``, ``leaks``, ``rung``, ``choose``, ``eval``, ``curve``, ``save``, ``done``.
        message: A sentence for people.
        fraction: Share of the whole work done, 0 to 1, or ``None`` if unknown.
        seconds_left: Estimated wall seconds left, or ``None``.
        data: JSON-serialisable facts (a rung's report, the final card).
    """

    stage: str
    message: str
    fraction: float | None = None
    seconds_left: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


Report = Callable[[Progress], None]
"""Where long work sends its progress."""


def silent(_progress: Progress) -> None:
    """A ``Report`` for callers that do not want progress."""
