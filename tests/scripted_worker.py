"""Workers in this process that say what they are told to, and a clock that a test moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from metier.errors import UnavailableError
from metier.generating import (
    AdapterWeights,
    Cancelled,
    Embedded,
    Loading,
    OnPiece,
    Piece,
    Question,
    Ranked,
    Residence,
    Taken,
    Task,
    Voice,
    Weights,
    Written,
)


def residence(
    base: str = "a", *adapters: str, num_ctx: int | None = None, task: Task = "generate"
) -> Residence:
    """A residence whose files are nowhere."""
    return Residence(
        weights=Weights(base, (Path(f"{base}.gguf"),)),
        adapters=tuple(AdapterWeights(name, Path(f"{name}.gguf")) for name in adapters),
        task=task,
        loading=Loading(num_ctx=num_ctx),
    )


@dataclass(eq=False)
class ScriptedWorker:
    """Echoes the last message in three pieces; ``die`` ends it as a crash would."""

    residence: Residence
    pause: float = 0.0
    killed: bool = False
    closed: bool = False
    lives: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[Question, Voice]] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return not (self.killed or self.closed)

    @property
    def context(self) -> int:
        return self.residence.loading.num_ctx or 4096

    @property
    def memory_bytes(self) -> int:
        return 1000

    def die(self) -> None:
        self.killed = True
        self.lives.set()

    def close(self) -> None:
        self.closed = True
        self.lives.set()

    def ask(
        self,
        question: Question,
        voice: Voice,
        *,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        self._answering()
        self.asked.append((question, voice))
        said = question.messages[-1].text if question.messages else question.prompt or ""
        pieces = ["You said: ", said, "."]
        for piece in pieces:
            self._answering()
            if on_piece is not None:
                on_piece(Piece(text=piece))
        taken = Taken(total=0.01, tokens_in=len(said), tokens_out=3)
        return Written(text="".join(pieces), taken=taken)

    def embed(
        self, texts: Sequence[str], *, truncate: bool = True, cancelled: Cancelled | None = None
    ) -> Embedded:
        self._answering()
        self.embedded.extend(texts)
        vectors = tuple((float(len(text)), 1.0, float(text.count("a"))) for text in texts)
        return Embedded(vectors, sum(map(len, texts)))

    def rank(
        self, query: str, documents: Sequence[str], *, cancelled: Cancelled | None = None
    ) -> Ranked:
        self._answering()
        order = sorted(range(len(documents)), key=lambda place: -len(documents[place]))
        return Ranked(tuple((place, float(len(documents[place]))) for place in order), 1)

    def tokens(self, text: str) -> tuple[int, ...]:
        return tuple(text.encode())

    def _answering(self) -> None:
        if self.lives.wait(self.pause) or not self.alive:
            raise UnavailableError(
                "The process ended while it was answering.", code="engine_ended", retryable=True
            )


@dataclass
class Workshop:
    """Opens scripted workers and keeps account: who lives, and whether two loads ever met."""

    delay: float = 0.0
    pause: float = 0.0
    failures: list[Exception] = field(default_factory=list)
    gate: threading.Event | None = None
    opened: list[ScriptedWorker] = field(default_factory=list)
    loading: dict[tuple[str, str], int] = field(default_factory=dict)
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, wanted: Residence) -> ScriptedWorker:
        key = (wanted.weights.digest, wanted.task)
        with self.lock:
            self.loading[key] = self.loading.get(key, 0) + 1
            self.most_at_once = max(self.most_at_once, self.loading[key])
        try:
            if self.gate is not None:
                assert self.gate.wait(10)
            if self.delay:
                time.sleep(self.delay)
            if self.failures:
                raise self.failures.pop(0)
            worker = ScriptedWorker(wanted, self.pause)
            with self.lock:
                self.opened.append(worker)
            return worker
        finally:
            with self.lock:
                self.loading[key] -= 1

    @property
    def alive(self) -> list[str]:
        with self.lock:
            return sorted(w.residence.weights.digest for w in self.opened if w.alive)


class MovedClock:
    """A clock that stands until ``move``; waits end when something changes or it is moved."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._conditions: set[threading.Condition] = set()

    def now(self) -> float:
        return self._now

    def unix(self) -> float:
        return self._now + 1_000_000

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        self._conditions.add(condition)
        condition.wait(10)

    def move(self, seconds: float) -> None:
        self._now += seconds
        for condition in list(self._conditions):
            with condition:
                condition.notify_all()


def until(told: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.002)
