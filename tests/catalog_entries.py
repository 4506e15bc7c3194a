"""Small catalogues for tests: entries, evidence, and a library that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import Queue
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metier.card import Cost, Difference, Evidence, Interval, Score, Verdict
from metier.catalog.records import Fresh
from metier.catalog.stock import Library
from metier.catalog.words import terms
from metier.finding import Entry
from metier.reference import Digest

SYSTEM = "sha256:" + "1" * 64


def entry(name: str, **more: Any) -> Entry:
    """A model that chats, unless told otherwise."""
    return Entry.model_validate({"name": name, "kind": "model", "task": "chat", **more})


def evidence(
    verdict: Verdict = Verdict.WIN,
    *,
    against: str = "base",
    day: str = "2026-11-01",
    score: float = 0.9,
    system: str = SYSTEM,
    fingerprint: str = "sha256:" + "e" * 64,
    **more: Any,
) -> Evidence:
    """A paired comparison of 3,000 questions."""
    return Evidence.model_validate(
        {
            "against": against,
            "system": system,
            "system_name": "specialist",
            "rival": "sha256:" + "2" * 64,
            "rival_name": "rival",
            "eval_fingerprint": fingerprint,
            "score": scored(score),
            "rival_score": scored(0.7),
            "difference": Difference(
                verdict=verdict,
                difference=0.231,
                interval=Interval(low=0.214, high=0.248),
                n=3000,
                clusters=3000,
                discordant=900,
                method="paired",
            ),
            "date": day,
            "cost": Cost(),
            "rival_cost": Cost(),
            "command": "metier eval x",
            **more,
        }
    )


def scored(value: float) -> Score:
    """A score whose interval is a point to each side."""
    ends = Interval(low=value - 0.01, high=value + 0.01)
    return Score(metric="accuracy", value=value, interval=ends, n=3000, clusters=3000)


def library(folder: Path, *entries: Entry, origin: str = "acme") -> Library:
    """A library that holds one origin."""
    found = Library(folder)
    stamp = Digest.of(b"".join(one.to_bytes() for one in entries)).hex
    found.renew({origin: stamp}, lambda _: [Fresh(one) for one in entries], wait=True)
    return found


def build_one(folder: Path, number: int, done: Queue[int]) -> None:
    """In a process of its own: a library whose entries depend on ``number``; tells their count."""
    found = library(folder, *(entry(f"m{n}", description=f"word{number}") for n in range(60)))
    done.put(sum(one.count for one in found.volumes().values()))


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Texts to vectors of 64: words are hashed, and some pairs of words mean the same."""
    same = {"automobile": "car", "cars": "car", "feline": "cat"}
    found = np.zeros((len(texts), 64), np.float32)
    for row, text in enumerate(texts):
        for term in terms(text):
            word = same.get(term, term)
            found[row, sum(word.encode()) * 31 % 64] += 1.0
    return found
