"""The parts of a text classifier: ``specialist.json`` and its weight files.

It knows how members, labels and thresholds are written down and checked; it answers nothing. The
formats are described in ``docs/formats/specialist.md``. Weights are safetensors: int8 with one
scale per label for hashed words, float32 for heads over vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from metier.card import Frozen
from metier.errors import CorruptError
from metier.features import FeatureSpec
from metier.heads import FloatArray, LinearHead, dequantise, quantise
from metier.manifest import canonical_json

SPECIALIST_FILE = "specialist.json"
MOST_LABELS = 10_000
MOST_BUCKETS = 1 << 22
MemberKind = Literal["prior", "linear", "static", "encoder", "features", "vision"]
VECTORS = ("static", "encoder", "features", "vision")
"""Kinds that look at vectors: of a base, or of a picture's own features."""
OVER_BASE = ("static", "encoder", "vision")
OF_PICTURES = ("features", "vision")


class Member(Frozen):
    """One head and what it looks at.

    Attributes:
        kind: ``prior`` looks at nothing, ``linear`` at hashed words, ``static`` and ``encoder``
            at the base's vectors; of pictures ``features`` at colours and gradients, ``vision`` at
            the vectors of a frozen vision encoder.
        file: Its weight file.
        weight: Its share in the mixture of logits (temperature included).
        buckets: Of hashed words, a power of two.
        words: Orders of word n-grams.
        characters: Orders of character n-grams.
        precision: Of the encoder: ``fp32`` or ``int8``.
        encoder: The encoder's name with each setting that changes its vectors.
    """

    kind: MemberKind
    file: str
    weight: float = Field(default=1.0, gt=0)
    buckets: int | None = Field(default=None, ge=2, le=MOST_BUCKETS)
    words: tuple[int, ...] = ()
    characters: tuple[int, ...] = ()
    precision: Literal["fp32", "int8"] | None = None
    encoder: str | None = None

    @model_validator(mode="after")
    def _features_are_whole(self) -> Member:
        if self.kind == "linear":
            self.features  # noqa: B018  building it is the check
        return self

    @property
    def view(self) -> str:
        """Which view of a base, or of a picture, its head looks at."""
        return self.kind if self.kind != "encoder" else self.precision or "fp32"

    @property
    def features(self) -> FeatureSpec:
        """The features of a ``linear`` member; ValueError for other kinds."""
        if self.buckets is None:
            raise ValueError("only a linear member has features, and it names its buckets")
        return FeatureSpec(self.buckets, self.words, self.characters)


class SpecialistFile(Frozen):
    """What ``specialist.json`` says: everything that answers but the weights.

    Attributes:
        labels: In the order of the weight files' columns.
        out_of_scope_label: The label that stands for "none of these", answered when the energy
            is below ``energy_below``; never one of ``labels``.
        base: Name of the base that encoder and static members need, and its digest.
        abstain_below: It abstains when the best label's probability is lower.
        energy_below: A text whose energy is lower is out of scope.
    """

    format: Literal[1] = 1
    task: Literal["classify", "classify-image"] = "classify"
    labels: tuple[str, ...] = Field(min_length=1, max_length=MOST_LABELS)
    out_of_scope_label: str | None = None
    base: str | None = None
    base_digest: str | None = None
    members: tuple[Member, ...] = Field(min_length=1, max_length=8)
    abstain_below: float = Field(default=0.0, ge=0.0, le=1.0)
    energy_below: float | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> SpecialistFile:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels occur twice")
        if self.out_of_scope_label in self.labels:
            raise ValueError("the out-of-scope label is also an ordinary label")
        if any(member.kind in OVER_BASE for member in self.members) and not self.base:
            raise ValueError("a member needs a base, but none is named")
        words = {"linear", "static", "encoder"}
        strange = words if self.task == "classify-image" else set(OF_PICTURES)
        if any(member.kind in strange for member in self.members):
            raise ValueError(f"a member looks at what a {self.task} specialist is not given")
        return self

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_bytes(cls, data: bytes) -> SpecialistFile:
        """Parse and check; raises CorruptError (code ``bad_specialist``) naming the field."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise CorruptError(
                f"{SPECIALIST_FILE} is not valid: {where}: {first['msg']}.", code="bad_specialist"
            ) from error


def pack_hashed(idf: FloatArray, head: LinearHead) -> bytes:
    """A weight file for hashed words: int8 weights, scales, float16 idf, float32 bias."""
    quantised, scale = quantise(head.weights)
    return _save(
        {"weights": quantised, "scale": scale, "idf": idf.astype(np.float16), "bias": head.bias}
    )


def pack_head(head: LinearHead) -> bytes:
    """A weight file for a head over vectors: float32."""
    return _save({"weights": head.weights, "bias": head.bias})


def unpack(
    member: Member, labels: int, read: Callable[[str], bytes], dimension: int | None
) -> tuple[LinearHead, FloatArray | None]:
    """The head of one member, and its idf if it looks at hashed words.

    Args:
        member: Which one.
        labels: How many columns it must have.
        read: Gives the bytes of a part.
        dimension: Rows that its weights must have (the encoder's), if it is over vectors.

    Raises:
        CorruptError: A tensor is missing, has another shape or holds no finite numbers.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(read(member.file))
    except SafetensorError as error:
        raise CorruptError(
            f"{member.file} is not a safetensors file: {error}.", code="bad_weights"
        ) from error
    if member.kind == "linear":
        rows = member.buckets or 0
        quantised = _tensor(tensors, member, "weights", (rows, labels), "int8")
        scale = _tensor(tensors, member, "scale", (labels,), "float32")
        idf = _tensor(tensors, member, "idf", (rows,), "float16").astype(np.float32)
        bias = _tensor(tensors, member, "bias", (labels,), "float32")
        return LinearHead(dequantise(quantised, scale), bias), idf
    rows = 0 if member.kind == "prior" else (dimension or 0)
    weights = _tensor(tensors, member, "weights", (rows, labels), "float32")
    return LinearHead(weights, _tensor(tensors, member, "bias", (labels,), "float32")), None


def _tensor(  # type: ignore[no-untyped-def]  # any dtype comes out
    tensors: Mapping[str, np.ndarray], member: Member, name: str, shape: tuple[int, ...], dtype: str
):
    tensor = tensors.get(name)
    if tensor is None or tensor.shape != shape or tensor.dtype.name != dtype:
        found = "nothing" if tensor is None else f"{tensor.dtype.name} {list(tensor.shape)}"
        raise CorruptError(
            f"{member.file} should hold {name!r} as {dtype} {list(shape)} but holds {found}.",
            code="bad_weights",
        )
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise CorruptError(
            f"{member.file} holds numbers in {name!r} that are not finite.", code="bad_weights"
        )
    return tensor


def _save(tensors: Mapping[str, np.ndarray]) -> bytes:
    from safetensors.numpy import save

    return bytes(save({name: np.ascontiguousarray(value) for name, value in tensors.items()}))
