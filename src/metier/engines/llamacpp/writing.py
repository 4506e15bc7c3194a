"""One answer inside the worker: from the engine's chunks to pieces and a whole.

It knows how a chunk reads, what of it is a piece and what it took; it knows no pipe, no template
and no parameter of the library's loading.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from metier.engines.llamacpp.asking import Asked, Asking
from metier.engines.llamacpp.holding import Holding, check_whole, impossible_token
from metier.engines.llamacpp.room import Room
from metier.engines.llamacpp.serving import Served
from metier.engines.llamacpp.vocabulary import Vocabulary
from metier.generating import Piece, Question, Taken, TokenChance, ToolCall, Voice, Written

_STEP: Final = 64  # tokens that an answer is promised at a time
OnPiece = Callable[[Piece], None]
Stopping = Callable[[], bool]


@dataclass(slots=True)
class Answer:
    """What has arrived of an answer.

    Attributes:
        on_piece: Receives each piece, or ``None``.
        alternatives: How many of each token are wanted.
        raw: What the engine wrote.
        full: Whether it ended because there was no room or no wish for more.
        ended: Whether the engine has said that it is over.
        closed: Whether the model itself ended it.
    """

    on_piece: OnPiece | None
    alternatives: int
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    chances: list[TokenChance] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    full: bool = False
    ended: bool = False
    closed: bool = False
    taken: Taken = field(default_factory=Taken)

    def add(self, piece: Piece) -> None:
        """One more piece."""
        self.text.append(piece.text)
        self.thinking.append(piece.thinking)
        self.calls += piece.tool_calls
        self.chances += piece.chances
        if self.on_piece is not None:
            self.on_piece(piece)

    def read(self, chunk: dict[str, Any], asked: Asked) -> None:
        """What a chunk of the engine says."""
        choice = chunk["choices"][0]
        self.tokens += chunk["__verbose"]["tokens"]
        self.raw.append(choice["text"])
        pieces = asked.parser.feed(choice["text"])
        if choice.get("logprobs"):
            *before, last = pieces or [Piece()]
            found = chances(choice["logprobs"], self.alternatives)
            pieces = [*before, replace(last, chances=found)]
        for piece in pieces:
            self.add(piece)
        if choice["finish_reason"] is not None:
            self.ended = True
            self.full = choice["finish_reason"] == "length"
            self.closed = chunk["__verbose"].get("stop_type") == "eos"
            whole = taken(chunk)
            written = self.taken.tokens_out + whole.tokens_out
            self.taken = replace(whole, tokens_out=written)

    def pause(self, tokens: int) -> None:
        """So many tokens were written, and it goes on later."""
        self.taken = replace(self.taken, tokens_out=self.taken.tokens_out + tokens)


class Writer:
    """Answers questions over one loaded base; threads share it.

    Args:
        served: The base.
        vocabulary: Its vocabulary.
    """

    def __init__(self, served: Served, vocabulary: Vocabulary) -> None:
        self._served = served
        self._vocabulary = vocabulary
        self._asking = Asking(served, vocabulary)
        only = impossible_token(lambda text: vocabulary.tokens(text, whole=False))
        self._holding = Holding(served, only)
        plan = served.plan
        self._room = Room(served.context * (1 if plan.shared else plan.parallel))

    def write(
        self, question: Question, voice: Voice, on_piece: OnPiece | None, stopping: Stopping
    ) -> Written:
        """Answer one question; ``stopping`` is asked with each token.

        Raises:
            InputError: See :meth:`Asking.prepare`, and ``bad_options``.
            UnavailableError: ``engine_failed``.
        """
        began = time.perf_counter()
        asked = self._asking.prepare(question, voice)
        answer = Answer(on_piece, question.top_logprobs)
        if asked.nothing:
            answer.full = True
            answer.taken = Taken(tokens_in=len(asked.tokens))
        else:
            self._held(asked, stopping)
            while not self._written(asked, answer, stopping):
                continue
            if answer.closed and "json_schema" in asked.body:
                check_whole("".join(answer.raw))
            for piece in asked.parser.finish():
                answer.add(piece)
        counted = answer.taken
        return Written(
            text="".join(answer.text),
            thinking="".join(answer.thinking),
            tool_calls=tuple(answer.calls),
            chances=tuple(answer.chances),
            finish="length" if answer.full else "stop",
            truncated=asked.truncated,
            context=self._context(asked, answer),
            taken=replace(
                counted,
                total=time.perf_counter() - began,
                tokens_in=len(asked.tokens) or counted.tokens_in,
            ),
        )

    def _held(self, asked: Asked, stopping: Stopping) -> None:
        """Refuse a schema that the engine would drop."""
        if not self._holding.untried(asked.body):
            return
        room = len(asked.tokens) + 1 if asked.tokens else self._served.context
        if not self._room.take(room, stopping):
            return
        try:
            self._holding.check(asked.body, stopping)
        finally:
            self._room.give(room)

    def _written(self, asked: Asked, answer: Answer, stopping: Stopping) -> bool:
        """Write until the answer ends (``True``) or the room does."""
        again = self._vocabulary.tokens("".join(answer.raw), whole=False) if answer.raw else []
        tokens = [*asked.tokens, *again]
        most = asked.body["n_predict"] - answer.taken.tokens_out
        optimistic = self._served.plan.shared and not asked.whole and not answer.raw
        sure = min(most, _STEP) if optimistic else most
        held = min(len(tokens) + sure, self._served.context)
        if not self._served.plan.shared:
            held = self._served.context
        if not self._room.take(held, stopping):
            return True
        written = 0
        crowded = False

        def receive(chunk: dict[str, Any]) -> bool:
            nonlocal written, held, crowded
            answer.read(chunk, asked)
            written = chunk["__verbose"]["tokens_predicted"]
            room = held - len(tokens)
            if room <= written < most and held < self._served.context and not answer.ended:
                crowded = not self._room.grow(_STEP)
                held += 0 if crowded else _STEP
            return crowded or stopping()

        try:
            self._served.complete(self._body(asked, answer, tokens, most), receive)
        finally:
            self._room.give(held)
        if crowded and not answer.ended:
            answer.pause(written)
            return stopping()
        return True

    def _body(self, asked: Asked, answer: Answer, tokens: list[int], most: int) -> dict[str, Any]:
        body = {**asked.body, "n_predict": most, "return_tokens": True, "verbose": True}
        if asked.tokens and self._served.sees:  # then the server takes texts only, and begins them
            begun = self._vocabulary.adds_bos and tokens[0] == self._vocabulary.bos
            body["prompt"] = self._vocabulary.detokenize(tokens[1:] if begun else tokens)
        elif asked.tokens:
            body["prompt"] = tokens
        if answer.raw and "seed" in body:
            body["seed"] += answer.taken.tokens_out  # else it would draw the same numbers again
        return body

    def _context(self, asked: Asked, answer: Answer) -> tuple[int, ...]:
        """Tokens of prompt and answer; the engine does not name those of split characters."""
        if not asked.tokens:
            return ()
        written = answer.tokens
        if len(written) < answer.taken.tokens_out - 1:
            written = self._vocabulary.tokens("".join(answer.raw), whole=False)
        return (*asked.tokens, *written)


def chances(logprobs: dict[str, Any], alternatives: int) -> tuple[TokenChance, ...]:
    """The chances of tokens as the engine says them, with so many alternatives each."""
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


def taken(chunk: dict[str, Any]) -> Taken:
    """What the last chunk says of time and tokens."""
    usage, timings = chunk["usage"], chunk["timings"]
    return Taken(
        prompt=timings["prompt_ms"] / 1000,
        writing=timings["predicted_ms"] / 1000,
        tokens_in=usage["prompt_tokens"],
        tokens_cached=timings["cache_n"],
        tokens_out=usage["completion_tokens"],
    )
