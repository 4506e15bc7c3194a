"""From options to the engine's sampling parameters, each said, so that none of its own decides.

It knows Ollama's defaults (they hold where neither caller nor model speaks) and the names that
llama.cpp's server gives to them; it knows no model.
"""

from __future__ import annotations

import math
from typing import Any, Final

from metier.errors import InputError
from metier.generating import Options

DEFAULTS: Final = Options(
    temperature=0.8,
    top_k=40,
    top_p=0.9,
    min_p=0.0,
    typical_p=1.0,
    repeat_last_n=64,
    repeat_penalty=1.0,
    presence_penalty=0.0,
    frequency_penalty=0.0,
    seed=-1,
    num_predict=-1,
    num_keep=0,
    stop=(),
)
_SAME_NAME: Final = (
    "temperature", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n", "repeat_penalty",
    "presence_penalty", "frequency_penalty",
)  # fmt: skip


def parameters(options: Options, context: int) -> dict[str, Any]:
    """What the server is sent for options in which everything but ``logit_bias`` is said.

    Args:
        options: The options.
        context: Tokens of the context: how far back a ``repeat_last_n`` below 0 looks.

    Raises:
        InputError: ``bad_options``: a number that is none.
    """
    numbers = {name: getattr(options, name) for name in _SAME_NAME}
    numbers |= {
        f"logit_bias of {token}": bias for token, bias in (options.logit_bias or {}).items()
    }
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise InputError(f"{name} is {number}, which is no number.", code="bad_options")
    sent: dict[str, Any] = {name: getattr(options, name) for name in _SAME_NAME}
    if sent["repeat_last_n"] < 0:
        sent["repeat_last_n"] = context
    sent["n_keep"] = options.num_keep
    sent["stop"] = list(options.stop or ())
    if options.seed is not None and options.seed >= 0:
        sent["seed"] = options.seed % (1 << 32)
    if options.logit_bias:
        sent["logit_bias"] = [[token, bias] for token, bias in options.logit_bias.items()]
    return sent
