"""The scorer of free answers: the same number, or the same words.

It knows a question's right answer and what was written; it knows no system. Its name carries
every setting, because it is part of an eval's fingerprint. It is strict and cheap: an answer that
says the right thing in other words is wrong here, and no model judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from metier.evals.items import EvalItem
from metier.messages import Answer, Outcome

_NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_WHOLE = re.compile(
    rf"[$€£]?\s*(?P<number>{_NUMBER.pattern})\s*%?\.?",
)
_SAID = re.compile(r"^(?:the )?(?:final )?answer(?: is)? ")
_ARTICLE = re.compile(r"^(?:a|an|the) ")
_LONGEST = 40
"""Digits of a number that is read; longer ones are compared as words."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Right is 1, everything else 0.

    * Where the right answer is a number, the last number of the written answer must be equal:
      ``1,200`` is ``1200.0``. Signs of money and per cent do not count.
    * Elsewhere the whole written answer or its last line must have the same words: case,
      punctuation, a leading article and "the answer is" do not count.
    * No answer is wrong. An item that could not be answered (``Answer.error``) is "unscored".
    """

    @property
    def name(self) -> str:
        """The scorer and its settings."""
        return 'answer{"number":"last","words":"folded, whole or last line"}'

    def score(self, item: EvalItem, answer: Answer) -> Outcome:
        """See the class."""
        if answer.error is not None:
            return "unscored"
        return 1.0 if answer.text is not None and matches(item.label, answer.text) else 0.0


ANSWER = Matching()


def matches(right: str, written: str) -> bool:
    """Whether a written answer is the right one, by the rules of ``Matching``."""
    from metier.features import fold

    whole = _WHOLE.fullmatch(right.strip())
    if whole is not None:
        wanted = _number(whole["number"])
        found = [_number(one) for one in _NUMBER.findall(written)]
        if wanted is not None:
            return bool(found) and found[-1] == wanted
    lines = [line for line in written.splitlines() if line.strip()]
    candidates = [written, *lines[-1:]]
    if not fold(right):
        return any(right.strip() == one.strip() for one in candidates)
    return any(_words(right) == _words(one) for one in candidates)


def _number(text: str) -> Decimal | None:
    digits = text.replace(",", "").replace("\N{MINUS SIGN}", "-")
    if len(digits) > _LONGEST:
        return None
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


def _words(text: str) -> str:
    from metier.features import fold

    return _ARTICLE.sub("", _SAID.sub("", fold(text)))
