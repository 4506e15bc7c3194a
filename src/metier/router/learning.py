"""Fitting the domain classifier on questions of each domain, and its thresholds on unseen ones.

It knows questions and held-out logits; it knows no candidate and no file. Calibration: Platt 1999,
"Probabilistic outputs for support vector machines", §2, with his smoothed targets. Thresholds: the
score below which a fixed share of a domain's own questions lies when each is answered by a model
that has not seen it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.optimize import minimize

from metier.errors import InputError
from metier.features import fold, hashed_counts
from metier.heads import FloatArray, inverse_document_frequency, quantise, weigh
from metier.router.domains import (
    MOST_BYTES,
    MOST_DOMAINS,
    MOST_NAME,
    NEVER,
    Domain,
    DomainModel,
    Settings,
    cut,
    marks_held,
)
from metier.router.elsewhere import requests_elsewhere
from metier.router.looks import holds_code
from metier.router.tongues import language_of
from metier.training.fitting import cross_validate, fit_hinge, fit_whole

LEAST_QUESTIONS = 20
"""Fewer questions of a domain fit no threshold: a share of 5 % of 20 is one question."""
RULE_OF_THREE = 3.0
"""n questions say nothing of a kind that is less than 3 in n of them (at 95 %: Hanley and
Lippman-Hand 1983, "If nothing goes wrong, is everything all right?"), so no threshold is higher
than 1 - 3 / n: few questions, or many of one form, would ask for more than they show."""
LEAST_FOR_MARKS = 100
"""Fewer questions do not show what all of them share."""
LEAST_BUCKETS = 1 << 10
_RARE = 0.005
"""What less than this share of a domain's questions have (a language, code) is not its own."""

Classes = NDArray[np.int64]


def fit_domains(
    questions: Mapping[str, Sequence[str]], *, settings: Settings | None = None
) -> DomainModel:
    """Fit the classifier, its calibration and its thresholds.

    Requests of no domain in particular (``elsewhere``) are fitted as a class of their own, so one
    domain is enough. Questions that differ in case and punctuation only count once.

    Args:
        questions: Domain to the training questions of its specialists' evals.
        settings: What changes the result; the defaults are those of the back-tests.

    Raises:
        InputError: No domain, too many, or a name that is empty or too long (code
            ``bad_domains``); a domain without any question (code ``no_questions``).
    """
    names = _named(questions)
    settings = _sized(settings or Settings(), len(names))
    texts = _drawn({name: questions[name] for name in names}, settings)
    every = [text for own in texts for text in own] + list(requests_elsewhere())
    sizes = [len(own) for own in texts] + [len(requests_elsewhere())]
    classes = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    counts = hashed_counts([cut(text, settings.cut) for text in every], settings.spec)
    idf = inverse_document_frequency(counts)
    rows = weigh(counts, idf)
    unseen = cross_validate(
        fit_hinge, rows, classes, labels=len(sizes), folds=_folds(sizes, settings),
        seed=settings.seed, workers=1, stopped=lambda: False,
    )  # fmt: skip
    assert unseen is not None  # nothing can stop it
    slope, offset = calibration(unseen, classes, settings.steepest)
    head = fit_whole(fit_hinge, rows, classes, len(sizes), settings.seed)
    weights, scale = quantise(head.weights)
    scores = 1.0 / (1.0 + np.exp(-(slope * unseen.astype(np.float64) + offset)))
    domains = []
    for place, name in enumerate(names):
        own = classes == place
        domains.append(_domain(name, texts[place], scores[own], place, counts[own], settings))
    return DomainModel(settings, tuple(domains), idf, weights, scale, head.bias, slope, offset)


def calibration(logits: FloatArray, classes: Classes, steepest: float) -> tuple[float, float]:
    """Slope and offset of "this text is of this class" over all classes' logits (Platt 1999).

    The slope is limited: questions of domains that are far apart are told apart without one
    mistake, and a steeper curve would call everything certain, also what is of no domain.
    """
    values = logits.astype(np.float64).ravel()
    truth = (classes[:, None] == np.arange(logits.shape[1])).ravel()
    right, wrong = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0))

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        steep = at[0] * values + at[1]
        gap = 1.0 / (1.0 + np.exp(-steep)) - target
        value = float((np.logaddexp(0.0, steep) - target * steep).mean())
        return value, np.array([(gap * values).mean(), gap.mean()])

    bounds = [(0.1, steepest), (-20.0, 20.0)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return round(float(found.x[0]), 6), round(float(found.x[1]), 6)


def _named(questions: Mapping[str, Sequence[str]]) -> list[str]:
    names = sorted(questions)
    if not 1 <= len(names) <= MOST_DOMAINS or not all(
        0 < len(one) <= MOST_NAME and one.isprintable() for one in names
    ):
        raise InputError(
            f"A router's model needs 1 to {MOST_DOMAINS} domains with names of 1 to {MOST_NAME} "
            f"printable characters; there are {len(names)}.",
            code="bad_domains",
        )
    empty = next((name for name in names if not any(fold(text) for text in questions[name])), None)
    if empty is not None:
        raise InputError(f"The domain {empty!r} has no question with a word in it.",
                         code="no_questions")  # fmt: skip
    return names


def _sized(settings: Settings, domains: int) -> Settings:
    """As many buckets as the largest model may have, at most those that are asked for."""
    buckets = settings.buckets
    while buckets > LEAST_BUCKETS and buckets * (domains + 10) > MOST_BYTES * 0.9:
        buckets //= 2
    return replace(settings, buckets=buckets)


def _drawn(questions: Mapping[str, Sequence[str]], settings: Settings) -> list[list[str]]:
    """The distinct questions of each domain, drawn where there are too many."""
    most = max(LEAST_FOR_MARKS, settings.most_questions // len(questions))
    random = np.random.default_rng(settings.seed)
    drawn = []
    for texts in questions.values():
        # Of texts that fold to one the first is kept; sorted, so that their order cannot matter.
        distinct = sorted({fold(text): text for text in sorted(texts, reverse=True)}.items())
        own = [text for folded, text in distinct if folded]
        if len(own) > most:
            own = [own[place] for place in sorted(random.permutation(len(own))[:most])]
        drawn.append(own)
    return drawn


def _folds(sizes: Sequence[int], settings: Settings) -> Classes:
    """The fold of each question, as even as can be within each class."""
    random = np.random.default_rng(settings.seed)
    return np.concatenate(
        [random.permutation(np.arange(size, dtype=np.int64) % settings.folds) for size in sizes]
    )


def _domain(
    name: str,
    texts: Sequence[str],
    scores: NDArray[np.float64],
    place: int,
    counts: sparse.csr_matrix,
    settings: Settings,
) -> Domain:
    """One domain's threshold, marks, languages and whether it knows code.

    Args:
        name: Its name.
        texts: Its questions.
        scores: Their scores by models that have not seen them, shape (questions, labels).
        place: Its column.
        counts: Their features.
        settings: Of the model.
    """
    own = scores[scores[:, :-1].argmax(axis=1) == place, place]
    enough = len(texts) >= LEAST_QUESTIONS and own.size > 0
    highest = round(1.0 - RULE_OF_THREE / len(texts), 4)
    threshold = min(_percentile(own, settings.abstain), highest) if enough else NEVER
    marks, least = _marks(counts, settings)
    spoken = [language for text in texts if (language := language_of(text))]
    often = max(1.0, _RARE * len(spoken))
    many = len(spoken) >= LEAST_QUESTIONS
    languages = {one for one in set(spoken) if spoken.count(one) > often} if many else set()
    with_code = sum(holds_code(text) for text in texts)
    code = len(texts) < LEAST_FOR_MARKS or with_code > _RARE * len(texts)
    return Domain(name, len(texts), threshold, marks, least, tuple(sorted(languages)), code)


def _marks(counts: sparse.csr_matrix, settings: Settings) -> tuple[NDArray[np.int32], float]:
    number = counts.shape[0]
    if number < LEAST_FOR_MARKS:
        return np.empty(0, np.int32), 0.0
    holding = np.bincount(counts.indices, minlength=counts.shape[1])
    marks = np.flatnonzero(holding >= settings.shared * number).astype(np.int32)
    if not marks.size:
        return marks, 0.0
    ends = counts.indptr
    held = [marks_held(marks, counts.indices[low:high]) for low, high in pairwise(ends)]
    return marks, round(settings.slack * _percentile(np.array(held), settings.marked), 4)


def _percentile(values: NDArray[np.float64], share: float) -> float:
    """The value below which at most ``share`` of the values lie, rounded down."""
    ordered = np.sort(values)
    value = float(ordered[min(int(share * ordered.size), ordered.size - 1)])
    return float(np.floor(value * 1e4) / 1e4)
