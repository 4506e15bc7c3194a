"""The text classifier: texts to labels with probabilities, abstention and out-of-scope.

It knows how to run the members of a ``specialist.json`` and mix their logits; encoders are handed
to it. A picture is a text here too: its digest, which the encoders of pictures look up. It knows
nothing of training, files on disk or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from metier.engines.parts import VECTORS, Member, SpecialistFile, unpack
from metier.errors import InputError
from metier.features import hashed_counts
from metier.heads import FloatArray, LinearHead, energy, weigh
from metier.messages import Encoder, Prediction

CHUNK = 4096
"""Texts answered together: bounds the memory of a batch, changes no answer."""


@dataclass(frozen=True, slots=True)
class _Head:
    member: Member
    head: LinearHead
    idf: FloatArray | None
    encoder: Encoder | None


class TextClassifier:
    """A loaded specialist. Immutable after loading, so threads may share it."""

    def __init__(self, specialist: SpecialistFile, digest: str, heads: tuple[_Head, ...]) -> None:
        self._specialist = specialist
        self._digest = digest
        self._heads = heads

    @classmethod
    def load(
        cls,
        specialist: SpecialistFile,
        *,
        digest: str,
        read: Callable[[str], bytes],
        encoder_for: Callable[[Member], Encoder],
    ) -> TextClassifier:
        """Load the heads.

        Args:
            specialist: Its ``specialist.json``.
            digest: The system's digest.
            read: Gives the bytes of a part by its file path.
            encoder_for: Gives the (shared) encoder that a member needs.

        Raises:
            CorruptError: A weight file does not fit.
            UnavailableError: The base is not there (from ``encoder_for``).
        """
        heads = []
        for member in specialist.members:
            encoder = encoder_for(member) if member.kind in VECTORS else None
            dimension = encoder.dimension if encoder else None
            head, idf = unpack(member, len(specialist.labels), read, dimension)
            heads.append(_Head(member, head, idf, encoder))
        return cls(specialist, digest, tuple(heads))

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels, in the order of the columns of ``logits``."""
        return self._specialist.labels

    @property
    def digest(self) -> str:
        """``sha256:…`` of the system."""
        return self._digest

    @property
    def task(self) -> str:
        """``classify`` (it is given texts) or ``classify-image`` (digests of pictures)."""
        return self._specialist.task

    @property
    def out_of_scope_label(self) -> str | None:
        """The label that it answers for "none of these", if it was made with one."""
        return self._specialist.out_of_scope_label

    @property
    def uses_encoder(self) -> bool:
        """Whether an answer runs the encoder (milliseconds) or only tables (microseconds)."""
        return any(head.member.kind in ("encoder", "vision") for head in self._heads)

    def logits(self, texts: Sequence[str]) -> FloatArray:
        """Mixed, calibrated logits, float32, shape (len(texts), labels)."""
        mixed = np.zeros((len(texts), len(self.labels)), np.float32)
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            for head in self._heads:
                rows = _rows(head, chunk)
                mixed[start : start + CHUNK] += np.float32(head.member.weight) * head.head.logits(
                    rows
                )
        return mixed

    def predict(self, texts: Sequence[str], *, top: int = 5) -> list[Prediction]:
        """One prediction per text, in order.

        Raises:
            InputError: Something in ``texts`` is not a string.
        """
        if isinstance(texts, str):
            raise InputError(
                "One string was given where a list of texts is wanted.",
                code="bad_text",
                remedy="Send a list: [text].",
            )
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(
                    f"Text {position + 1} is a {type(text).__name__}, not a string.",
                    code="bad_text",
                    remedy="Send strings.",
                )
        if not texts:
            return []
        logits = self.logits(texts)
        energies = energy(logits)
        probabilities = np.exp(logits - energies[:, None])
        number = min(max(top, 1), len(self.labels))
        if number < len(self.labels):
            best = np.argpartition(-probabilities, number - 1, axis=1)[:, :number]
        else:
            best = np.broadcast_to(np.arange(number), (len(texts), number))
        ranked = np.take_along_axis(
            best, np.argsort(-np.take_along_axis(probabilities, best, 1), axis=1, kind="stable"), 1
        )
        return [
            self._prediction(ranked[row], probabilities[row], float(energies[row]))
            for row in range(len(texts))
        ]

    def _prediction(
        self, ranked: np.ndarray, probabilities: FloatArray, text_energy: float
    ) -> Prediction:
        specialist = self._specialist
        scores = tuple(
            (specialist.labels[column], float(probabilities[column])) for column in ranked.tolist()
        )
        best, probability = scores[0]
        below = specialist.energy_below
        out_of_scope = below is not None and text_energy < below
        abstained = out_of_scope or probability < specialist.abstain_below
        return Prediction(
            label=None if abstained else best,
            probability=probability,
            best=best,
            abstained=abstained,
            out_of_scope=out_of_scope,
            energy=text_energy,
            scores=scores,
        )


def _rows(head: _Head, texts: Sequence[str]) -> FloatArray | sparse.csr_matrix:
    if head.member.kind == "prior":
        return np.zeros((len(texts), 0), np.float32)
    if head.idf is not None:
        return weigh(hashed_counts(texts, head.member.features), head.idf)
    if head.encoder is None:
        raise AssertionError("a member over vectors was loaded without its encoder")
    return head.encoder.encode(texts)
