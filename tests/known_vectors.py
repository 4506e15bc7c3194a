"""An encoder whose vectors the test writes itself, and the climb of a small task over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from metier.card import BaseReference
from metier.datasets.splitting import folds
from metier.errors import NotFoundError
from metier.making.climbing import Climb, Task
from metier.making.clock import Clock
from metier.making.encoders import Bases
from metier.messages import Encoder, Progress


class KnownVectors:
    """``vector(text)`` gives the unscaled vector of a text; calls are counted."""

    def __init__(
        self, name: str, vector: Callable[[str], Sequence[float]], size_bytes: int = 1000
    ) -> None:
        self.name = name
        self.digest = "sha256:" + name.encode().hex().ljust(64, "0")[:64]
        self.dimension = len(vector("x"))
        self.size_bytes = size_bytes
        self.asked: list[list[str]] = []
        self._vector = vector

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.append(list(texts))
        rows = np.array([self._vector(text) for text in texts], np.float32)
        rows = rows.reshape(len(texts), self.dimension)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def task(number: int = 120, labels: int = 2, seed: int = 0) -> Task:
    """Texts ``c2 17``: the class, then a number of its own."""
    classes = np.arange(number) % labels
    return Task(
        texts=tuple(f"c{kind} {row}" for row, kind in enumerate(classes.tolist())),
        classes=classes.astype(np.int64),
        clusters=np.arange(number),
        folds=folds([str(kind) for kind in classes], None, 5, seed),
        labels=labels,
        seed=seed,
    )


def telling(text: str) -> Sequence[float]:
    """A vector that gives the class away."""
    return [1.0 + int(text[1]), 3.0 - int(text[1]), 0.5] if text[:1] == "c" else [0.0, 0.0, 1.0]


def blind(_text: str) -> Sequence[float]:
    """A vector that says nothing."""
    return [1.0, 1.0, 1.0]


def climb(of: Task, *, clock: Clock | None = None, heard: list[Progress] | None = None) -> Climb:
    """A climb that reports into ``heard``."""
    return Climb(of, clock or Clock(), (heard if heard is not None else []).append, workers=1)


def bases(views: dict[str, Encoder], *, clock: Clock | None = None, **choices: Any) -> Bases:
    """A base with these views."""

    def open_view(view: str) -> Encoder:
        if view not in views:
            raise NotFoundError(f"The base has no {view} view.")
        return views[view]

    reference = choices.get("reference", BaseReference(name="known", digest="sha256:" + "1" * 64))
    return Bases(reference, open_view, choices.get("report", lambda _: None), clock or Clock())
