"""What is asked of a model that writes.

A field that is ``None`` was not said by the caller: the model's own parameters and then the
engine's defaults decide. It knows no wire dialect, no template and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

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


Cancelled = Callable[[], bool]
