"""The shapes of local generation: what is asked of a model that writes, and what comes back.

They travel between the doors, the scheduler and the engine. A field that is ``None`` was not said
by the caller: the model's own parameters and then the engine's defaults decide. It knows no wire
dialect, no template and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Task = Literal["generate", "embed", "rerank"]
Role = Literal["system", "user", "assistant", "tool"]
TemplateLanguage = Literal["jinja", "go"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wants; ``arguments`` is an object, whatever a dialect makes of it."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with a model.

    Attributes:
        role: Who says it.
        text: What is said.
        thinking: What an assistant thought before it.
        pictures: Encoded image files (PNG, JPEG, WebP …) that belong to it.
        tool_calls: Calls that an assistant made.
        tool_name: Of a tool's answer: the tool.
        tool_call_id: Of a tool's answer: the call.
    """

    role: Role
    text: str
    thinking: str = ""
    pictures: tuple[bytes, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_name: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How to sample; names and meanings are Ollama's, which every dialect maps to.

    Attributes:
        temperature: 0 is greedy.
        top_k: Tokens considered; 0 for all.
        top_p: Nucleus.
        min_p: Least probability relative to the best token's.
        typical_p: Locally typical sampling; 1 is off.
        repeat_last_n: Tokens that the penalties look back; -1 for the context.
        repeat_penalty: 1 is off.
        presence_penalty: 0 is off.
        frequency_penalty: 0 is off.
        seed: -1 or ``None`` for a fresh one.
        num_predict: Tokens at most; -1 until the model ends.
        num_keep: Tokens kept at the front when the context shifts.
        stop: Texts that end the answer.
        logit_bias: Token to what is added to its logit.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    repeat_last_n: int | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    num_predict: int | None = None
    num_keep: int | None = None
    stop: tuple[str, ...] | None = None
    logit_bias: Mapping[int, float] | None = None

    def over(self, defaults: Options) -> Options:
        """These options, and ``defaults`` where they say nothing."""
        merged = {
            name: getattr(defaults, name) if getattr(self, name) is None else getattr(self, name)
            for name in self.__dataclass_fields__
        }
        return Options(**merged)


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded; ``None`` lets the scheduler size it from the model and the memory.

    Attributes:
        num_ctx: Tokens of context for one request.
        num_batch: Tokens processed at once.
        num_gpu: Layers on a graphics processor; -1 for what fits.
        main_gpu: Which one.
        use_mmap: Whether weights are mapped instead of read.
        num_thread: Threads.
        slots: Requests answered side by side, each with ``num_ctx`` tokens of its own.
    """

    num_ctx: int | None = None
    num_batch: int | None = None
    num_gpu: int | None = None
    main_gpu: int | None = None
    use_mmap: bool | None = None
    num_thread: int | None = None
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """What an answer must be: any JSON object, JSON of a schema, or text of a GBNF grammar."""

    kind: Literal["json", "schema", "grammar"]
    value: Any = None


@dataclass(frozen=True, slots=True)
class Question:
    """One request to a model that writes.

    Either ``messages`` (rendered by the model's template) or ``prompt`` (continued as it is;
    with ``suffix`` the middle is filled in by the model's own tokens).

    Attributes:
        messages: The conversation.
        prompt: Text to continue without a template.
        suffix: What follows the gap after ``prompt``.
        context: Tokens that stand before everything (what an earlier ``Written`` gave).
        template: Replaces the model's own template, in ``template_language``.
        template_language: Of ``template``.
        tools: Functions in OpenAI's shape: ``{"type": "function", "function": {…}}``.
        tool_choice: ``auto``, ``none``, ``required``, or the name of the tool that must be called.
        constraint: What the answer must be.
        think: Whether the model thinks first, or how hard (``low``, ``medium``, ``high``,
            ``max``); ``None`` leaves it to the model.
        options: How to sample.
        logprobs: Whether log-probabilities of the answer's tokens are wanted.
        top_logprobs: How many alternatives of each, 0 to 20.
        truncate: Whether a conversation that is too long may lose its oldest messages (the
            answer then says ``truncated``); else it is refused.
        shift: Whether the oldest half of the context may go when it is full while writing.
        cache_prompt: Whether the prompt may be taken from the cache.
    """

    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    suffix: str | None = None
    context: tuple[int, ...] = ()
    template: str | None = None
    template_language: TemplateLanguage = "go"
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str = "auto"
    constraint: Constraint | None = None
    think: bool | str | None = None
    options: Options = Options()
    logprobs: bool = False
    top_logprobs: int = 0
    truncate: bool = False
    shift: bool = False
    cache_prompt: bool = True


@dataclass(frozen=True, slots=True)
class TokenChance:
    """A token of the answer: its text and bytes, its natural log-probability, alternatives."""

    token: str
    logprob: float
    raw: bytes
    top: tuple[TokenChance, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer as it is written; any part may be empty."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    chances: tuple[TokenChance, ...] = ()


OnPiece = Callable[[Piece], None]
"""Receives an answer piece by piece; called in the thread that asked."""
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Taken:
    """What an answer took: seconds, and tokens.

    Attributes:
        total: Wall seconds from the question to the end.
        load: Seconds until the model was resident; 0 if it was.
        prompt: Seconds for the prompt.
        writing: Seconds for the answer.
        tokens_in: Tokens of the prompt, cached ones included.
        tokens_cached: Of those, taken from the prompt cache.
        tokens_out: Tokens of the answer.
    """

    total: float = 0.0
    load: float = 0.0
    prompt: float = 0.0
    writing: float = 0.0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A whole answer.

    Attributes:
        text: What was written, without thinking and calls.
        thinking: What was thought before.
        tool_calls: The calls it makes.
        chances: Log-probabilities of its tokens, if they were asked for.
        finish: ``stop`` or ``length``.
        truncated: Whether messages were left out of the prompt because it was too long.
        context: Tokens of prompt and answer, for ``Question.context``; empty if not known.
        taken: Time and tokens.
    """

    text: str
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    chances: tuple[TokenChance, ...] = ()
    finish: Literal["stop", "length"] = "stop"
    truncated: bool = False
    context: tuple[int, ...] = ()
    taken: Taken = Taken()


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of texts, in order, as the model pools them (not normalised), and what it took."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int
    truncated: bool = False
    taken: Taken = Taken()


@dataclass(frozen=True, slots=True)
class Ranked:
    """Documents by relevance, best first: place in what was given, and score."""

    order: tuple[tuple[int, float], ...]
    tokens: int


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
    cut, and ``cancelled`` when ``cancelled()`` became true.
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
    """

    name: str
    digest: str
    size_bytes: int
    modified: str
    task: str
    parent: str | None = None
    details: ModelDetails = ModelDetails()
    capabilities: tuple[str, ...] = ()


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
