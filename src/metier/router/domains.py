"""The domain classifier: which domain a text looks like, how sure that is, and when to abstain.

It knows hashed words and characters, a linear head, thresholds and what all questions of a domain
share; it knows no candidate, no proof and no file. A model is arrays and JSON, bound to one
digest; how it is fitted is ``learning``'s matter.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metier.errors import CorruptError
from metier.features import FeatureSpec, hashed_row
from metier.manifest import canonical_json

if TYPE_CHECKING:
    from metier.heads import FloatArray

MOST_BYTES = 5_000_000
MOST_DOMAINS = 2_000
MOST_NAME = 200
NEVER = 1.01
"""The threshold of a domain whose questions are too few to fit one."""
_UNREADABLE = (
    ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, struct.error
)  # fmt: skip
_MAGIC = b"metier domains 1\n"
Buckets = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that changes what is fitted; docs/explanation/routing.md has the measures.

    Attributes:
        buckets: Columns of the hashed features; halved where many domains would pass 5 MB.
        words: Orders of word n-grams.
        characters: Orders of character n-grams.
        cut: Characters that are read: the first and the last half of these.
        abstain: Share of a domain's own unseen questions that lie below its threshold.
        shared: What at least this share of a domain's questions hold is a mark of it.
        marked: Share of a domain's own questions that lie below the share of marks that it starts
            from.
        slack: What part of that share a text must hold, so that mistyped questions pass.
        steepest: Steepest slope of the calibration; see ``learning``.
        most_questions: Questions that are fitted on, of all domains together.
        folds: Parts of the questions, each held out once.
        seed: Of the folds and of the draw where there are too many questions.
    """

    buckets: int = 1 << 15
    words: tuple[int, ...] = (1, 2)
    characters: tuple[int, ...] = (2, 3, 4)
    cut: int = 2_000
    abstain: float = 0.05
    shared: float = 0.9
    marked: float = 0.005
    slack: float = 0.8
    steepest: float = 8.0
    most_questions: int = 20_000
    folds: int = 5
    seed: int = 0

    @property
    def spec(self) -> FeatureSpec:
        """What the texts are hashed by."""
        return FeatureSpec(self.buckets, self.words, self.characters)


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain of a model.

    Attributes:
        name: Its name.
        questions: How many it was fitted on.
        threshold: Score below which the router abstains, 0 to 1; ``NEVER`` for never sure.
        marks: Sorted buckets that (nearly) all its questions hold.
        least_marks: Share of them that a question must hold.
        languages: Languages of its questions; empty if too few are known.
        code: Whether code stands in any number of its questions.
    """

    name: str
    questions: int
    threshold: float
    marks: Buckets
    least_marks: float
    languages: tuple[str, ...]
    code: bool


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a text looks like.

    Attributes:
        domain: The domain that it looks like most.
        score: Calibrated probability that it is of that domain, 0 to 1.
        threshold: Below it the router abstains.
        margin: ``score`` minus that of the next domain, or of none of them.
        against: Why the router must not act on it, as a sentence; "" if it may.
    """

    domain: str
    score: float
    threshold: float
    margin: float
    against: str

    @property
    def sure(self) -> bool:
        """Whether the router may act on it."""
        return not self.against


@dataclass(frozen=True)
class DomainModel:
    """A fitted domain classifier; equal models have equal bytes and give equal answers.

    Attributes:
        settings: What it was fitted with.
        domains: Sorted by name; the head has one more label, the last: none of them.
        idf: Weights of the buckets, float32, shape (buckets,).
        weights: int8, shape (buckets, labels).
        scale: float32, shape (labels,).
        bias: float32, shape (labels,).
        slope: Of the calibration: score = sigmoid(slope * logit + offset).
        offset: Of the calibration.
    """

    settings: Settings
    domains: tuple[Domain, ...]
    idf: FloatArray
    weights: NDArray[np.int8]
    scale: FloatArray
    bias: FloatArray
    slope: float
    offset: float

    @property
    def names(self) -> tuple[str, ...]:
        """The domains' names."""
        return tuple(one.name for one in self.domains)

    def asked(self, text: str, *, language: str = "", code: bool = False) -> Likeness:
        """What ``text`` looks like.

        Args:
            text: The person's own words.
            language: ISO 639-1 of it where it is known.
            code: Whether it holds code.
        """
        buckets, counts = hashed_row(cut(text, self.settings.cut), self.settings.spec)
        scores = self._scores(buckets, counts)
        best = int(scores[:-1].argmax())
        domain = self.domains[best]
        score = _rounded(scores[best])
        others = np.delete(scores, best)
        against = self._against(domain, score, buckets) or _foreign(domain, language, code)
        return Likeness(
            domain.name,
            score,
            domain.threshold,
            round(score - _rounded(others.max()), 4),
            against,
        )

    def chances(self, text: str) -> tuple[tuple[str, float], ...]:
        """Each domain and "" (none of them) with its calibrated score, the likeliest first."""
        buckets, counts = hashed_row(cut(text, self.settings.cut), self.settings.spec)
        scores = self._scores(buckets, counts)
        names = (*self.names, "")
        order = np.argsort(-scores, kind="stable")
        return tuple((names[place], _rounded(scores[place])) for place in order)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of its bytes."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"

    def logits(self, buckets: Buckets, counts: FloatArray) -> FloatArray:
        """One-against-rest logits of one text, float32, shape (domains + 1,)."""
        if not buckets.size:
            return self.bias
        values = (1.0 + np.log(counts)) * self.idf[buckets]
        values /= math.sqrt(float(values @ values))
        picked = self.weights[buckets].astype(np.float32)
        return np.asarray((values @ picked) * self.scale + self.bias, dtype=np.float32)

    def _scores(self, buckets: Buckets, counts: FloatArray) -> NDArray[np.float64]:
        steep = self.slope * self.logits(buckets, counts).astype(np.float64) + self.offset
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(steep, -50.0, 50.0))))

    def _against(self, domain: Domain, score: float, buckets: Buckets) -> str:
        if domain.threshold >= NEVER:
            return (
                f"it looks like {domain.name} most, which has {domain.questions} questions, too "
                "few to know when to abstain"
            )
        if score < domain.threshold:
            return (
                f"it looks like {domain.name} most, but {score:.3f} is below the threshold of "
                f"{domain.threshold:.3f}"
            )
        if domain.marks.size and marks_held(domain.marks, buckets) < domain.least_marks:
            return (
                f"it looks like {domain.name}, but lacks what nearly all questions of it have in "
                "common"
            )
        return ""

    def to_bytes(self) -> bytes:
        """Header (JSON) and arrays; at most ``MOST_BYTES``."""
        header = canonical_json(
            {
                "settings": asdict(self.settings),
                "domains": [asdict(one) | {"marks": int(one.marks.size)} for one in self.domains],
                "slope": self.slope,
                "offset": self.offset,
            }
        )
        arrays = [self.idf.astype("<f4"), self.weights, self.scale.astype("<f4")]
        arrays += [self.bias.astype("<f4"), *(one.marks.astype("<i4") for one in self.domains)]
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
        except _UNREADABLE as error:
            raise CorruptError(
                f"This is not a router's model: {str(error)[:200]}.",
                code="bad_router",
                remedy="Remove the file: the model is made again from the fleet.",
            ) from error


def cut(text: str, most: int) -> str:
    """The head and the tail of a text, ``most`` characters together."""
    if len(text) <= most:
        return text
    return text[: most // 2] + " " + text[-(most // 2) :]


def marks_held(marks: Buckets, buckets: Buckets) -> float:
    """Which share of ``marks`` is among the sorted ``buckets``."""
    place = np.searchsorted(buckets, marks)
    place[place == buckets.size] = 0
    held = buckets[place] == marks if buckets.size else np.zeros(marks.size, np.bool_)
    return float(np.count_nonzero(held)) / max(1, marks.size)


def _rounded(score: Any) -> float:
    # Rounded, so that a decision has the same bytes where sums differ in their last digits.
    return round(float(score), 4)


def _foreign(domain: Domain, language: str, code: bool) -> str:
    if domain.languages and language and language not in domain.languages:
        return (
            f"it looks like {domain.name}, whose questions are in {', '.join(domain.languages)}, "
            f"but is in {language}"
        )
    if code and not domain.code:
        return f"it looks like {domain.name}, none of whose questions hold code, but holds code"
    return ""


def _read(data: bytes) -> DomainModel:
    start = len(_MAGIC) + 4
    if not data.startswith(_MAGIC) or not start < len(data) <= MOST_BYTES:
        raise ValueError("its first bytes or its size are wrong")
    (length,) = struct.unpack_from("<I", data, len(_MAGIC))
    header: dict[str, Any] = json.loads(data[start : start + length])
    settings = _settings(header["settings"])
    told = header["domains"]
    if not isinstance(told, list) or not 1 <= len(told) <= MOST_DOMAINS:
        raise ValueError("it has no domains, or too many")
    if len({one["name"] for one in told}) < len(told):
        raise ValueError("two of its domains have one name")
    buckets, labels = settings.buckets, len(told) + 1
    kinds = ["<f4", "i1", "<f4", "<f4"] + ["<i4"] * len(told)
    counts = [buckets, buckets * labels, labels, labels] + [_size(one, buckets) for one in told]
    sizes = [np.dtype(kind).itemsize * count for kind, count in zip(kinds, counts, strict=True)]
    if len(data) != start + length + sum(sizes):
        raise ValueError("its arrays have another length than its header says")
    ends = np.cumsum([start + length, *sizes]).tolist()
    arrays = [
        np.frombuffer(data[low:high], kind)
        for (low, high), kind in zip(pairwise(ends), kinds, strict=True)
    ]
    idf, weights, scale, bias = arrays[:4]
    slope, offset = float(header["slope"]), float(header["offset"])
    finite = (idf, scale, bias, np.array([slope, offset]))
    if not all(bool(np.isfinite(one).all()) for one in finite):
        raise ValueError("a number in it is not finite")
    return DomainModel(
        settings,
        tuple(_domain(one, marks, buckets) for one, marks in zip(told, arrays[4:], strict=True)),
        idf,
        weights.reshape(buckets, labels),
        scale,
        bias,
        slope,
        offset,
    )


def _settings(told: dict[str, Any]) -> Settings:
    tuples = {name: tuple(int(one) for one in told[name]) for name in ("words", "characters")}
    settings = Settings(**(told | tuples))
    whole = (settings.buckets, settings.cut, settings.folds, settings.seed, settings.most_questions)
    if not all(type(one) is int for one in whole) or not 2 <= settings.cut <= 20_000:
        raise ValueError("its settings are not ours")
    _ = settings.spec  # raises ValueError on orders and buckets that there are not
    return settings


def _size(told: dict[str, Any], buckets: int) -> int:
    size = told["marks"]
    if type(size) is not int or not 0 <= size <= buckets:
        raise ValueError("the number of a domain's marks is wrong")
    return size


def _domain(told: dict[str, Any], marks: Buckets, buckets: int) -> Domain:
    name, languages = told["name"], tuple(told["languages"])
    threshold, least = float(told["threshold"]), float(told["least_marks"])
    texts = [name, *languages]
    if not all(isinstance(one, str) and len(one) <= MOST_NAME for one in texts) or not name:
        raise ValueError("the name of a domain is wrong")
    if not (0.0 <= threshold <= NEVER and 0.0 <= least <= 1.0):
        raise ValueError("a threshold is not between 0 and 1")
    if marks.size and (marks[0] < 0 or marks[-1] >= buckets or bool((np.diff(marks) <= 0).any())):
        raise ValueError("a domain's marks are not sorted buckets")
    return Domain(
        name, int(told["questions"]), threshold, marks, least, languages, bool(told["code"])
    )
