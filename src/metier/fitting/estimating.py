"""From facts of a model, this machine and measured speeds to an estimate: pure arithmetic.

Memory follows the scheduler's own rules. Writing a token reads every weight once, so its time is
the bytes of each tensor type over the speed measured for that type, and a constant; reading a text
is multiplication, so its time is that of its tokens. Source of both: the roofline model (Williams,
Waterman, Patterson, 2009); how far off it is: ``benchmarks/fit_estimate.py``.
"""

from __future__ import annotations

from typing import Literal

from metier.errors import UnavailableError
from metier.finding import Fit
from metier.fitting.facts import BITS
from metier.fitting.values import Here, ModelFacts, Speeds
from metier.generating import Loading
from metier.scheduler import sized
from metier.scheduler.sizing import LEAST_CONTEXT

TEXT_TOKENS = 24
"""Tokens of the text that the time of one answer is told for: a request of one sentence."""
OFF_BY_EXACT = 0.3
"""How far off a speed may be where the model's header is known; see the benchmark."""
OFF_BY_GUESSED = 0.4
OFF_BY_OTHER_TYPE = 0.5
"""Where most of its weights are of a type that was not measured: the nearest stands for it."""
MEMORY_OFF_BY_EXACT = 0.2
MEMORY_OFF_BY_GUESSED = 0.5
BUSY = 0.5
"""Processes per core that wanted to compute while it was measured: more, and it says so."""
_NO_END = 1 << 62
_ANY = Loading()
_ALONE = Loading(num_ctx=LEAST_CONTEXT, slots=1)
_Speed = tuple[float | None, float | None, float | None, bool, str]
_NO_SPEED: _Speed = (None, None, None, False, "")


def estimate(facts: ModelFacts, here: Here, speeds: Speeds | None) -> Fit:
    """Whether a model runs here, with what memory and how fast.

    Args:
        facts: What is known of the model.
        here: What this machine gives now.
        speeds: What was measured here; ``None`` or another machine's: no speed is told.
    """
    if facts.shape is None and not facts.resident:
        why = facts.why_not or "Neither its size nor its number of parameters is known."
        return Fit("unknown", why=why, writes=facts.writes)
    if facts.over_base:
        why = "It writes with the base that it is given."
        return Fit("yes", why=why, measurable=False, over_base=True)
    least = _taken(facts, _ALONE, _NO_END) or 0
    runs: Literal["yes", "tight", "no", "unknown"] = "yes"
    memory, why = _taken(facts, _ANY, here.room_now), ""
    if memory is None:
        memory = _taken(facts, _ANY, here.room)
        runs, why = "tight", "It fits once other models leave memory, which they do by themselves."
    if memory is None:
        runs, why = "no", "This machine has too little memory for it."
        if least <= here.memory_bytes:
            why = "Other programs hold memory that it would need, or METIER_MEMORY keeps it."
    if facts.why_not:
        runs, why = "unknown", facts.why_not
    if facts.missing:
        runs, why = "no", facts.missing
    told = _NO_SPEED
    if runs in ("yes", "tight"):
        told = _speed(facts, here, speeds)
    tokens, milliseconds, off_by, measured, by = told
    return Fit(
        runs,
        memory or least,
        lacking_bytes=max(least - here.room, 1) if runs == "no" and not facts.missing else 0,
        tokens_per_second=tokens,
        ms_per_text=milliseconds,
        off_by=off_by,
        measured=measured,
        why=why or by,
        least_bytes=least,
        memory_off_by=MEMORY_OFF_BY_EXACT if facts.exact else MEMORY_OFF_BY_GUESSED,
        writes=facts.writes,
        unit=facts.unit,
        measurable=not valid(speeds, here) and (facts.engine != "tables" or bool(facts.system)),
    )


def valid(speeds: Speeds | None, here: Here) -> bool:
    """Whether measured speeds are those of this machine as it is: its class and its cores."""
    return speeds is not None and speeds.cpu_class == here.cpu_class and speeds.cores == here.cores


def _taken(facts: ModelFacts, loading: Loading, room: int) -> int | None:
    """Bytes that it would get, or ``None`` if it does not fit."""
    if facts.shape is None:
        return facts.resident if facts.resident <= room else None
    try:
        return sized(facts.shape, loading, room).needs.total
    except UnavailableError:
        return None


def _speed(facts: ModelFacts, here: Here, speeds: Speeds | None) -> _Speed:
    """Tokens a second or milliseconds, how far off, whether measured, and what it rests on."""
    mine = speeds if speeds is not None and valid(speeds, here) else None
    asked = mine.ms_per_text.get(facts.system) if mine is not None else None
    if asked is not None:
        return None, asked, None, True, "It was asked itself, one text at a time."
    if facts.ms_per_text is not None and facts.measured_on == (here.processor, here.cores):
        # By whoever made it: nothing was measured here.
        return None, facts.ms_per_text, None, False, "Its card says so, of such a machine."
    if mine is None:
        return _NO_SPEED
    found = _writing(facts, mine) if facts.writes else _reading(facts, mine)
    return found if mine.busy <= BUSY else (*found[:4], f"{found[4]} {_busy(mine)}".strip())


def _busy(speeds: Speeds) -> str:
    return (
        "The machine had other work while it was measured, so it may be faster: "
        f"{speeds.busy:.1f} processes wanted each core."
    )


def _writing(facts: ModelFacts, speeds: Speeds) -> _Speed:
    """The speed of a model that writes: each token reads every weight."""
    if not speeds.bytes_per_second or not facts.read:
        return _NO_SPEED
    seconds, strange, whole = speeds.token_seconds, 0, sum(facts.read.values())
    for kind, count in facts.read.items():
        rate = speeds.bytes_per_second.get(kind)
        if rate is None:
            rate = speeds.bytes_per_second[_nearest(kind, speeds)]
            strange += count
        seconds += count / rate
    off_by = OFF_BY_EXACT if facts.exact else OFF_BY_GUESSED
    if strange > whole / 10:
        off_by = max(off_by, OFF_BY_OTHER_TYPE)
    why = "By the speed at which weights are read, measured here."
    if not facts.exact:
        why = "By the speed at which weights are read, measured here, and the size of its file."
    return 1 / seconds, None, max(off_by, round(speeds.spread, 2)), False, why


def _reading(facts: ModelFacts, speeds: Speeds) -> _Speed:
    """The time of one answer of a model that does not write: its text is multiplied once."""
    encoder = facts.engine == "encoder"
    rate = speeds.encoder_per_second if encoder else speeds.multiplied_per_second
    if rate is None or not facts.multiplied:
        return _NO_SPEED
    off_by = OFF_BY_GUESSED if facts.exact else OFF_BY_OTHER_TYPE
    why = f"For a text of {TEXT_TOKENS} tokens, by the speed of multiplying measured here."
    milliseconds = 1000 * TEXT_TOKENS * facts.multiplied / rate
    return None, milliseconds, max(off_by, round(speeds.spread, 2)), False, why


def _nearest(kind: str, speeds: Speeds) -> str:
    """The measured type whose weights take most nearly as many bits."""
    bits = BITS.get(kind, BITS["Q4_K"])
    return min(speeds.bytes_per_second, key=lambda other: abs(BITS.get(other, 16.0) - bits))
