"""What people say of answers: thumbs, right labels and comments, kept in the ledger.

It knows that a thumb is an outcome of the specialist alone, so it never becomes a pair; that a
right label makes one possible, if the person allows the text to be kept; and that texts can be
erased. It asks no model.

Texts and comments stand in the ledger's table that can be erased. The chained row holds a thumb,
a label and a keyed digest of the text, by which the same text counts once; the key is erased with
the texts, so that afterwards nobody can find out what a row was about.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metier.errors import InputError, NotFoundError
from metier.ledger import Ledger, Row
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.watching import Pair

FORMAT = "metier.feedback/1"
KEY_FORMAT = "metier.feedback-key/1"
MOST_TEXT = 20_000
MOST_COMMENT = 2_000
MOST_KEPT = 20_000
"""Rows about one specialist; further ones are refused, because the ledger never shrinks."""
_ID_DIGITS = 16
_ANSWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Thumb = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said of one answer, checked.

    Attributes:
        answer: The answer's id, or "".
        text: What was asked, or "".
        thumb: ``up``, ``down`` or "".
        label: The right label, or "".
        comment: In the person's words, or "".
        keep: Whether the text may be kept, so that rivals can be asked on it.
    """

    answer: str = ""
    text: str = ""
    thumb: str = ""
    label: str = ""
    comment: str = ""
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Thumbs:
    """How many answers were liked; each answer counts once, by its latest thumb.

    ``low`` and ``high`` are the ends of Wilson's 95 % interval of ``share``; all three are
    ``None`` without a thumb.
    """

    up: int
    down: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text whose right label a person gave and allowed to be kept."""

    item: str
    text: str
    label: str
    date: str


def check(said: Said, labels: Sequence[str]) -> Said:
    """The same without needless space; raises InputError (``bad_feedback``) naming the field.

    Args:
        said: What came in.
        labels: What the specialist may answer; empty where answers are no labels.
    """
    text, comment = said.text, said.comment.strip()
    if not (said.answer or text.strip()):
        raise _bad("it names neither an answer nor a text", "Give 'answer' or 'text'.")
    if said.answer and not _ANSWER.fullmatch(said.answer):
        raise _bad("the answer's id is not one", "An id has 1 to 128 letters, digits and ._:- .")
    if said.thumb not in ("", "up", "down"):
        raise _bad(f"a thumb is 'up' or 'down', not {said.thumb[:20]!r}", "Write up or down.")
    if not (said.thumb or said.label or comment):
        raise _bad("it says nothing", "Give 'thumb', 'label' or 'comment'.")
    for what, value, most in (("text", text, MOST_TEXT), ("comment", comment, MOST_COMMENT)):
        if len(value) > most:
            raise _bad(f"the {what} has {len(value):,} characters", f"{most:,} is the limit.")
        if _CONTROL.search(value):
            raise _bad(f"the {what} holds control characters", "Leave them out.")
    if said.label and said.label not in labels:
        if not labels:
            raise _bad("this specialist's answers are no labels", "Leave 'label' out.")
        raise _bad(f"{said.label[:80]!r} is none of its labels", "See 'labels' of the specialist.")
    if said.keep and not (said.label and text.strip()):
        raise _bad(
            "'keep' is for a text with its right label",
            "Give 'text' and 'label', or leave 'keep' out.",
        )
    return Said(said.answer, text, said.thumb, said.label, comment, said.keep)


def record(ledger: Ledger, name: str, system: str, said: Said) -> Row:
    """Append feedback that was checked.

    Raises:
        InputError: There is too much of it (``too_much_feedback``).
    """
    rows = _rows(ledger, name)
    if len(rows) >= MOST_KEPT:
        raise InputError(
            f"{name!r} has {MOST_KEPT:,} pieces of feedback, which is the limit.",
            code="too_much_feedback",
            remedy="Add labelled items with 'metier watch NAME --fresh FILE' instead.",
        )
    subject = subject_of(name)
    body: dict[str, Any] = {
        "format": FORMAT,
        "system": system,
        "answer": said.answer or None,
        "item": _keyed(ledger, name, said.text) if said.text.strip() else None,
        "thumb": said.thumb or None,
        "label": said.label or None,
        "text": ledger.remember_text(subject, said.text) if said.keep else None,
        "comment": ledger.remember_text(subject, said.comment) if said.comment else None,
    }
    body = {key: value for key, value in body.items() if value is not None}
    return ledger.append("feedback", name, Digest.of(canonical_json(body)), body)


def thumbs(ledger: Ledger, name: str, system: str) -> Thumbs:
    """The thumbs on the answers of the specialist as it is today."""
    latest: dict[str, str] = {}
    for row in _rows(ledger, name):
        body = row.body
        if body.get("system") == system and body.get("thumb"):
            latest[str(body.get("answer") or body.get("item") or row.id)] = body["thumb"]
    up = sum(thumb == "up" for thumb in latest.values())
    if not latest:
        return Thumbs(0, 0, None, None, None)
    from metier.stats.shares import wilson

    ends = wilson(up, len(latest))
    return Thumbs(up, len(latest) - up, up / len(latest), ends.low, ends.high)


def labelled(ledger: Ledger, name: str) -> list[Labelled]:
    """Texts with a right label that are still kept; of one text the latest label counts."""
    found: dict[str, Labelled] = {}
    for row in _rows(ledger, name):
        body = row.body
        if not (body.get("text") and body.get("label") and body.get("item")):
            continue
        text = _text(ledger, str(body["text"]))
        if text is not None:
            item = str(body["item"])
            found.pop(item, None)
            found[item] = Labelled(item, text, str(body["label"]), row.date[:10])
    return list(found.values())


def balanced(pairs: Sequence[Pair]) -> tuple[list[Pair], int]:
    """Pairs without the feedback that would tip the scale, and how many pairs wait.

    People speak up when an answer is wrong, so feedback is no random sample: left alone it would
    demote every specialist in time. What a rival answers to a text does not depend on whether
    somebody spoke up, only on whether the specialist was wrong there. So of feedback the texts on
    which the specialist was wrong count only in the proportion in which the eval's items have
    them, oldest first; further ones wait until right ones come (post-stratification by the
    specialist's outcome; Holt and Smith 1979, "Post stratification").
    """
    evaluated = [pair.own for pair in pairs if pair.source == "eval"]
    right = sum(pair.own for pair in pairs if pair.source == "feedback")
    total = sum(evaluated)
    room = right * (len(evaluated) - total) / total if total > 0 else 0.0
    counted: list[Pair] = []
    for pair in pairs:
        if pair.source == "feedback" and pair.own < 1.0:
            cost = 1.0 - pair.own
            if cost > room + 1e-9:
                continue
            room -= cost
        counted.append(pair)
    return counted, len(pairs) - len(counted)


def erase(ledger: Ledger, name: str) -> int:
    """Erase every text that was kept with feedback on a specialist, and the key; how many."""
    keys = sum(
        _text(ledger, str(row.body["text"])) is not None
        for row in ledger.rows("feedback", name)
        if row.body.get("format") == KEY_FORMAT
    )
    return max(0, ledger.erase_texts(subject_of(name)) - keys)


def subject_of(name: str) -> str:
    """Under what the texts stand in the ledger's table."""
    return f"feedback:{name}"


def _rows(ledger: Ledger, name: str) -> list[Row]:
    return [row for row in ledger.rows("feedback", name) if row.body.get("format") == FORMAT]


def _keyed(ledger: Ledger, name: str, text: str) -> str:
    from metier.features import fold

    key = _key(ledger, name, lambda: secrets.token_hex(32))
    folded = (fold(text) or text).encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), folded, hashlib.sha256).hexdigest()[:_ID_DIGITS]


def _key(ledger: Ledger, name: str, draw: Callable[[], str]) -> str:
    """The first key that is still there; a new one where there is none."""
    for _attempt in range(2):
        for row in ledger.rows("feedback", name):
            if row.body.get("format") == KEY_FORMAT:
                key = _text(ledger, str(row.body["text"]))
                if key is not None:
                    return key
        body = {"format": KEY_FORMAT, "text": ledger.remember_text(subject_of(name), draw())}
        # Read again after this: of two that came at once, the first row's key is the one.
        ledger.append("feedback", name, Digest.of(canonical_json(body)), body)
    raise NotFoundError(f"The key of {name!r}'s feedback is not kept.", code="text_not_found")


def _text(ledger: Ledger, name: str) -> str | None:
    try:
        return ledger.text(name)
    except NotFoundError:
        return None


def _bad(why: str, remedy: str) -> InputError:
    return InputError(f"The feedback cannot be taken: {why}.", code="bad_feedback", remedy=remedy)
