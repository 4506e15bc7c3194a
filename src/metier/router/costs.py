"""Cost classes: what a person pays for an answer, in an order.

It knows the classes of DESIGN §2 (memory on this machine to the next step, a remote price to the
nearest factor of three) and how people write them; it measures nothing.
"""

from __future__ import annotations

import math
import re

from metier.card import Cost
from metier.errors import InputError

STEPS = (1, 4, 8, 16, 32)
"""GB of memory at which a class on this machine ends."""
_GB = 10**9
_HERE = re.compile(r"(?:this machine|here|local)?[ ,:]*(?:up to )?(\d{1,4}) ?GB", re.IGNORECASE)
_PRICED = re.compile(r"remote[ ,:]*(?:up to )?\$?(\d{1,6}(?:\.\d{1,6})?)", re.IGNORECASE)
_LAST_HERE = len(STEPS)
"""Rank of what takes more memory than the last step."""
_FREE = _LAST_HERE + 1
_PRICES = range(-6, 9)
"""Powers of three, times a unit of money per million tokens, that are told apart."""
_UNKNOWN = _FREE + len(_PRICES) + 1
"""Rank of a remote model without a known price: the dearest."""


def rank(cost: Cost) -> int:
    """Where a cost stands in the order of classes; 0 is the cheapest."""
    if cost.cost_class.startswith("remote") or cost.price_per_million_tokens is not None:
        return _rank_of_price(cost.price_per_million_tokens)
    size = (cost.size_bytes or 0) + (cost.shared_bytes or 0)
    return _rank_of_memory(size / _GB)


def class_name(cost: Cost) -> str:
    """The cost class as people read it and write it: ``4 GB``, ``remote 0.33``, ``remote``."""
    place = rank(cost)
    if place < _LAST_HERE:
        return f"{STEPS[place]} GB"
    if place == _LAST_HERE:
        return "this machine"
    if place == _UNKNOWN:
        return "remote"
    if place == _FREE:
        return "remote 0"
    return f"remote {3.0 ** _PRICES[place - _FREE - 1]:.2g}"


def most_rank(most_cost: str) -> int:
    """The rank that a budget allows: ``this machine``, ``8 GB``, ``remote``, ``remote 0.5``.

    Raises:
        InputError: It is no cost class (code ``bad_cost_class``).
    """
    said = most_cost.strip()
    if said.lower() in ("this machine", "here", "local"):
        return _LAST_HERE
    if said.lower() == "remote":
        return _UNKNOWN
    if match := _HERE.fullmatch(said):
        return _rank_of_memory(float(match.group(1)))
    if match := _PRICED.fullmatch(said):
        return _rank_of_price(float(match.group(1)))
    raise InputError(
        f"{most_cost[:80]!r} is not a cost class.",
        code="bad_cost_class",
        remedy="Write 'this machine', '8 GB' (memory on this machine), 'remote', or 'remote 0.5' "
        "(price per million tokens).",
    )


def _rank_of_memory(gigabytes: float) -> int:
    return next((place for place, most in enumerate(STEPS) if gigabytes <= most), _LAST_HERE)


def _rank_of_price(price: float | None) -> int:
    if price is None:
        return _UNKNOWN
    if price <= 0:
        return _FREE
    power = min(max(round(math.log(price, 3)), _PRICES[0]), _PRICES[-1])
    return _FREE + 1 + power - _PRICES[0]
