"""Whether decisions stay when a text is written otherwise, and whether pictures reach who sees.

Used by ``routing.py``. A decision counts as kept if the same one answers, or if the router
abstains to the general model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from metier.router import Router, request_of_text
from metier.router.tongues import language_of
from metier.routing import Candidate

QUESTIONS = 1_000
CHANGED = 0.1
_BEFORE = ("Hello, could you please help me with this? ", "Hi there! ", "Please: ")
_AFTER = (" Thank you very much!", " Thanks in advance.", " please")
_BEFORE_CHINESE = ("你好，请帮我回答这个问题。", "请问：", "麻烦您看一下：")
_AFTER_CHINESE = ("谢谢！", "非常感谢。", "拜托了")
_LETTERS = "abcdefghijklmnopqrstuvwxyz "


def steadiness(
    router: Router, candidates: tuple[Candidate, ...], texts: list[str], seed: int
) -> dict[str, Any]:
    """Share of decisions that are kept or become an abstention, for each way of writing."""
    random = np.random.default_rng(seed)
    drawn = [texts[place] for place in random.choice(len(texts), QUESTIONS, replace=False)]
    general = next(one.name for one in candidates if one.general)
    before = [router.decide(request_of_text(text), candidates).chosen for text in drawn]
    ways = {
        "10 % of characters changed": [mistyped(text, random) for text in drawn],
        "upper case": [text.upper() for text in drawn],
        "lower case": [text.lower() for text in drawn],
        "spaces doubled": [text.replace(" ", "  ") for text in drawn],
        "line ends to spaces": [" ".join(text.split()) for text in drawn],
        "courtesies": [polite(text, random) for text in drawn],
    }
    found: dict[str, Any] = {}
    for name, changed in ways.items():
        after = [router.decide(request_of_text(text), candidates).chosen for text in changed]
        pairs = list(zip(before, after, strict=True))
        found[name] = {
            "same or abstains": np.mean([new in (old, general) for old, new in pairs]).item(),
            "same": np.mean([new == old for old, new in pairs]).item(),
        }
    return found


def mistyped(text: str, random: np.random.Generator) -> str:
    """A tenth of the characters replaced, dropped, doubled or swapped with the next one."""
    letters = list(text)
    number = round(CHANGED * len(letters))
    for place in random.choice(len(letters), number, replace=False).tolist():
        way = int(random.integers(4))
        if way == 0:
            letters[place] = _LETTERS[int(random.integers(len(_LETTERS)))]
        elif way == 1:
            letters[place] = ""
        elif way == 2:
            letters[place] *= 2
        elif place + 1 < len(letters):
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def polite(text: str, random: np.random.Generator) -> str:
    """With words of courtesy in its language before and after it."""
    chinese = not text.isascii() and language_of(text) == "zh"
    befores, afters = (_BEFORE_CHINESE, _AFTER_CHINESE) if chinese else (_BEFORE, _AFTER)
    before = befores[int(random.integers(len(befores)))]
    return before + text + afters[int(random.integers(len(afters)))]


def pictures(
    router: Router, candidates: tuple[Candidate, ...], texts: list[str], seed: int
) -> dict[str, Any]:
    """Where requests with a picture go, with one general model that sees and with none."""
    random = np.random.default_rng(seed + 1)
    drawn = [texts[place] for place in random.choice(len(texts), QUESTIONS, replace=False)]
    seeing = Candidate("eyes", "sha256:eyes", "generate", general=True, sees=True)
    requests = [replace(request_of_text(text), pictures=1) for text in drawn]
    with_eyes = [router.decide(one, (*candidates, seeing)).chosen for one in requests]
    without = [router.decide(one, candidates).ground for one in requests]
    return {
        "to what sees": np.mean([one == "eyes" for one in with_eyes]).item(),
        "nobody, where nobody sees": np.mean([one == "nobody" for one in without]).item(),
    }
