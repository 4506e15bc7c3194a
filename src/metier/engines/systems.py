"""Systems that an eval can question: a specialist, its base's own zero-shot, the majority.

It turns classifiers and encoders into ``messages.System``; it scores nothing. Zero-shot on label
names: the nearest label name by cosine (Yin et al. 2019, "Benchmarking Zero-shot Text
Classification", the embedding baseline).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from metier.engines.classifier import TextClassifier
from metier.heads import FloatArray
from metier.manifest import canonical_json
from metier.messages import Answer, Encoder
from metier.reference import Digest

BATCH = 1024
"""Items asked at once of a system on this machine: texts of one length are encoded together."""

Embed = Callable[[Sequence[str]], FloatArray]
"""Texts to unit vectors; the maker passes one that remembers what it has seen."""


@dataclass(frozen=True)
class SpecialistSystem:
    """A specialist under test: it answers its best label, or the out-of-scope label.

    Below the abstain threshold it still answers here, so that accuracy is comparable with systems
    that cannot abstain; what abstaining buys stands in the card as accuracy at coverage.
    """

    name: str
    classifier: TextClassifier

    @property
    def digest(self) -> str:
        """The specialist's digest."""
        return self.classifier.digest

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text."""
        start = time.perf_counter()
        predictions = self.classifier.predict(texts, top=1)
        seconds = (time.perf_counter() - start) / max(len(texts), 1)
        refusal = self.classifier.out_of_scope_label
        return [
            Answer(refusal if refusal and item.out_of_scope else item.best, seconds)
            for item in predictions
        ]


@dataclass(frozen=True)
class MajoritySystem:
    """Always the most frequent label of the training rows."""

    label: str
    name: str = "majority"

    @property
    def digest(self) -> str:
        """A digest of the label."""
        return str(Digest.of(canonical_json({"majority": self.label})))

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text."""
        return [Answer(self.label) for _ in texts]


@dataclass(frozen=True)
class ZeroShotSystem:
    """The base on label names alone: the label whose name is nearest by cosine.

    Attributes:
        name: What people call it.
        encoder: The base.
        embed: Encodes texts (may remember vectors that were made already).
        labels: Label names; underscores are read as spaces.
        out_of_scope_label: Answered below ``similarity_below``, if the task has one.
        similarity_below: Fitted on training rows, by the same rule as the specialist's.
    """

    name: str
    encoder: Encoder
    embed: Embed
    labels: tuple[str, ...]
    out_of_scope_label: str | None = None
    similarity_below: float | None = None

    @property
    def digest(self) -> str:
        """Over the encoder, the labels and the threshold."""
        return str(
            Digest.of(
                canonical_json(
                    {
                        "zero-shot": self.encoder.digest,
                        "encoder": self.encoder.name,
                        "labels": list(self.labels),
                        "out_of_scope": [self.out_of_scope_label, self.similarity_below],
                    }
                )
            )
        )

    def similarities(self, texts: Sequence[str]) -> FloatArray:
        """Cosines of texts and label names, shape (len(texts), labels)."""
        names = self.encoder.encode([spoken(label) for label in self.labels])
        return self.embed(texts) @ names.T

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text."""
        start = time.perf_counter()
        similarities = self.similarities(texts)
        best = similarities.argmax(axis=1)
        top = similarities[np.arange(len(texts)), best]
        seconds = (time.perf_counter() - start) / max(len(texts), 1)
        answers = []
        for column, similarity in zip(best.tolist(), top.tolist(), strict=True):
            refused = self.similarity_below is not None and similarity < self.similarity_below
            answers.append(
                Answer(self.out_of_scope_label if refused else self.labels[column], seconds)
            )
        return answers


def spoken(label: str) -> str:
    """A label name as words: ``card_arrival`` and ``CardArrival`` are "card arrival"."""
    words = []
    for piece in label.replace("_", " ").replace("-", " ").split():
        word = "".join(
            f" {letter}" if letter.isupper() and index and piece[index - 1].islower() else letter
            for index, letter in enumerate(piece)
        )
        words.append(word)
    return " ".join(words).strip() or label
