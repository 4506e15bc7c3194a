"""OpenAI's ``/v1/completions``: text that is continued, or a gap in it that is filled.

Pure translation: no I/O, no framework. What ``echo`` and ``best_of`` could not do right is
refused: the log-probabilities of a prompt are not known, and answers are not ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metier.generating import Piece, Question, Taken, TokenChance, Written
from metier.server import openai_fields as fields
from metier.server.events import event
from metier.server.openai_chat import choices, usage

MOST_PROMPTS = 64
MOST_TOKENS = 1_000_000
DEFAULT_TOKENS = 16
"""What OpenAI gives if ``max_tokens`` is not said."""


@dataclass(frozen=True, slots=True)
class TextAsked:
    """A checked request.

    Attributes:
        model: The name as it was given.
        questions: One for each choice: the choices of the first prompt, then of the second.
        echoes: What stands before the answer of each choice: its prompt, or "".
        prompts: How many prompts there are.
        stream: Whether the answer comes in chunks.
        usage: Whether a last chunk carries the usage.
    """

    model: str
    questions: tuple[Question, ...]
    echoes: tuple[str, ...]
    prompts: int
    stream: bool
    usage: bool


def parse(asked: Mapping[str, Any]) -> TextAsked:
    """The checked request; raises InputError (``bad_request``) naming the field that is wrong."""
    model = fields.model_of(asked)
    prompts = _prompts(asked.get("prompt"))
    suffix = asked.get("suffix")
    if suffix is not None and not isinstance(suffix, str):
        raise fields.wrong("'suffix' is not text.", "suffix", "Mend or drop it.")
    top = fields.whole(asked, "logprobs", 0, fields.MOST_TOP_LOGPROBS)
    echo = _echo(asked, prompts, top)
    count = fields.whole(asked, "n", 1, fields.MOST_CHOICES) or 1
    best = fields.whole(asked, "best_of", 1, 1000)
    if best is not None and best != count:
        raise fields.wrong(
            f"'best_of' is {best} and 'n' is {count}: answers are not ranked here.",
            "best_of",
            "Leave it out, and choose among the 'n' answers by their logprobs.",
        )
    most = fields.most_tokens(asked, "max_tokens", "max_completion_tokens")
    how = fields.options(asked, most_tokens=DEFAULT_TOKENS if most is None else most)
    questions = [
        Question(
            prompt=prompt if isinstance(prompt, str) else "",
            context=() if isinstance(prompt, str) else prompt,
            suffix=fields.check_text(suffix, "suffix") if suffix else None,
            constraint=fields.constraint(asked),
            options=how,
            logprobs=top is not None,
            top_logprobs=top or 0,
        )
        for prompt in prompts
    ]
    return TextAsked(
        model=model,
        questions=tuple(one for question in questions for one in choices(question, count)),
        echoes=tuple(
            prompt if echo and isinstance(prompt, str) else ""
            for prompt in prompts
            for _ in range(count)
        ),
        prompts=len(prompts),
        stream=fields.flag(asked, "stream"),
        usage=fields.wants_usage(asked),
    )


def _echo(
    asked: Mapping[str, Any], prompts: Sequence[str | tuple[int, ...]], top: int | None
) -> bool:
    echo = fields.flag(asked, "echo")
    if echo and top is not None:
        raise fields.wrong(
            "'echo' with 'logprobs' asks for the log-probabilities of the prompt.",
            "echo",
            "Ask for one of them; those of the answer are given.",
        )
    if echo and not all(isinstance(prompt, str) for prompt in prompts):
        raise fields.wrong("'echo' of token numbers is not given.", "echo", "Send text.")
    return echo


def _prompts(given: object) -> list[str | tuple[int, ...]]:
    if isinstance(given, str):
        return [fields.check_text(given, "prompt")]
    remedy = "Give a text, a list of texts, or a list of token numbers."
    if not isinstance(given, list) or not given:
        raise fields.wrong("'prompt' is missing or empty.", "prompt", remedy)
    if all(_is_token(item) for item in given):
        return [_tokens(given)]
    if len(given) > MOST_PROMPTS:
        raise fields.wrong(
            f"'prompt' has {len(given):,} entries.", "prompt", f"Give {MOST_PROMPTS} at most."
        )
    found: list[str | tuple[int, ...]] = []
    for place, item in enumerate(given):
        if isinstance(item, str):
            found.append(fields.check_text(item, f"prompt[{place}]"))
        elif isinstance(item, list) and item and all(_is_token(token) for token in item):
            found.append(_tokens(item))
        else:
            raise fields.wrong(f"prompt[{place}] is not text.", f"prompt[{place}]", remedy)
    return found


def _is_token(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 2**31


def _tokens(given: list[int]) -> tuple[int, ...]:
    if len(given) > MOST_TOKENS:
        raise fields.wrong(f"'prompt' has {len(given):,} tokens.", "prompt", "Send fewer.")
    return tuple(given)


def completion(
    asked: TextAsked,
    answers: Sequence[Written],
    *,
    id: str,  # noqa: A002
    created: int,
) -> dict[str, Any]:
    """Whole answers, one for each choice."""
    return {
        "id": id,
        "object": "text_completion",
        "created": created,
        "model": asked.model,
        "choices": [
            {
                "index": place,
                "text": echo + written.text,
                "logprobs": logprobs(written.chances) if written.chances else None,
                "finish_reason": written.finish,
            }
            for place, (echo, written) in enumerate(zip(asked.echoes, answers, strict=True))
        ],
        "usage": total(asked, [written.taken for written in answers]),
    }


def total(asked: TextAsked, taken: Sequence[Taken]) -> dict[str, Any]:
    """Tokens of each prompt, once, and of all answers."""
    each = len(taken) // asked.prompts
    parts = [usage(taken[start : start + each]) for start in range(0, len(taken), each)]
    cached = sum(part["prompt_tokens_details"]["cached_tokens"] for part in parts)
    counted = {
        name: sum(part[name] for part in parts)
        for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    }
    return {**counted, "prompt_tokens_details": {"cached_tokens": cached}}


def logprobs(chances: Sequence[TokenChance], start: int = 0) -> dict[str, Any]:
    """``choice.logprobs`` in the older shape; ``start`` is the offset of the first token."""
    offsets: list[int] = []
    for chance in chances:
        offsets.append(start)
        start += len(chance.token)
    return {
        "tokens": [chance.token for chance in chances],
        "token_logprobs": [max(chance.logprob, -9999.0) for chance in chances],
        "top_logprobs": [
            {other.token: max(other.logprob, -9999.0) for other in chance.top} for chance in chances
        ],
        "text_offset": offsets,
    }


@dataclass(slots=True)
class Chunks:
    """The chunks of one streamed request; each method gives events as bytes."""

    asked: TextAsked
    id: str
    created: int
    _written: dict[int, int] = field(default_factory=dict)

    def opening(self) -> bytes:
        """The prompts, if they are to be echoed."""
        return b"".join(
            self._choice(place, echo) for place, echo in enumerate(self.asked.echoes) if echo
        )

    def piece(self, place: int, piece: Piece) -> bytes:
        """A piece of the answer to one choice; thinking has no place in this dialect."""
        if not piece.text and not piece.chances:
            return b""
        start = self._written.get(place, 0)
        self._written[place] = start + sum(len(chance.token) for chance in piece.chances)
        found = logprobs(piece.chances, start) if piece.chances else None
        return self._choice(place, piece.text, found)

    def finish(self, place: int, written: Written, more: Mapping[str, Any] | None = None) -> bytes:
        """The end of one choice; ``more`` has no place in this dialect."""
        del more
        return self._choice(place, "", None, written.finish)

    def usage(self, taken: Sequence[Taken]) -> bytes:
        """The chunk that has no choice but the usage."""
        return self._event({"choices": [], "usage": total(self.asked, taken)})

    def _choice(
        self,
        place: int,
        text: str,
        found: Mapping[str, Any] | None = None,
        finish: str | None = None,
    ) -> bytes:
        choice = {"index": place, "text": text, "logprobs": found, "finish_reason": finish}
        return self._event({"choices": [choice]})

    def _event(self, more: Mapping[str, Any]) -> bytes:
        return event(
            {
                "id": self.id,
                "object": "text_completion",
                "created": self.created,
                "model": self.asked.model,
                **more,
            }
        )
