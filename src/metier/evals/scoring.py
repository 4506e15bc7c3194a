"""Scorers: one answer to one item gives an outcome of 0 to 1, or "unscored".

It knows labels and answers; it knows no system. A scorer's name carries every setting that can
change a score, because the name is part of the eval's fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from metier.errors import InputError
from metier.evals.items import EvalItem
from metier.evals.matching import ANSWER
from metier.manifest import canonical_json
from metier.messages import Answer, Outcome


class Scorer(Protocol):
    """What decides whether an answer is right. Plugins give more (``metier.scorers``)."""

    @property
    def name(self) -> str:
        """The scorer and every setting that changes a score."""

    def score(self, item: EvalItem, answer: Answer) -> Outcome:
        """0 to 1, or "unscored" where the answer says nothing about the system."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Exact label match: right is 1, everything else 0.

    * An answer that is not one of the eval's labels is wrong.
    * An abstention is wrong, except on an item whose label is ``out_of_scope_label``: there, not
      answering is the right answer, and so is naming that label.
    * An item that could not be answered (``Answer.error``) is "unscored".

    Attributes:
        out_of_scope_label: The label of items that belong to no label, or ``None``.
    """

    out_of_scope_label: str | None = None

    @property
    def name(self) -> str:
        """``accuracy``, or ``accuracy{"out_of_scope":"…"}``."""
        if self.out_of_scope_label is None:
            return "accuracy"
        settings = canonical_json({"out_of_scope": self.out_of_scope_label}).decode("utf-8")
        return f"accuracy{settings}"

    def score(self, item: EvalItem, answer: Answer) -> Outcome:
        """See the class."""
        if answer.error is not None:
            return "unscored"
        if answer.text is None:
            return 1.0 if item.label == self.out_of_scope_label else 0.0
        return 1.0 if answer.text == item.label else 0.0


def scorer_from_name(name: str) -> Scorer:
    """The built-in scorer of this name; raises InputError (code ``unknown_scorer``)."""
    if name == ANSWER.name:
        return ANSWER
    kind, brace, settings = name.partition("{")
    try:
        options = json.loads(brace + settings) if brace else {}
    except ValueError as error:
        raise _unknown(name) from error
    if kind != "accuracy" or not set(options) <= {"out_of_scope"}:
        raise _unknown(name)
    label = options.get("out_of_scope")
    if label is not None and not isinstance(label, str):
        raise _unknown(name)
    return Accuracy(label)


def _unknown(name: str) -> InputError:
    return InputError(
        f"There is no scorer {name[:120]!r}.",
        code="unknown_scorer",
        remedy="Use 'accuracy', or a scorer that a plugin registers under metier.scorers.",
    )
