"""What came of trying a classifier, for people: the label or why there is none, bars, the time.

It lays out predictions; it asks no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from metier.messages import Prediction
from metier.site import charts, words
from metier.site.values import Tried

MOST_TEXT = 100_000


class Trials(Protocol):
    """Texts that were tried together."""

    @property
    def texts(self) -> Sequence[str]:
        """The texts, in order."""

    @property
    def predictions(self) -> Sequence[Prediction]:
        """One for each, or none."""

    @property
    def ms(self) -> float:
        """Milliseconds on the server, all together."""

    @property
    def problem(self) -> str | None:
        """Why there is no answer."""


def one(trial: Tried) -> dict[str, Any]:
    """A text with its answer."""
    return {
        "text": trial.text[:MOST_TEXT],
        "problem": trial.problem,
        "ms": words.milliseconds(trial.ms),
        "answer": answer_words(trial.prediction) if trial.prediction is not None else None,
    }


def several(trials: Trials | None, what: str = "text") -> dict[str, Any] | None:
    """Texts, or names of pictures, with their answers; ``None`` where nothing was tried."""
    if trials is None:
        return None
    each = trials.ms / len(trials.texts) if trials.texts else 0.0
    count = words.plural(len(trials.texts), what)
    return {
        "text": "\n".join(trials.texts)[:MOST_TEXT],
        "problem": trials.problem,
        "took": f"{count} in {words.milliseconds(trials.ms)} on the server"
        + (f", {words.milliseconds(each)} each" if len(trials.texts) > 1 else ""),
        "rows": [
            {"text": text, **answer_words(prediction)}
            for text, prediction in zip(trials.texts, trials.predictions, strict=False)
        ],
    }


def answer_words(prediction: Prediction) -> dict[str, Any]:
    """An answer for people: the label or why there is none, and a bar per score."""
    if prediction.out_of_scope:
        said = "Out of scope: it looks unlike everything this specialist was made for."
    elif prediction.abstained:
        said = "It abstains: it is not sure enough."
    else:
        said = ""
    return {
        "label": prediction.label,
        "best": prediction.best,
        "said": said,
        "scores": [
            {
                "label": label,
                "percent": words.percent(probability),
                "bar": charts.probability_bar(probability),
            }
            for label, probability in prediction.scores[:5]
        ],
    }
