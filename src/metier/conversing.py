"""The shapes of a conversation: turns, drafts, passages, and the trace of an answer.

It knows what travels between a searcher, a generating engine, the answer policy and the doors; it
knows no service, no prompt and no language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from metier.coding import Diagnostic, SourceFile


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation.

    ``extra`` keeps what a dialect sent besides (``tool_calls``, ``tool_call_id``, ``name``), so
    that an agent's loop passes through unharmed.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to generate; ``extra`` is handed to the engine as it is (``tools``, ``tool_choice``)."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """One generated answer and what it took.

    ``finish`` is ``stop``, ``length`` or ``tool_calls``; ``extra`` holds the message's tool calls.
    ``spent`` is money, ``None`` where no price is known.
    """

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    spent: float | None = None
    finish: str = "stop"
    extra: Mapping[str, Any] = field(default_factory=dict)


OnText = Callable[[str], None]
"""Receives pieces of text as they are generated."""


def base_of(text: str) -> str | Path:
    """What a person typed as base: a file if it looks like one, else a name.

    Only for what was typed on this machine: over HTTP a base is a name, never a file.
    """
    if text.endswith(".gguf") and not text.startswith(("remote:", "replay:")):
        return Path(text)
    return text


class Generator(Protocol):
    """A base that writes: a remote service, recorded answers, a local model."""

    @property
    def name(self) -> str:
        """``remote:NAME``, ``local:NAME``, ``replay:FILE``."""

    @property
    def digest(self) -> str:
        """``sha256:…`` of what determines its answers (a service: address, model, date)."""

    @property
    def servable(self) -> bool:
        """Whether it may answer people; recorded answers may not."""

    def generate(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: OnText | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Draft:
        """One draft; raises UnavailableError or InputError."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One chunk of a document pack.

    Attributes:
        id: Stable inside its pack (path and heading).
        text: Markdown.
        title: The document's title.
        trail: Headings from the document's title down to this section.
        path: The file inside its source.
        source: Where it came from (repository and commit, package and version, folder).
        address: Page on the web that shows it, or ``None``.
        version: Version of what is documented (``svelte@5``), or "".
        score: Of the search that found it; higher is better.
    """

    id: str
    text: str
    title: str
    trail: tuple[str, ...]
    path: str
    source: str
    address: str | None = None
    version: str = ""
    score: float = 0.0


class Searcher(Protocol):
    """A document pack that can be asked."""

    @property
    def name(self) -> str:
        """The pack's name, ``svelte-docs``."""

    @property
    def digest(self) -> str:
        """``sha256:…`` of its passages and its way of searching."""

    def search(self, query: str, *, top: int = 5) -> list[Passage]:
        """The best passages, best first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace: what was done, what came of it, what it took.

    ``kind`` is ``retrieve``, ``generate``, ``check``, ``repair``, ``choose`` or ``note``; ``data``
    is JSON-serialisable.
    """

    kind: str
    summary: str
    seconds: float = 0.0
    data: Mapping[str, Any] = field(default_factory=dict)


OnStep = Callable[[Step], None]
"""Receives the trace as it goes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its trace.

    Attributes:
        text: What the person reads.
        files: The code in it, as the tool extracted it.
        checked: Whether the chosen answer compiles; ``None`` without a tool.
        diagnostics: What is still wrong with it.
        passages: What was retrieved, as cited.
        trace: Every step.
        tokens_in: Of all candidates and repairs.
        tokens_out: Of all candidates and repairs.
        seconds: Wall seconds.
        spent: Money, or ``None`` where no price is known.
        base: Name of the base that wrote it, or ``None`` if none did.
        finish: ``stop``, ``length``, ``tool_calls`` or ``budget``.
        extra: The message's tool calls, if any.
    """

    text: str
    files: tuple[SourceFile, ...] = ()
    checked: bool | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    passages: tuple[Passage, ...] = ()
    trace: tuple[Step, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    spent: float | None = None
    base: str | None = None
    finish: str = "stop"
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to answer this once, where it differs from the specialist's own way.

    Attributes:
        candidates: Drafts at most, or ``None``: the specialist's own number.
        repairs: Rounds of repair by the base, or ``None``.
        documents: Whether documents are searched.
        tools: Whether answers are checked and repaired.
        first_draft: Stream the first draft at once, and the correction after it.
        tokens: Of all prompts, drafts and repairs together, or ``None``: no limit.
        seconds: Wall seconds, or ``None``: no limit.
    """

    candidates: int | None = None
    repairs: int | None = None
    documents: bool = True
    tools: bool = True
    first_draft: bool = False
    tokens: int | None = None
    seconds: float | None = None
