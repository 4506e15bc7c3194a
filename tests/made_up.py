"""Made-up help-desk messages: a small labelled set that anybody can make again.

Each label has its own subjects and verbs, and some words are shared, so that a linear model does
well but not perfectly.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

SUBJECTS = {
    "delivery": ["parcel", "package", "delivery", "courier", "shipment", "box"],
    "payment": ["card", "payment", "invoice", "charge", "bill", "transfer"],
    "account": ["password", "login", "account", "profile", "email", "username"],
    "returns": ["refund", "return", "exchange", "receipt", "jacket", "size"],
}
SAID = {
    "delivery": ["has not arrived", "is late", "went to the wrong house", "was left outside"],
    "payment": ["was taken twice", "was declined", "is too high", "is not mine"],
    "account": ["does not work", "is locked", "must be changed", "was stolen"],
    "returns": ["does not fit", "should be sent back", "is broken", "is the wrong colour"],
}
OPENINGS = ["hello, my", "the", "please help, the", "why is it that my", "since monday my", "our"]
OUTSIDE = ["what is the weather in", "tell me a joke about", "who won the match in", "sing of"]
PLACES = ["paris", "the alps", "lima", "a bear", "my garden", "winter", "oslo", "the moon"]


def rows(per_label: int, *, seed: int = 0, noise: float = 0.05) -> list[dict[str, str]]:
    """``per_label`` different messages for each of four labels, a share of them mislabelled."""
    chance = random.Random(seed)
    made: list[dict[str, str]] = []
    for label, subjects in SUBJECTS.items():
        seen: set[str] = set()
        while len(seen) < per_label:
            text = " ".join(
                [chance.choice(OPENINGS), chance.choice(subjects), chance.choice(SAID[label])]
            )
            text += f" (order {chance.randrange(10_000)})"
            if text not in seen:
                seen.add(text)
                wrong = chance.random() < noise
                made.append({"text": text, "label": chance.choice(list(SAID)) if wrong else label})
    chance.shuffle(made)
    return made


def outside(number: int, *, seed: int = 0) -> list[dict[str, str]]:
    """Messages that belong to no label, labelled ``none``."""
    chance = random.Random(seed)
    return [
        {
            "text": f"{chance.choice(OUTSIDE)} {chance.choice(PLACES)} {chance.randrange(1000)}",
            "label": "none",
        }
        for _ in range(number)
    ]


def write(path: Path, content: list[dict[str, str]]) -> Path:
    """JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in content), "utf-8")
    return path
