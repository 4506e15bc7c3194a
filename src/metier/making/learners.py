"""Learners: the single rungs, each a view of the texts with a solver.

It knows which rungs there are, what each looks at and what its parts weigh; the ladder decides
between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.engines.parts import Member, pack_hashed, pack_head
from metier.heads import FloatArray, LinearHead
from metier.making.material import HashedWords, RememberingEncoder, median_milliseconds
from metier.training.fitting import Fit, Rows, fit_hinge, fit_logistic

NOMINAL = {"linear": 0.2, "static": 0.2, "encoder-int8": 2.5, "encoder": 5.0}
"""Round milliseconds of one text for the default base: they order rungs and are never shown.
``benchmarks/answer_speed.py`` and ``encoder_speed.py`` measure the real ones."""
DEFAULT_BYTES = {"encoder-int8": 23e6, "encoder": 91e6}
"""Bytes of the default base: a larger encoder is slower in proportion."""
SAMPLE = 24
"""Texts that the milliseconds of one text are measured on."""


@dataclass(frozen=True)
class Learner:
    """One single rung.

    Attributes:
        name: On the ladder.
        title: For people.
        fit: The solver.
        view: Texts to the rows that it looks at.
        member: How its head is written down.
        pack: Its head to the bytes of its weight file.
        shared_bytes: Bytes of the base that it needs.
        own_bytes: Bytes of its weight file.
        nominal_ms: Of one text alone on the reference machine (two cores of 2023, AVX-512), by
            which rungs are ordered; see ``NOMINAL``.
        milliseconds: Of one text alone here and now.
    """

    name: str
    title: str
    fit: Fit
    view: Callable[[Sequence[str]], Rows]
    member: Member
    pack: Callable[[LinearHead], bytes]
    own_bytes: int
    shared_bytes: int
    nominal_ms: float
    milliseconds: Callable[[Sequence[str]], float]


def majority(labels: int) -> Learner:
    """Always the most frequent label, with the labels' shares as probabilities."""
    return Learner(
        name="majority",
        title="most frequent label",
        fit=_fit_prior,
        view=lambda texts: np.zeros((len(texts), 0), np.float32),
        member=Member(kind="prior", file="prior.safetensors"),
        pack=pack_head,
        own_bytes=4 * labels,
        shared_bytes=0,
        nominal_ms=0.0,
        milliseconds=lambda texts: median_milliseconds(lambda _: np.zeros(labels), texts[:SAMPLE]),
    )


def hashed(words: HashedWords, labels: int) -> Learner:
    """Hashed words and characters with linear support vectors."""
    spec = words.spec
    head = LinearHead(np.zeros((spec.buckets, labels), np.float32), np.zeros(labels, np.float32))
    return Learner(
        name="linear",
        title="words and characters + linear",
        fit=fit_hinge,
        view=words.of,
        member=Member(
            kind="linear",
            file="linear.safetensors",
            buckets=spec.buckets,
            words=spec.words,
            characters=spec.characters,
        ),
        pack=lambda fitted: pack_hashed(words.idf, fitted),
        own_bytes=spec.buckets * (labels + 2) + 8 * labels,
        shared_bytes=0,
        nominal_ms=NOMINAL["linear"],
        milliseconds=lambda texts: median_milliseconds(
            lambda text: head.logits(words.of([text])), texts[:SAMPLE]
        ),
    )


def vectors(
    name: str, title: str, encoder: RememberingEncoder, member: Member, labels: int
) -> Learner:
    """Vectors of the base (static or contextual) with logistic regression."""
    return Learner(
        name=name,
        title=title,
        fit=fit_logistic,
        view=encoder.encode,
        member=member,
        pack=pack_head,
        own_bytes=4 * labels * (encoder.dimension + 1),
        shared_bytes=encoder.size_bytes,
        nominal_ms=NOMINAL[name] * encoder.size_bytes / DEFAULT_BYTES.get(name, encoder.size_bytes),
        milliseconds=lambda texts: encoder.milliseconds_alone(texts[:SAMPLE]),
    )


def _fit_prior(
    rows: Rows,  # noqa: ARG001  it looks at nothing
    classes: NDArray[np.int64],
    labels: int,
    seed: int,  # noqa: ARG001  it has no randomness
) -> LinearHead:
    counts = np.bincount(classes, minlength=labels).astype(np.float64)
    shares = (counts + 0.5) / (counts.sum() + 0.5 * labels)
    bias: FloatArray = np.log(shares).astype(np.float32)
    return LinearHead(np.zeros((0, labels), np.float32), bias)
