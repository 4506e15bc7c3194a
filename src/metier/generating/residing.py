"""What is in memory: what a worker is started for, and who keeps it.

It knows the protocols of a worker and of the scheduler; it starts no process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from metier.generating.asking import Cancelled, Loading, Options, Question, TemplateLanguage
from metier.generating.written import Embedded, OnPiece, Ranked, Written

Task = Literal["generate", "embed", "rerank"]


@dataclass(frozen=True, slots=True)
class Weights:
    """The files of a base as an engine loads them.

    Attributes:
        digest: Of the base: over its weights and projector; an adapter is bound to it.
        files: GGUF files, the first shard first.
        projector: GGUF of the part that sees pictures, or ``None``.
    """

    digest: str
    files: tuple[Path, ...]
    projector: Path | None = None


@dataclass(frozen=True, slots=True)
class AdapterWeights:
    """A GGUF LoRA adapter: its digest, by which requests name it, and its file."""

    digest: str
    file: Path


@dataclass(frozen=True, slots=True)
class Residence:
    """What one worker is started for: the key under which a scheduler keeps it.

    Attributes:
        weights: The base.
        adapters: Every adapter that may be asked for without a reload.
        task: A worker writes, embeds or ranks.
        loading: How it is loaded.
    """

    weights: Weights
    adapters: tuple[AdapterWeights, ...] = ()
    task: Task = "generate"
    loading: Loading = Loading()


@dataclass(frozen=True, slots=True)
class Voice:
    """How one model speaks over its base: what a request is rendered and sampled with.

    Attributes:
        adapters: Digest of each adapter that is on to its scale.
        template: The model's own template, or ``None``: the one in the base's GGUF.
        template_language: Of ``template``.
        options: The model's own sampling parameters.
    """

    adapters: Mapping[str, float] = field(default_factory=dict)
    template: str | None = None
    template_language: TemplateLanguage = "jinja"
    options: Options = Options()


class Worker(Protocol):
    """One base in a process of its own; threads share it, requests are batched.

    Every call raises UnavailableError with code ``engine_ended`` (retryable) within a second when
    the process dies, ``prompt_too_long`` (InputError) when a prompt does not fit and may not be
    cut, and ``cancelled`` (InputError) when ``cancelled()`` became true.
    """

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""

    @property
    def context(self) -> int:
        """Tokens of context for one request."""

    @property
    def memory_bytes(self) -> int:
        """What it holds in memory now (proportional share of mapped files)."""

    def ask(
        self,
        question: Question,
        voice: Voice,
        *,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """Answer one question."""

    def embed(
        self, texts: Sequence[str], *, truncate: bool = True, cancelled: Cancelled | None = None
    ) -> Embedded:
        """Vectors of texts."""

    def rank(
        self, query: str, documents: Sequence[str], *, cancelled: Cancelled | None = None
    ) -> Ranked:
        """Documents by relevance to a query."""

    def tokens(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, special tokens of the vocabulary recognised."""

    def close(self) -> None:
        """End the process; questions in flight fail with ``engine_ended``."""


OpenWorker = Callable[[Residence], Worker]
"""Starts a worker and returns when it answers; raises UnavailableError (``engine_failed``, with
the engine's own words) or InputError (``bad_gguf``, ``wrong_base``, ``no_memory``)."""


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory.

    Attributes:
        residence: What was loaded.
        memory_bytes: What it holds.
        context: Tokens of context for one request.
        names: Models that were asked of it, the latest first.
        users: Requests that it is answering.
        expires: Unix seconds when it will be unloaded if nobody asks; ``None``: never.
        loaded: Unix seconds when it was loaded.
        voice_of: Name to the digests of the adapters it uses.
        stays: Name to when that name is over, as ``expires``, which is the latest of them.
    """

    residence: Residence
    memory_bytes: int
    context: int
    names: tuple[str, ...]
    users: int
    expires: float | None
    loaded: float
    voice_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stays: Mapping[str, float | None] = field(default_factory=dict)


class Lease(Protocol):
    """A worker that will not be evicted while it is held."""

    @property
    def worker(self) -> Worker:
        """The worker."""

    @property
    def load_seconds(self) -> float:
        """How long the caller waited for it to load; 0 if it was resident."""


class Scheduler(Protocol):
    """What is resident; threads share it."""

    def use(
        self,
        residence: Residence,
        *,
        name: str,
        keep_alive: float | None = None,
        cancelled: Cancelled | None = None,
    ) -> AbstractContextManager[Lease]:
        """A worker for ``residence``, loaded if it is not.

        Args:
            residence: What is wanted. A resident worker that already serves it is taken.
            name: The model that asks, for ``residents``.
            keep_alive: Seconds that it stays after the last use; negative for ever, 0 not at
                all; ``None`` is the default of five minutes.
            cancelled: Gives up waiting.

        Raises:
            UnavailableError: ``queue_full`` (too many wait), or what opening raised.
        """

    def residents(self) -> Sequence[Resident]:
        """Everything in memory, the longest-lived first."""

    def unload(self, name: str) -> bool:
        """Let the model of this name go once it answers nobody; whether it was there."""
