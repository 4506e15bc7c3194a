"""What this machine gives to models, in words: instructions, accelerators, measured speeds, fit.

It lays out what ``metier.fitting`` found; it measures nothing by itself.
"""

from __future__ import annotations

from typing import Any, Literal

from metier.assembly import Metier
from metier.cli.wording import date, duration, size
from metier.engines.llamacpp.devices import build, devices
from metier.finding import Fit
from metier.fitting import Speeds, accelerators, valid

Row = tuple[str, Literal["here", "missing"], str, str | None]
_COMMAND = "metier doctor --measure"
_BUSY = 0.5


def machine_rows(metier: Metier) -> list[Row]:
    """Name, state, what was found, and what to do: instructions, accelerators and speeds."""
    return [_instructions(metier), _accelerators(), _speeds(metier)]


def speeds_lines(speeds: Speeds) -> list[str]:
    """What was measured, a line for each kind."""
    lines = [f"measured {date(speeds.date)} in {duration(speeds.seconds)} with {speeds.engine}"]
    if speeds.bytes_per_second:
        rates = ", ".join(
            f"{kind} {size(rate)}/s" for kind, rate in speeds.bytes_per_second.items()
        )
        lines.append(f"weights read while writing: {rates}")
        shown = 1e9 / speeds.bytes_per_second.get("Q4_K", max(speeds.bytes_per_second.values()))
        rate = 1 / shown
        said = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
        lines.append(f"so 1 GB of weights (Q4_K) writes about {said} tokens/s")
    if speeds.ms_per_text:
        lines.append(f"specialists asked themselves: {len(speeds.ms_per_text)}")
    if speeds.busy > _BUSY:
        lines.append(
            f"the machine had other work ({speeds.busy:.1f} processes for each core), so it may be "
            "faster: measure again when it is quiet"
        )
    return lines


def fit_words(fit: Fit) -> str:
    """The chip and what it rests on, for ``show``."""
    least = ""
    if fit.runs in ("yes", "tight") and fit.least_bytes < fit.memory_bytes:
        least = f"; at the least {size(fit.least_bytes)}"
    return f"{fit.said}{least}"


def fit_document(fit: Fit) -> dict[str, Any]:
    """What ``--json`` adds."""
    return {"fit": fit.to_dict()}


def _instructions(metier: Metier) -> Row:
    here = metier.fitting.here()
    told = f"{here.cpu_class}; models may take {size(here.room)} of memory together"
    return "instructions", "here", told, None


def _accelerators() -> Row:
    found, used = accelerators(), devices()
    if not found:
        return "accelerators", "here", "none; models compute on the processor", None
    named = ", ".join(
        f"{one.name} ({size(one.memory_bytes)})" if one.memory_bytes else one.name for one in found
    )
    if used:
        return "accelerators", "here", f"{named}; the engine uses {', '.join(used)}", None
    told = f"{named}; not used: {build() or 'the engine'} is built for processors only"
    return "accelerators", "here", told, None


def _speeds(metier: Metier) -> Row:
    speeds = metier.fitting.speeds()
    if speeds is None:
        return "speed", "missing", "not measured here; memory is estimated without it", _COMMAND
    if not valid(speeds, metier.fitting.here()):
        told = f"measured {date(speeds.date)} on another kind of machine ({speeds.cpu_class})"
        return "speed", "missing", told, _COMMAND
    return "speed", "here", "; ".join(speeds_lines(speeds)), None
