"""How numbers, times, sizes and verdicts are said.

It knows the words of the product (per cent for shares, points for differences, decimal sizes) and
turns values into short sentences. It knows no terminal: see ``terminal`` for colour and width.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metier.card import Difference, Evidence, Interval

NOT_MEASURED = "not measured"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RIVALS = {
    "base": "its base",
    "general": "the general model",
    "majority": "always saying the most frequent label",
}


def percent(share: float) -> str:
    """A share of 1 as per cent with one decimal: ``93.6 %``."""
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """A difference of shares as signed points: ``+23.1``; never ``-0.0``."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def span(interval: Interval, *, signed: bool = False) -> str:
    """An interval's ends in per cent or signed points: ``92.7 to 94.4``."""
    if signed:
        return f"{points(interval.low)} to {points(interval.high)}"
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def count(number: int) -> str:
    """A count with thousands separated: ``3,080``."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A count and its noun: ``1 question``, ``3,080 questions``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count(number)} {noun if number == 1 else plural}"


def size(number: float | None) -> str:
    """Bytes in decimal units with three digits: ``412 kB``, ``46.1 MB``, ``1.20 GB``."""
    if number is None:
        return NOT_MEASURED
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} B" if unit == "B" else f"{_three_digits(value)} {unit}"
        value /= 1000
    return f"{_three_digits(value)} TB"


def milliseconds(value: float | None) -> str:
    """Milliseconds with the digits that matter: ``0.31``, ``5.8``, ``120``."""
    if value is None:
        return NOT_MEASURED
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def duration(seconds: float | None) -> str:
    """Seconds for people: ``0.4 s``, ``41 s``, ``1 min 12 s``, ``2 h 3 min``."""
    if seconds is None:
        return NOT_MEASURED
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def parse_duration(text: str) -> float:
    """Seconds of ``2m``, ``90s``, ``1h``, ``1m30s`` or a bare number of seconds.

    Raises:
        ValueError: The text is none of these, or not above zero.
    """
    compact = text.strip().lower()
    matches = list(_DURATION.finditer(compact))
    whole = "".join(match.group(0) for match in matches)
    if not matches or whole.replace(" ", "") != compact.replace(" ", ""):
        raise ValueError(f"{text!r} is not a duration")
    if len(matches) > 1 and any(match.group(2) is None for match in matches):
        raise ValueError(f"{text!r} has a number without a unit")
    seconds = sum(float(m.group(1)) * _UNIT_SECONDS[m.group(2) or "s"] for m in matches)
    if seconds <= 0:
        raise ValueError(f"{text!r} is not above zero")
    return seconds


def date(moment: Any) -> str:
    """A day as ``12 Nov 2026`` from an ISO text, a datetime or seconds since 1970."""
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, tz=UTC)
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return str(moment)
    if not isinstance(moment, datetime):
        return str(moment)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def margin(share: float) -> str:
    """A margin in points: ``1 point``, ``2.5 points``."""
    value = f"{100 * share:g}"
    return f"{value} point" if value == "1" else f"{value} points"


def verdict_sentence(evidence: Evidence) -> str:
    """The whole claim in one sentence: difference, interval, n and date."""
    difference = evidence.difference
    rival = _RIVALS.get(evidence.against, evidence.rival_name)
    facts = (
        f"({span(difference.interval, signed=True)}, {counted(difference.n, 'question')}, "
        f"{date(evidence.date)})"
    )
    size_of_it = f"{abs(100 * difference.difference):.1f} points"
    match difference.verdict.value:
        case "WIN":
            small = f", less than the margin of {margin(difference.margin)}"
            return (
                f"Better than {rival} by {size_of_it} {facts}{small if difference.small else ''}."
            )
        case "LOSS":
            return f"Worse than {rival} by {size_of_it} {facts}."
        case "TIE":
            return f"Equal to {rival} within {margin(difference.margin)} {facts}."
        case "NOT WORSE":
            return f"Not worse than {rival} by more than {margin(difference.margin)} {facts}."
    return f"{underpowered(difference)} Against {rival}: {points(difference.difference)} {facts}."


def underpowered(difference: Difference) -> str:
    """Why a comparison proves nothing, and how many questions it would take."""
    questions = counted(difference.n, "question")
    if difference.detectable is None:
        told = f"Not proved: {questions} are too few."
    else:
        told = f"Not proved: {questions} cannot show less than {margin(_tenth(difference))}."
    if difference.needed_n is not None:
        told += f" It would take about {count(difference.needed_n)}."
    return told


def _tenth(difference: Difference) -> float:
    return round(difference.detectable or 0.0, 3)


def _three_digits(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
