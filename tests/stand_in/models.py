"""Models that say what a test tells them: they satisfy ``metier.generating.Models`` in memory.

A model is a name and what it can do; its answer is the words of the script, one piece each. Every
call is written down.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.generating import (
    Embedded,
    Loading,
    ModelDetails,
    ModelListing,
    ModelSheet,
    Order,
    Piece,
    Question,
    Ranked,
    RunningModel,
    Taken,
    TokenChance,
    Written,
)
from metier.messages import Progress
from metier.reference import Digest, Reference

UNSAID = Loading()
ALL = ("completion", "tools", "insert", "vision", "thinking")
TINY = ModelDetails("gguf", "llama", ("llama",), 247_500_000, "F16", 2048, 64)
TAKEN = Taken(1.5, 0.25, 0.5, 0.75, 7, 0, 3)


def listing(name: str, task: str = "generate", *capabilities: str) -> ModelListing:
    """A model as lists show it."""
    return ModelListing(
        name=name,
        digest=hashlib.sha256(name.encode()).hexdigest(),
        size_bytes=1000,
        modified="2026-11-01T10:00:00+00:00",
        task=task,
        details=TINY,
        capabilities=capabilities or ALL,
    )


@dataclass
class ScriptedModels:
    """Satisfies ``Models``.

    Attributes:
        script: What an answer says, piece by piece; an error among the pieces breaks it off.
        pause: Seconds before each piece.
        written: The end of every answer but its text.
        asked: Name, question, loading, keep_alive of every question.
        stopped: Questions that were cancelled.
        said_at: When each piece was handed over (``time.perf_counter``).
    """

    script: Iterable[Piece | MetierError] = (Piece("Hello"), Piece(" there"), Piece("."))
    pause: float = 0.0
    written: Written = field(default_factory=lambda: Written("", taken=TAKEN, context=(1, 2, 3)))
    here: dict[str, ModelListing] = field(default_factory=dict)
    asked: list[tuple[str, Question, Loading, float | None]] = field(default_factory=list)
    loaded: list[tuple[str, float | None, Loading]] = field(default_factory=list)
    in_memory: list[RunningModel] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    said_at: list[float] = field(default_factory=list)
    sheet_of: ModelSheet | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for one in (
            listing("tiny"),
            listing("plain", "generate", "completion"),
            listing("team/words:2", "embed", "embedding"),
            listing("spam", "classify", "classify"),
        ):
            self.here[one.name] = one

    def listings(self) -> Sequence[ModelListing]:
        return tuple(self.here.values())

    def listing(self, name: str) -> ModelListing:
        found = self.here.get(Reference.parse(name).familiar)
        if found is None:
            raise NotFoundError(f"There is no model {name!r}.", remedy="There is 'tiny'.")
        return found

    def sheet(self, name: str, *, verbose: bool = False) -> ModelSheet:
        found = self.listing(name)
        if self.sheet_of is not None:
            return replace(self.sheet_of, listing=found)
        return ModelSheet(listing=found, template="{{ .Prompt }}", template_language="go")

    def running(self) -> Sequence[RunningModel]:
        return self.in_memory

    def load(
        self, name: str, *, keep_alive: float | None = None, loading: Loading = UNSAID
    ) -> float:
        self.loaded.append((self.listing(name).name, keep_alive, loading))
        return 0.25

    def unload(self, name: str) -> bool:
        found = self.listing(name).name
        before = len(self.loaded)
        self.loaded = [one for one in self.loaded if one[0] != found]
        return len(self.loaded) < before

    def ask(
        self,
        name: str,
        question: Question,
        *,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        on_piece: Callable[[Piece], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Written:
        self.listing(name.partition("@")[0])
        with self.lock:
            self.asked.append((name, question, loading, keep_alive))
        said: list[Piece] = []
        for piece in self.script:
            time.sleep(self.pause)
            if cancelled is not None and cancelled():
                self.stopped.append(name)
                raise InputError("The question was cancelled.", code="cancelled")
            if isinstance(piece, MetierError):
                raise piece
            said.append(piece)
            if on_piece is not None:
                self.said_at.append(time.perf_counter())
                on_piece(piece)
        return replace(
            self.written,
            text="".join(piece.text for piece in said),
            thinking="".join(piece.thinking for piece in said),
            tool_calls=tuple(call for piece in said for call in piece.tool_calls),
            chances=tuple(chance for piece in said for chance in piece.chances),
        )

    def embed(
        self,
        name: str,
        texts: Sequence[str],
        *,
        truncate: bool = True,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Embedded:
        if self.listing(name).task != "embed":
            raise InputError(f"{name!r} does not embed.", code="no_capability")
        if not truncate and any(len(text) > 100 for text in texts):
            raise InputError("The text is too long.", code="prompt_too_long")
        vectors = tuple((float(len(text)), 3.0, 4.0) for text in texts)
        return Embedded(vectors, tokens=len(texts), taken=TAKEN)

    def rank(self, name: str, query: str, documents: Sequence[str]) -> Ranked:
        return Ranked(tuple((place, 0.0) for place in range(len(documents))), 0)

    def create(self, order: Order, *, report: Callable[[str], None]) -> ModelListing:
        if order.base is not None:
            self.listing(order.base)
        self.orders.append(order)
        report("reading the base")
        report("writing the model")
        made = listing(order.name)
        self.here[made.name] = made
        return made

    def copy(self, source: str, destination: str) -> None:
        found = self.listing(source)
        self.here[destination] = replace(found, name=destination)

    def remove(self, name: str) -> None:
        del self.here[self.listing(name).name]


def chance(token: str, logprob: float, *top: TokenChance) -> TokenChance:
    """A token and its log-probability."""
    return TokenChance(token, logprob, token.encode(), top)


class Shelf:
    """Blobs in a folder and pulls by script: the verbs of ``Keeping`` beside ``models``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pulls: list[str] = []
        self.stopped: list[str] = []
        self.progress: list[Progress | MetierError] = [
            Progress("pull", "pulling manifest"),
            Progress(
                "pull",
                "pulling aaaa",
                0.5,
                data={"digest": "sha256:aaaa", "total": 10, "completed": 5},
            ),
            Progress("pull", "verifying sha256 digest"),
        ]

    def pull(self, name: str, *, report: Any, cancelled: Callable[[], bool]) -> None:
        self.pulls.append(name)
        for one in self.progress:
            if isinstance(one, MetierError):
                raise one
            if cancelled():
                self.stopped.append(name)
                raise UnavailableError("The pull was cancelled.", code="cancelled")
            report(one)

    def has_blob(self, digest: Digest) -> bool:
        return (self.folder / digest.hex).exists()

    def blob_path(self, digest: Digest) -> Path:
        if not self.has_blob(digest):
            raise NotFoundError(f"There is no blob {digest}.", code="no_blob")
        return self.folder / digest.hex

    def put_blob(self, digest: Digest, chunks: Iterable[bytes]) -> bool:
        data = b"".join(chunks)
        if Digest.of(data) != digest:
            raise InputError("It has another digest.", code="digest_mismatch")
        (self.folder / digest.hex).write_bytes(data)
        return True
