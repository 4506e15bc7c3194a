"""The domain classifier: which domain a text looks like, how sure that is, and when to abstain.

It knows hashed words and characters, a linear head and a threshold; it knows no candidate, no
proof and no file. A model is arrays and JSON, bound to one digest.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metier.errors import CorruptError, InputError
from metier.features import FeatureSpec, hashed_counts
from metier.heads import (
    FloatArray,
    LinearHead,
    fit_mixture,
    inverse_document_frequency,
    log_softmax,
    quantise,
    weigh,
)
from metier.manifest import canonical_json

ELSEWHERE = ""
"""The class of texts of no domain."""
MOST_BYTES = 5_000_000
_MAGIC = b"metier domains 1\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that changes what is fitted."""

    buckets: int = 1 << 15
    words: tuple[int, ...] = (1, 2)
    characters: tuple[int, ...] = (2, 3, 4)
    cut: int = 2_000
    percentile: float = 10.0
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a text looks like.

    Attributes:
        domain: The domain that it looks like most, or "" if the model knows none.
        score: Calibrated probability of it, 0 to 1.
        threshold: Below it the router abstains.
        margin: ``score`` minus that of the next domain.
        sure: Whether the router may act on it.
    """

    domain: str
    score: float
    threshold: float
    margin: float
    sure: bool


@dataclass(frozen=True)
class DomainModel:
    """A fitted domain classifier; equal models have equal digests and give equal answers."""

    settings: Settings
    domains: tuple[str, ...]
    idf: FloatArray
    weights: NDArray[np.int8]
    scale: FloatArray
    bias: FloatArray
    temperature: float
    threshold: float

    @cached_property
    def _head(self) -> LinearHead:
        return LinearHead(self.weights.astype(np.float32) * self.scale, self.bias)

    def asked(self, text: str) -> Likeness:
        """What ``text`` looks like."""
        rows = weigh(hashed_counts([cut(text, self.settings.cut)], _spec(self.settings)), self.idf)
        chances = np.exp(log_softmax(self._head.logits(rows) * np.float32(self.temperature)))[0]
        order = np.argsort(-chances, kind="stable")
        best = int(order[0])
        score = round(float(chances[best]), 4)
        second = round(float(chances[order[1]]), 4) if chances.size > 1 else 0.0
        return Likeness(
            self.domains[best], score, self.threshold, round(score - second, 4),
            sure=score >= self.threshold and self.domains[best] != ELSEWHERE,
        )  # fmt: skip

    def chances(self, text: str) -> tuple[tuple[str, float], ...]:
        """Every domain with its calibrated probability, the likeliest first."""
        rows = weigh(hashed_counts([cut(text, self.settings.cut)], _spec(self.settings)), self.idf)
        found = np.exp(log_softmax(self._head.logits(rows) * np.float32(self.temperature)))[0]
        order = np.argsort(-found, kind="stable")
        return tuple((self.domains[place], round(float(found[place]), 4)) for place in order)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of its bytes."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"

    def to_bytes(self) -> bytes:
        """Header (JSON) and arrays; at most ``MOST_BYTES``."""
        header = canonical_json(
            {
                "settings": asdict(self.settings),
                "domains": self.domains,
                "temperature": self.temperature,
                "threshold": self.threshold,
            }
        )
        arrays = (
            self.idf.astype("<f4"), self.weights, self.scale.astype("<f4"), self.bias.astype("<f4")
        )  # fmt: skip
        body = b"".join(array.tobytes() for array in arrays)
        return _MAGIC + struct.pack("<I", len(header)) + header + body

    @classmethod
    def from_bytes(cls, data: bytes) -> DomainModel:
        """Read what ``to_bytes`` wrote.

        Raises:
            CorruptError: It is anything else (code ``bad_router``).
        """
        try:
            return _read(data)
        except (ValueError, TypeError, KeyError, struct.error, RecursionError) as error:
            raise CorruptError(
                f"This is not a router's model: {error}.",
                code="bad_router",
                remedy="It is made again from the fleet: metier route --rebuild.",
            ) from error


def fit_domains(
    questions: Mapping[str, Sequence[str]], *, settings: Settings = Settings()
) -> DomainModel:
    """Fit the classifier on questions of each domain.

    Args:
        questions: Domain to the training questions of its evals.
        settings: What changes the result.

    Raises:
        InputError: No domain, or one without a question (code ``no_questions``).
    """
    from metier.training.fitting import cross_validate, fit_logistic, fit_whole

    if not questions or any(not texts for texts in questions.values()):
        raise InputError(
            "A router's model needs a question or more of each domain.", code="no_questions"
        )
    domains = tuple(sorted(questions))
    texts = [cut(text, settings.cut) for name in domains for text in questions[name]]
    classes = np.repeat(np.arange(len(domains)), [len(questions[name]) for name in domains])
    counts = hashed_counts(texts, _spec(settings))
    idf = inverse_document_frequency(counts)
    rows = weigh(counts, idf)
    folds = np.random.default_rng(settings.seed).permutation(classes.size) % settings.folds
    logits = cross_validate(
        fit_logistic, rows, classes, labels=len(domains), folds=folds, seed=settings.seed,
        workers=1, stopped=lambda: False,
    )  # fmt: skip
    assert logits is not None  # nothing can stop it
    (temperature,) = fit_mixture([logits], classes)
    chances = np.exp(log_softmax(logits * np.float32(temperature)))
    threshold = round(float(np.percentile(chances.max(axis=1), settings.percentile)), 4)
    head = fit_whole(fit_logistic, rows, classes, len(domains), settings.seed)
    weights, scale = quantise(head.weights)
    return DomainModel(settings, domains, idf, weights, scale, head.bias, temperature, threshold)


def cut(text: str, most: int) -> str:
    """The head and the tail of a text, ``most`` characters together."""
    if len(text) <= most:
        return text
    return text[: most // 2] + " " + text[-most // 2 :]


def _spec(settings: Settings) -> FeatureSpec:
    return FeatureSpec(settings.buckets, settings.words, settings.characters)


def _read(data: bytes) -> DomainModel:
    start = len(_MAGIC) + 4
    if not data.startswith(_MAGIC) or len(data) > MOST_BYTES:
        raise ValueError("its first bytes or its size are wrong")
    (length,) = struct.unpack_from("<I", data, len(_MAGIC))
    header: dict[str, Any] = json.loads(data[start : start + length])
    told = header["settings"]
    settings = Settings(
        **(told | {"words": tuple(told["words"]), "characters": tuple(told["characters"])})
    )
    domains = tuple(header["domains"])
    buckets, labels = settings.buckets, len(domains)
    sizes = (buckets * 4, buckets * labels, labels * 4, labels * 4)
    if len(data) != start + length + sum(sizes):
        raise ValueError("its arrays have another length than its header says")
    ends = np.cumsum((start + length, *sizes))
    idf, weights, scale, bias = (
        np.frombuffer(data[int(low) : int(high)], kind)
        for low, high, kind in zip(ends[:-1], ends[1:], ("<f4", "i1", "<f4", "<f4"), strict=True)
    )
    return DomainModel(
        settings, domains, idf, weights.reshape(buckets, labels), scale, bias,
        float(header["temperature"]), float(header["threshold"]),
    )  # fmt: skip
