"""Models by name: what every dialect lists and shows of them, and all that can be done.

It knows values and the protocol that doors speak; it reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from metier.generating.asking import Cancelled, Loading, Message, Question, TemplateLanguage
from metier.generating.written import Embedded, OnPiece, Ranked, Written


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What a GGUF header says of a model, as people list it.

    Attributes:
        format: ``gguf``, ``onnx``, ``safetensors`` or "".
        family: Architecture: ``llama``, ``qwen2``.
        parameters: Number of parameters, 0 if not known.
        quantization: ``F16``, ``Q8_0``, ``Q4_K_M`` or "".
        context_length: Tokens that the model was trained for, 0 if not known.
        embedding_length: Width, 0 if not known.
    """

    format: str = "gguf"
    family: str = ""
    families: tuple[str, ...] = ()
    parameters: int = 0
    quantization: str = ""
    context_length: int = 0
    embedding_length: int = 0


@dataclass(frozen=True, slots=True)
class ModelListing:
    """One model by name, as every dialect lists it.

    Attributes:
        name: As people write it, with its tag only if that is not ``latest``.
        digest: 64 hexadecimal digits of its manifest; stable.
        size_bytes: Bytes of its parts.
        modified: ISO 8601, UTC.
        task: ``generate``, ``embed``, ``rerank``, or a specialist's ``chat``, ``classify``,
            ``search``.
        parent: Name of its base, or ``None``.
        details: What its weights are.
        capabilities: ``completion``, ``tools``, ``insert``, ``vision``, ``embedding``,
            ``thinking``; a specialist's own task for those that do not write.
        settings: Names of the parameters that the model sets itself.
    """

    name: str
    digest: str
    size_bytes: int
    modified: str
    task: str
    parent: str | None = None
    details: ModelDetails = ModelDetails()
    capabilities: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSheet:
    """Everything about one model.

    Attributes:
        listing: As in a list.
        licences: Their texts.
        system: The system prompt, or "".
        template: The template's text, or "".
        template_language: Of ``template``.
        parameters: The model's own parameters, in Ollama's names; ``stop`` is a list.
        messages: The model's own opening messages.
        modelfile: A Modelfile that makes it again.
        metadata: The GGUF header's keys; never empty, long lists left out unless asked for.
        projector: The projector's keys, or empty.
        tensors: Name, type and shape of each tensor, if asked for.
        context: Tokens of context that it would get (or has) here.
        memory_bytes: What it would need, roughly, at that context.
        proofs: Sentences of evidence, if it has a card.
    """

    listing: ModelListing
    licences: tuple[str, ...] = ()
    system: str = ""
    template: str = ""
    template_language: TemplateLanguage = "jinja"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    modelfile: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    projector: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    context: int = 0
    memory_bytes: int = 0
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunningModel:
    """One model in memory, by name, as ``ps`` shows it; fields as in ``Resident``."""

    listing: ModelListing
    memory_bytes: int
    context: int
    expires: float | None
    users: int = 0
    gpu_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """How to make a model from another: what a Modelfile says, its files already found.

    Attributes:
        name: What it will be called.
        base: Name of an installed model, or ``None`` if ``weights`` are given.
        weights: File name to file: GGUF (shards, projector), or a Hugging Face folder's files.
        adapters: File name to file: GGUF, or a PEFT folder's ``adapter_config.json`` and
            ``adapter_model.safetensors``.
        template: Replaces the base's.
        template_language: Of ``template``.
        system: Replaces the base's.
        parameters: Over the base's, in Ollama's names.
        messages: Replace the base's.
        licences: Replace the base's.
        quantize: ``f16`` or ``q8_0`` for files that are converted, or ``None``.
    """

    name: str
    base: str | None = None
    weights: Mapping[str, Path] = field(default_factory=dict)
    adapters: Mapping[str, Path] = field(default_factory=dict)
    template: str | None = None
    template_language: TemplateLanguage | None = None
    system: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] | None = None
    licences: tuple[str, ...] | None = None
    quantize: str | None = None


class Models(Protocol):
    """Everything that the doors do with models by name; thread-safe.

    Names are Ollama's: ``[host/][namespace/]model[:tag]``. Every method that takes a name raises
    NotFoundError with near names, and InputError (``bad_name``).
    """

    def listings(self) -> Sequence[ModelListing]:
        """Every model, specialist and encoder that is here, the latest first."""

    def listing(self, name: str) -> ModelListing:
        """One of them."""

    def sheet(self, name: str, *, verbose: bool = False) -> ModelSheet:
        """Everything about one; with ``verbose`` the long lists and the tensors too."""

    def running(self) -> Sequence[RunningModel]:
        """What is in memory, the longest-lived first."""

    def load(
        self, name: str, *, keep_alive: float | None = None, loading: Loading = Loading()
    ) -> float:
        """Bring one into memory; returns the seconds it took."""

    def unload(self, name: str) -> bool:
        """Let one go; whether it was in memory."""

    def ask(
        self,
        name: str,
        question: Question,
        *,
        loading: Loading = Loading(),
        keep_alive: float | None = None,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """Answer a question; a chat specialist answers through its documents and tools.

        Raises:
            InputError: ``no_capability`` (it does not write, see, call tools, fill in or think),
                ``prompt_too_long``, ``bad_options``, ``bad_template``, ``bad_grammar``.
            UnavailableError: ``queue_full``, ``engine_failed``, ``engine_ended``, ``no_memory``.
        """

    def embed(
        self,
        name: str,
        texts: Sequence[str],
        *,
        truncate: bool = True,
        loading: Loading = Loading(),
        keep_alive: float | None = None,
        cancelled: Cancelled | None = None,
    ) -> Embedded:
        """Vectors of texts; raises InputError (``no_capability``, ``prompt_too_long``)."""

    def rank(self, name: str, query: str, documents: Sequence[str]) -> Ranked:
        """Documents by relevance: by a reranker, or by the cosine of an embedding model."""

    def create(self, order: Order, *, report: Callable[[str], None]) -> ModelListing:
        """Make a model and name it, all or nothing; ``report`` gets a sentence for each stage."""

    def copy(self, source: str, destination: str) -> None:
        """Give a model a second name."""

    def remove(self, name: str) -> None:
        """Remove a name; a model in memory is let go."""
