"""The trial of adapters at start: does the base at hand answer each by its own distribution?

It plays the sequences in which llama.cpp's server is known to answer from another adapter's cache
(field evidence: ggml-org/llama.cpp#26207) and compares every answer with the same question asked
without any cache. It knows distributions and limits; it knows no pipe.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from metier.engines.llamacpp.plan import Plan
from metier.engines.llamacpp.serving import Served
from metier.errors import UnavailableError

MOST_NATS: Final = 0.2
"""How far a log-probability may lie from that without a cache: the cache's own rounding stays
below 0.05; an answer from another adapter's cache is off by whole nats."""
_MOST_TRIED: Final = 2  # adapters: the traps need no more
_COMPARED: Final = 16  # the likeliest tokens of each distribution
_LENGTH: Final = 6  # tokens of a prompt
Chances = dict[int, float]


class Trial:
    """Asks the base for single next tokens.

    Args:
        served: The base.
        size: Tokens in its vocabulary.
    """

    def __init__(self, served: Served, size: int) -> None:
        self._served = served
        plan = served.plan
        self._plan: Plan = plan
        tried = plan.adapters[:_MOST_TRIED]
        self._names = [digest for digest, _ in tried]
        first = max(size // 3, 1)
        self._prompts = [
            [(first + 7 * place + 3 * place * number) % first + 1 for place in range(_LENGTH)]
            for number in (1, 2)
        ]

    def run(self) -> None:
        """Play every sequence.

        Raises:
            UnavailableError: ``engine_failed``, naming the sequence and how far off it was.
        """
        if not self._names:
            return
        sequence = self._sequence()
        fresh = {step: self._next(*step, cached=False) for step in dict.fromkeys(sequence)}
        for place, step in enumerate(sequence):
            distance = apart(self._next(*step, cached=True), fresh[step])
            if not distance <= MOST_NATS:
                raise _wrong(sequence[: place + 1], distance)

    def _sequence(self) -> list[tuple[str, int]]:
        """Steps of adapter ("" for none) and prompt, each after the one before, in one slot."""
        first, second = self._names[0], self._names[-1]
        steps = [("", 0), (first, 0), ("", 0), (first, 0)]
        if first != second:
            steps += [(second, 1), (second, 0), (first, 1), (first, 0)]
        return steps

    def _next(self, name: str, number: int, *, cached: bool) -> Chances:
        """The likeliest next tokens and their log-probabilities."""
        body: dict[str, Any] = {
            "prompt": self._prompts[number],
            "n_predict": 1,
            "n_probs": 4 * _COMPARED,
            "temperature": 0.0,
            "cache_prompt": cached,
            "id_slot": 0,
            "ignore_eos": True,  # an answer that ends at once names no tokens
            "stream": False,  # else half a character is held back with its chances
        }
        if name or "short_list" not in self._plan.traps:
            body["lora"] = self._served.adapters({name: 1.0})
        found: Chances = {}

        def receive(chunk: dict[str, Any]) -> bool:
            logprobs = chunk["choices"][0].get("logprobs")
            if logprobs:
                for item in logprobs["content"][0]["top_logprobs"]:
                    found[int(item["id"])] = float(item["logprob"])
            return False

        self._served.complete(body, receive)
        return found


def apart(found: Chances, expected: Chances) -> float:
    """The largest distance between log-probabilities, over the tokens likeliest in either, nats.

    A token that one list lacks is at most as likely there as that list's last.
    """
    if not found or not expected:
        return math.inf
    worst = 0.0
    for one, other in ((found, expected), (expected, found)):
        floor = min(other.values())
        likeliest = sorted(one.items(), key=lambda item: -item[1])[:_COMPARED]
        for token, chance in likeliest:
            worst = max(worst, abs(chance - other[token]) if token in other else chance - floor)
    return worst


def _wrong(steps: Sequence[tuple[str, int]], distance: float) -> UnavailableError:
    played = [f"{name[:19] or 'no adapter'} on prompt {number + 1}" for name, number in steps]
    return UnavailableError(
        f"The engine mixes up adapters on this base: in the sequence [{', '.join(played)}] the last"
        f" answer was {distance:.2f} nats from its own; at most {MOST_NATS} are allowed.",
        code="engine_failed",
        remedy="Report it with the versions of Metier and xllamacpp.",
        details={"sequence": played, "nats": distance},
    )
