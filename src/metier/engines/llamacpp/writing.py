"""One answer inside the worker: from a question to tokens, and from chunks to pieces.

It knows how prompts of each kind become tokens, how long an answer may get, and how chunks become
pieces and an answer. It knows no pipe and no parameter of the library's loading.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from metier.engines.llamacpp.sampling import DEFAULTS, parameters
from metier.engines.llamacpp.serving import Served, too_long
from metier.engines.llamacpp.vocabulary import Vocabulary
from metier.errors import InputError
from metier.generating import (
    Options,
    Piece,
    Question,
    Taken,
    TokenChance,
    ToolCall,
    Voice,
    Written,
)

_CONTEXTS: Final = 10  # contexts that an endless answer may fill by shifting
OnPiece = Callable[[Piece], None]
Stopping = Callable[[], bool]


@dataclass(slots=True)
class _Answer:
    """What has arrived of an answer."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    chances: list[TokenChance] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    finish: str = "stop"
    taken: Taken = field(default_factory=Taken)

    def add(self, piece: Piece) -> None:
        self.text.append(piece.text)
        self.thinking.append(piece.thinking)
        self.calls += piece.tool_calls
        self.chances += piece.chances


class Writer:
    """Answers questions over one loaded base; threads share it.

    Args:
        served: The base.
        vocabulary: Its vocabulary.
    """

    def __init__(self, served: Served, vocabulary: Vocabulary) -> None:
        self._served = served
        self._vocabulary = vocabulary

    def write(
        self, question: Question, voice: Voice, on_piece: OnPiece | None, stopping: Stopping
    ) -> Written:
        """Answer one question; ``stopping`` is asked with each token.

        Raises:
            InputError: ``prompt_too_long``, ``no_capability``, ``bad_template``, ``bad_grammar``.
            UnavailableError: ``engine_failed``.
        """
        began = time.perf_counter()
        options = question.options.over(voice.options).over(DEFAULTS)
        tokens = self._prompt(question)
        room = self._served.context - len(tokens)
        if room < 1:
            raise too_long(len(tokens), self._served.context)
        body = {
            **parameters(options),
            **_constraint(question),
            "prompt": tokens,
            "n_predict": _most(options, room, self._served.context, shift=question.shift),
            "cache_prompt": question.cache_prompt,
            "lora": self._served.adapters(voice.adapters),
            "return_tokens": True,
            "verbose": True,
        }
        if question.logprobs:
            body["n_probs"] = max(question.top_logprobs, 1)
        answer = _Answer()
        parser = _Plain()

        def receive(chunk: dict[str, Any]) -> bool:
            choice = chunk["choices"][0]
            answer.tokens += chunk.get("__verbose", {}).get("tokens", ())
            chances = _chances(choice.get("logprobs"), question.top_logprobs)
            for piece in parser.feed(choice["text"]):
                _pass(answer, piece, on_piece)
            if chances:
                _pass(answer, Piece(chances=chances), on_piece)
            if choice["finish_reason"] is not None:
                answer.finish = "length" if choice["finish_reason"] == "length" else "stop"
                answer.taken = _taken(chunk)
            return stopping()

        if options.num_predict == 0:
            answer.finish = "length"
            answer.taken = Taken(tokens_in=len(tokens))
        else:
            self._served.complete(body, receive)
            for piece in parser.end():
                _pass(answer, piece, on_piece)
        taken = answer.taken
        return Written(
            text="".join(answer.text),
            thinking="".join(answer.thinking),
            tool_calls=tuple(answer.calls),
            chances=tuple(answer.chances),
            finish="length" if answer.finish == "length" else "stop",
            context=(*tokens, *answer.tokens),
            taken=Taken(
                time.perf_counter() - began, 0.0, taken.prompt, taken.writing,
                taken.tokens_in, taken.tokens_cached, taken.tokens_out,
            ),
        )  # fmt: skip

    def _prompt(self, question: Question) -> list[int]:
        before = list(question.context)
        if question.suffix is not None:
            return before + self._gapped(question.prompt or "", question.suffix)
        if question.prompt is not None:
            return before + self._vocabulary.tokens(question.prompt, whole=not before)
        text = "".join(
            f"<|im_start|>{message.role}\n{message.text}<|im_end|>\n"
            for message in question.messages
        )
        return before + self._rendered(f"{text}<|im_start|>assistant\n", whole=not before)

    def _rendered(self, text: str, *, whole: bool) -> list[int]:
        """Tokens of a rendered conversation: templates often write the first token themselves."""
        vocabulary = self._vocabulary
        written = vocabulary.adds_bos and bool(vocabulary.bos_text)
        if written and text.startswith(vocabulary.bos_text):
            text = text[len(vocabulary.bos_text) :]
        return vocabulary.tokens(text, whole=whole)

    def _gapped(self, prefix: str, suffix: str) -> list[int]:
        gap = self._vocabulary.gap
        if gap is None:
            raise InputError(
                "The model has no tokens for filling in the middle.",
                code="no_capability",
                remedy="Leave suffix out, or use a model made for code.",
            )
        first = [self._vocabulary.bos] if self._vocabulary.adds_bos else []
        return [
            *(token for token in first if token is not None),
            gap[0],
            *self._vocabulary.tokens(prefix, whole=False),
            gap[1],
            *self._vocabulary.tokens(suffix, whole=False),
            gap[2],
        ]


class _Plain:
    """Passes text on as it is."""

    def feed(self, text: str) -> list[Piece]:
        return [Piece(text=text)] if text else []

    def end(self) -> list[Piece]:
        return []


def _pass(answer: _Answer, piece: Piece, on_piece: OnPiece | None) -> None:
    answer.add(piece)
    if on_piece is not None:
        on_piece(piece)


def _most(options: Options, room: int, context: int, *, shift: bool) -> int:
    """Tokens at most: without shifting what the context has room for."""
    wanted = options.num_predict if options.num_predict is not None else -1
    limit = _CONTEXTS * context if shift else room
    return limit if wanted < 0 else min(wanted, limit)


def _constraint(question: Question) -> dict[str, Any]:
    constraint = question.constraint
    if constraint is None:
        return {}
    if constraint.kind == "grammar":
        return {"grammar": str(constraint.value)}
    schema = {"type": "object"} if constraint.kind == "json" else constraint.value
    return {"json_schema": schema}


def _chances(logprobs: Any, alternatives: int) -> tuple[TokenChance, ...]:
    if not logprobs:
        return ()
    return tuple(
        TokenChance(
            item["token"],
            item["logprob"],
            bytes(item["bytes"]),
            tuple(
                TokenChance(other["token"], other["logprob"], bytes(other["bytes"]))
                for other in item["top_logprobs"][:alternatives]
            ),
        )
        for item in logprobs["content"]
    )


def _taken(chunk: dict[str, Any]) -> Taken:
    usage, timings = chunk["usage"], chunk["timings"]
    return Taken(
        prompt=timings["prompt_ms"] / 1000,
        writing=timings["predicted_ms"] / 1000,
        tokens_in=usage["prompt_tokens"],
        tokens_cached=timings["cache_n"],
        tokens_out=usage["completion_tokens"],
    )
