"""Ollama's options, durations and levels of thinking: JSON values into Metier's.

Pure translation: no I/O, no framework. An option of the wrong type is refused by its name; one
that nobody knows is a warning; ``null`` means that it was not given.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from metier.errors import InputError
from metier.generating import Loading, Options

log = logging.getLogger("metier.ollama")

_SAMPLING: Mapping[str, str] = {
    "num_keep": "integer",
    "seed": "integer",
    "num_predict": "integer",
    "top_k": "integer",
    "top_p": "float32",
    "min_p": "float32",
    "typical_p": "float32",
    "repeat_last_n": "integer",
    "temperature": "float32",
    "repeat_penalty": "float32",
    "presence_penalty": "float32",
    "frequency_penalty": "float32",
    "stop": "array",
}
_LOADING: Mapping[str, str] = {
    "num_ctx": "integer",
    "num_batch": "integer",
    "num_gpu": "integer",
    "main_gpu": "integer",
    "use_mmap": "boolean",
    "num_thread": "integer",
}
_COUNTS = ("num_ctx", "num_batch", "num_thread")
_WITHOUT_EFFECT: Mapping[str, str] = {
    "draft_num_predict": "integer",
    "numa": "boolean",
    "low_vram": "boolean",
    "f16_kv": "boolean",
    "logits_all": "boolean",
    "vocab_only": "boolean",
    "use_mlock": "boolean",
    "embedding_only": "boolean",
    "tfs_z": "float32",
    "mirostat": "integer",
    "mirostat_tau": "float32",
    "mirostat_eta": "float32",
    "penalize_newline": "boolean",
}
KINDS: Mapping[str, str] = {**_SAMPLING, **_LOADING, **_WITHOUT_EFFECT}
"""Every option that Ollama has or had, and its type in Ollama's words."""
MOST = 2**31 - 1
LEVELS = ("high", "medium", "low", "max")

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_STEP = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"[+-]?(?:{_STEP.pattern}){{1,8}}")
_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,9})?)")


def options(value: Any) -> tuple[Options, Loading]:
    """The ``options`` of a request; raises InputError (``bad_options``) naming the wrong one."""
    given = checked(value, "options")
    sampling = {name: given[name] for name in _SAMPLING if name in given}
    loading = {name: given[name] for name in _LOADING if name in given}
    for name in _COUNTS:
        if loading.get(name, 1) < 0:
            raise wrong(f'option "{name}" is out of range', name)
        if loading.get(name) == 0:
            del loading[name]  # which is how Ollama's programs say "as you like"
    return Options(**sampling), Loading(**loading)


def checked(value: Any, field: str) -> dict[str, Any]:
    """The known options among ``value``, each of its type; raises InputError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(f"{field} must be an object", field)
    known = {}
    for name, one in value.items():
        kind = KINDS.get(name)
        if kind is None:
            log.warning("The option %.80r is not known and has no effect.", name)
        elif one is not None:
            if name in _WITHOUT_EFFECT:
                log.warning("The option %r has no effect here.", name)
            known[name] = _typed(name, one, kind)
    return known


def _typed(name: str, value: Any, kind: str) -> Any:
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "array" and isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise wrong(f'option "{name}" must be of an array of strings', name)
        return tuple(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and kind in ("integer", "float32"):
        if not math.isfinite(value) or abs(value) > MOST * (1 if kind == "integer" else 1e6):
            raise wrong(f'option "{name}" is out of range', name)
        return int(value) if kind == "integer" else float(value)
    raise wrong(f'option "{name}" must be of type {kind}', name)


def keep_alive(value: Any) -> float | None:
    """Seconds of ``keep_alive``: a number of seconds or ``5m``, ``1h30m``, ``-1``.

    Negative is for ever, 0 not at all, ``None`` the default; raises InputError.
    """
    if value is None:
        return None
    seconds: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str):
        seconds = _duration(value.strip())
    if seconds is None or not math.isfinite(seconds):
        raise wrong(
            f"keep_alive is {str(value)[:40]!r}; it is a number of seconds or a duration like "
            '"5m", "1h30m", "-1"',
            "keep_alive",
        )
    return -1.0 if seconds < 0 else min(seconds, float(2**31))


def _duration(text: str) -> float | None:
    if _PLAIN.fullmatch(text):
        return float(text)
    if not _DURATION.fullmatch(text):
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in _STEP.findall(text))
    return -total if text.startswith("-") else total


def think(value: Any) -> bool | str | None:
    """``think``: true, false or a level; raises InputError."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value in LEVELS:
        return value
    allowed = '"high", "medium", "low", "max", true, or false'
    if isinstance(value, str):
        raise wrong(f'invalid think value: "{value[:40]}" (must be {allowed})', "think")
    raise wrong(f"think must be a boolean or string ({allowed})", "think")


def wrong(message: str, param: str, code: str = "bad_options") -> InputError:
    """A field of a request that is wrong."""
    return InputError(message, code=code, details={"param": param})
