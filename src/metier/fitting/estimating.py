"""From facts of a model, this machine and measured speeds to an estimate: pure arithmetic.

Memory follows the scheduler's own rules. Writing a token reads every weight once, so its time is
the bytes of each tensor type over the speed measured for that type, and a constant; reading a text
is multiplication, so its time is that of its tokens. Source of both: the roofline model (Williams,
Waterman, Patterson, 2009); how far off it is: ``benchmarks/fit_estimate.py``.
"""

from __future__ import annotations

from dataclasses import replace

from metier.errors import UnavailableError
from metier.finding import Fit
from metier.fitting.facts import BITS
from metier.fitting.values import Here, ModelFacts, Speeds
from metier.generating import Loading
from metier.scheduler import sized
from metier.scheduler.sizing import LEAST_CONTEXT

TEXT_TOKENS = 24
"""Tokens of the text that the time of one answer is told for: a request of one sentence."""
OFF_BY_EXACT = 0.25
OFF_BY_GUESSED = 0.4
OFF_BY_OTHER_TYPE = 0.5
MEMORY_OFF_BY_EXACT = 0.1
MEMORY_OFF_BY_GUESSED = 0.35
_NO_END = 1 << 62


def estimate(facts: ModelFacts, here: Here, speeds: Speeds | None) -> Fit:
    """Whether a model runs here, with what memory and how fast.

    Args:
        facts: What is known of the model.
        here: What this machine gives now.
        speeds: What was measured here; ``None`` or another machine's: no speed is told.
    """
    if facts.engine == "remote":
        return Fit("yes", why="A remote service computes it; it takes no memory here.")
    if facts.shape is None and not facts.resident:
        why = facts.why_not or "Neither its size nor its number of parameters is known."
        return Fit("unknown", why=why, writes=facts.writes)
    fit = _memory(facts, here)
    if facts.why_not:
        return replace(fit, runs="unknown", lacking_bytes=0, why=facts.why_not)
    if fit.runs in ("yes", "tight"):
        return _with_speed(fit, facts, here, speeds)
    return fit


def valid(speeds: Speeds | None, here: Here) -> bool:
    """Whether measured speeds are those of this machine as it is: its class and its cores."""
    return speeds is not None and speeds.cpu_class == here.cpu_class and speeds.cores == here.cores


def _memory(facts: ModelFacts, here: Here) -> Fit:
    """Whether it fits, by the scheduler's own rules."""
    now, all_of_it = _taken(facts, here.room_now), _taken(facts, here.room)
    least = _least(facts)
    fit = Fit(
        "yes",
        now or all_of_it or least,
        least_bytes=least,
        memory_off_by=MEMORY_OFF_BY_EXACT if facts.exact else MEMORY_OFF_BY_GUESSED,
        writes=facts.writes,
    )
    if now:
        return fit
    if all_of_it:
        why = "It fits once other models leave memory, which they do by themselves."
        return replace(fit, runs="tight", why=why)
    why = "This machine has too little memory for it."
    if least <= here.memory_bytes:
        why = "Other programs hold memory that it would need, or METIER_MEMORY keeps it."
    return replace(fit, runs="no", lacking_bytes=max(least - here.room, 1), why=why)


def _taken(facts: ModelFacts, room: int) -> int | None:
    """Bytes that it would get, or ``None`` if it does not fit."""
    if facts.shape is None:
        return facts.resident if facts.resident <= room else None
    try:
        return sized(facts.shape, Loading(), room).needs.total
    except UnavailableError:
        return None


def _least(facts: ModelFacts) -> int:
    """Bytes with one request at a time and the least context: what the scheduler falls back to."""
    if facts.shape is None:
        return facts.resident
    shape = replace(facts.shape, slots=1)
    return sized(shape, Loading(num_ctx=LEAST_CONTEXT), _NO_END).needs.total


def _with_speed(fit: Fit, facts: ModelFacts, here: Here, speeds: Speeds | None) -> Fit:
    if facts.ms_per_text is not None and facts.measured_on == (here.processor, here.cores):
        why = "Measured on a machine like this one when it was made."
        return replace(fit, ms_per_text=facts.ms_per_text, measured=True, why=fit.why or why)
    if speeds is None or not valid(speeds, here):
        return fit
    if not facts.writes:
        return _reading(fit, facts, speeds)
    seconds, known = _token_seconds(facts, speeds)
    if seconds <= 0:
        return fit
    off_by = OFF_BY_EXACT if facts.exact else OFF_BY_GUESSED
    if not known:
        off_by = max(off_by, OFF_BY_OTHER_TYPE)
    why = "By the speed of weights measured here" + (
        "." if facts.exact else "; its layers are taken to be as usual for its size."
    )
    return replace(fit, tokens_per_second=1 / seconds, off_by=off_by, why=fit.why or why)


def _reading(fit: Fit, facts: ModelFacts, speeds: Speeds) -> Fit:
    """The time of one answer of a model that does not write: its text is multiplied once."""
    rate = speeds.encoder_per_second if facts.engine == "encoder" else speeds.multiplied_per_second
    if rate is None or not facts.multiplied:
        return fit
    milliseconds = 1000 * TEXT_TOKENS * facts.multiplied / rate
    why = f"For a text of {TEXT_TOKENS} tokens, by what was measured here."
    off_by = OFF_BY_EXACT if facts.exact else OFF_BY_GUESSED
    return replace(fit, ms_per_text=milliseconds, off_by=off_by, why=fit.why or why)


def _token_seconds(facts: ModelFacts, speeds: Speeds) -> tuple[float, bool]:
    """Seconds of one token, and whether every large tensor's type was measured."""
    if not speeds.bytes_per_second:
        return 0.0, False
    seconds, known = speeds.token_seconds, True
    whole = sum(facts.read.values())
    for kind, count in facts.read.items():
        rate = speeds.bytes_per_second.get(kind)
        if rate is None:
            rate = speeds.bytes_per_second[_nearest(kind, speeds)]
            known = known and count < whole / 20
        seconds += count / rate
    return seconds, known


def _nearest(kind: str, speeds: Speeds) -> str:
    """The measured type whose weights take most nearly as many bits."""
    bits = BITS.get(kind, BITS["Q4_K"])
    return min(speeds.bytes_per_second, key=lambda other: abs(BITS.get(other, 16.0) - bits))
