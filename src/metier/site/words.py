"""Numbers and texts as people read them: points, sizes, dates, verdicts, sentences.

Cards hold shares of 1; people read per cent and points. It knows wording, no HTML. Texts that
come from cards pass through ``clip``, which caps their length and takes out characters that
could change how the page reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from metier.card import Card, Difference, Evidence, Rung, Score, Verdict

NOT_MEASURED = "not measured"
_DAY = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# Control characters, and those that reorder or hide text (Unicode TR 36, TR 39).
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


class VerdictWords(NamedTuple):
    """A verdict for people: its sign, its word, and the style that colours it."""

    sign: str
    word: str
    style: str


VERDICTS = {
    Verdict.WIN: VerdictWords("▲", "WIN", "win"),
    Verdict.LOSS: VerdictWords("▼", "LOSS", "loss"),
    Verdict.TIE: VerdictWords("＝", "TIE", "tie"),
    Verdict.NOT_WORSE: VerdictWords("▷", "NOT WORSE", "not-worse"),
    Verdict.UNDERPOWERED: VerdictWords("◌", "UNDERPOWERED", "underpowered"),
}
VERDICT_MEANINGS = {
    Verdict.WIN: "The whole interval is above zero.",
    Verdict.LOSS: "The whole interval is below zero.",
    Verdict.TIE: "The whole interval is within the margin of zero.",
    Verdict.NOT_WORSE: "The interval's lower end is above minus the margin.",
    Verdict.UNDERPOWERED: "The questions are too few to tell.",
}
RIVALS = {
    "base": "its base",
    "general": "the general model",
    "majority": "always saying the commonest label",
    "other": "the other system",
}


def clip(text: object, length: int = 200) -> str:
    """``text`` without characters that reorder or hide, cut at ``length`` with an ellipsis."""
    shown = _UNSEEN.sub("\ufffd", str(text)[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def count(number: int) -> str:
    """3080 as "3,080"."""
    return f"{number:,}"


def percent(share: float) -> str:
    """.941 as "94.1 %"."""
    return f"{share * 100:.1f}\u202f%"


def points(share: float, *, signed: bool = False) -> str:
    """.231 as "23.1", or "+23.1"; a minus sign, not a hyphen."""
    text = f"{share * 100:+.1f}" if signed else f"{share * 100:.1f}"
    text = "0.0" if text in ("-0.0", "+0.0") else text
    return text.replace("-", "−")


def few(number: float) -> str:
    """A number with as many digits as it deserves: .21, 3.0, 52, 1,250."""
    if number >= 100:
        return f"{number:,.0f}"
    if number >= 10:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 0.995 else f"{number:.2g}"


def milliseconds(value: float | None) -> str:
    """3.02 as "3.0 ms"."""
    if value is None:
        return NOT_MEASURED
    return f"{few(value)}\u202fms" if value >= 0.01 else "under 0.01\u202fms"


def size(number: int | None) -> str:
    """740000 as "740 kB": decimal units, as disks and downloads count."""
    if number is None:
        return NOT_MEASURED
    if number < 1000:
        return f"{number}\u202fB"
    scaled, unit = float(number), "B"
    for name in ("kB", "MB", "GB", "TB"):
        scaled, unit = scaled / 1000, name
        if scaled < 999.5:
            break
    return f"{few(scaled)}\u202f{unit}"


def duration(seconds: float | None) -> str:
    """72 as "1 min 12 s"."""
    if seconds is None:
        return NOT_MEASURED
    if seconds < 60:
        return f"{few(seconds) if seconds >= 0.01 else '0'}\u202fs"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u202fmin {rest}\u202fs"
    return f"{minutes // 60}\u202fh {minutes % 60}\u202fmin"


def date(text: str) -> str:
    """An ISO date or moment as "12 Nov 2026"; anything else as it is, cut."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return clip(text, 40)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def dated(text: str) -> str:
    """A sentence whose ISO days are told as all days are: 2026-11-12 as "12 Nov 2026"."""
    return _DAY.sub(lambda found: date(found[0]), text)


def moment(text: str) -> str:
    """An ISO moment as "12 Nov 2026, 14:03 UTC"; anything else as it is, cut."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return clip(text, 40)
    zone = " UTC" if found.utcoffset() is not None else ""
    return f"{date(text)}, {found:%H:%M}{zone}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 label", "77 labels"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(items: Sequence[str]) -> str:
    """A list as people say it: "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def score_words(score: Score | None) -> str:
    """A score with its interval: "94.1 % (93.3 to 94.9)"."""
    if score is None:
        return NOT_MEASURED
    if score.interval is None:
        return percent(score.value)
    low, high = points(score.interval.low), points(score.interval.high)
    return f"{percent(score.value)} ({low} to {high})"


def interval_words(difference: Difference) -> str:
    """The interval of a difference in points: "21.4 to 24.8"."""
    interval = difference.interval
    return f"{points(interval.low)} to {points(interval.high)}"


def sentence(item: Evidence) -> str:
    """What one comparison says, as a sentence with its numbers."""
    difference, rival = item.difference, RIVALS[item.against]
    facts = f"({interval_words(difference)}, {plural(difference.n, 'question')}, {date(item.date)})"
    size_of = points(abs(difference.difference))
    margin = f"{difference.margin * 100:.2g}"
    margin += " point" if margin == "1" else " points"
    if difference.verdict is Verdict.WIN:
        small = f" It is less than the margin of {margin}." if difference.small else ""
        return f"Better than {rival} by {size_of} points {facts}.{small}"
    if difference.verdict is Verdict.LOSS:
        return f"Worse than {rival} by {size_of} points {facts}."
    if difference.verdict is Verdict.TIE:
        return f"As good as {rival}, to within {margin} {facts}."
    if difference.verdict is Verdict.NOT_WORSE:
        return f"Not worse than {rival} by more than {margin} {facts}."
    return _not_proved(difference)


def _not_proved(difference: Difference) -> str:
    questions = plural(difference.n, "question")
    if difference.detectable is None:
        text = f"Not proved: {questions} are too few to tell."
    else:
        least = few(difference.detectable * 100)
        text = f"Not proved: {questions} cannot show less than {least} points."
    if difference.needed_n is not None:
        text += f" It would take about {count(difference.needed_n)}."
    return text


def headline(card: Card) -> tuple[str, VerdictWords | None]:
    """The one sentence of a specialist: against its base, else against the next best rival."""
    for against in ("base", "general", "majority", "other"):
        item = card.against(against)
        if item is None:
            continue
        if item.difference.verdict is Verdict.WIN and card.leaks.blocks_win:
            leaked = percent(card.leaks.share)
            return f"Not proved: {leaked} of the eval items are in the training rows.", None
        return sentence(item), VERDICTS[item.difference.verdict]
    accuracy = card.accuracy()
    if accuracy is None:
        return "Not proved: nothing was measured.", None
    return f"Not proved: {score_words(accuracy)} right, compared with nothing.", None


def asked(card: Card) -> str:
    """What a classifier is given: a text or a picture."""
    return "picture" if card.task == "classify-image" else "text"


def cost_line(card: Card) -> list[str]:
    """What a fleet row says below its sentence: labels, size, speed."""
    facts = [card.task, plural(len(card.labels), "label")]
    if card.cost.size_bytes is not None:
        shared = card.cost.shared_bytes
        facts.append(size(card.cost.size_bytes) + (f" + {size(shared)} shared" if shared else ""))
    if card.cost.ms_per_text is not None:
        facts.append(f"{milliseconds(card.cost.ms_per_text)} a {asked(card)}")
    return facts


def reason(note: str | None) -> str:
    """A row's note without the "not measured" that stands beside it already."""
    return clip((note or "").removeprefix(f"{NOT_MEASURED}:").strip(), 200)


def rung_size(rung: Rung) -> str:
    """The bytes of a rung: its own, and what it shares."""
    if rung.size_bytes is None:
        return NOT_MEASURED
    shared = f" + {size(rung.shared_bytes)} shared" if rung.shared_bytes else ""
    return size(rung.size_bytes) + shared
