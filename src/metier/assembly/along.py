"""A question along a decision: the chosen one first, and the next if it fails or is rejected.

It knows how each kind of candidate is asked, which failures are the candidate's and which the
question's, and that nobody is replaced once a word of the answer was passed on. Who is chosen is
the router's matter.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from metier.assembly.translating import turns_of, written_of
from metier.conversing import (
    Draft,
    Generator,
    Manner,
    OnStep,
    OnText,
    Reply,
    Sampling,
    Step,
    Turn,
)
from metier.errors import InputError, InternalError, MetierError, NotFoundError
from metier.generating import Message, Piece, Taken, Written
from metier.routing import Answered, Asked, Candidate, Routed, Tried

if TYPE_CHECKING:
    from metier.assembly.models import LocalModels

ITS_OWN_FAULT = frozenset(
    {
        "no_capability", "prompt_too_long", "not_servable", "bad_base", "bad_service", "bad_key",
        "service_rejected", "not_a_chat_specialist", "bad_gguf", "bad_template", "no_service",
    }
)  # fmt: skip
"""Codes of input errors that say what a candidate cannot do; others say what is wrong with the
question, and then nobody else is asked."""
_PICTURES = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"))


class AskSpecialist(Protocol):
    """Answers by a chat specialist: ``Metier.answer``."""

    def __call__(
        self,
        name: str,
        turns: Sequence[Turn],
        *,
        sampling: Sampling | None,
        manner: Manner | None,
        on_text: OnText | None,
        on_step: OnStep | None,
        cancelled: Callable[[], bool],
    ) -> Reply:
        """Answer the last turn."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How candidates are asked.

    Attributes:
        models: Installed models that write.
        specialist: Chat specialists.
        generator: A service or a file, by what names it as a base.
        general: What names the general model as a base, where it is no installed model.
    """

    models: LocalModels
    specialist: AskSpecialist
    generator: Callable[[str | Path], Generator]
    general: Callable[[], str | Path]


def ask_along(routed: Routed, asked: Asked, ways: Ways) -> Answered:
    """The answer of the first who gives one.

    A specialist whose tool can judge hands its answer over only if the tool accepts it, as long as
    somebody comes after it; if nobody after it answers, its own answer is given.

    Raises:
        MetierError: The error of the last who was asked.
    """
    known = {one.name: one for one in routed.candidates}
    chain = [known[name] for name in _chain(routed) if name in known]
    tried: list[Tried] = []
    rejected: tuple[Candidate, Written, Reply] | None = None
    error: MetierError | None = None
    for place, candidate in enumerate(chain):
        last = place == len(chain) - 1
        heard = _Heard(asked, candidate.name, tuple(tried), _holds(candidate, asked, last=last))
        try:
            written, reply = _one(candidate, asked, heard, ways)
        except MetierError as failed:
            if heard.passed or not _may_go_on(failed):
                raise
            error = failed
            tried.append(Tried(candidate.name, failed.message))
            continue
        if heard.holds and reply is not None and reply.checked is False:
            tried.append(Tried(candidate.name, "Its tool rejects its answer."))
            rejected = rejected or (candidate, written, reply)
            continue
        heard.release()
        return Answered(routed, candidate.name, written, reply, tuple(tried))
    if rejected is not None:
        candidate, written, reply = rejected
        others = tuple(one for one in tried if one.name != candidate.name)
        heard = _Heard(asked, candidate.name, others, holds=False)
        heard.piece(Piece(text=written.text, tool_calls=written.tool_calls))
        return Answered(routed, candidate.name, written, reply, others)
    raise error or InternalError("A decision named nobody who is here.", code="internal")


def reply_of(answered: Answered) -> Reply:
    """The answer with its trace; what a model wrote by itself has none."""
    if answered.reply is not None:
        return answered.reply
    written = answered.written
    calls = [
        {
            "id": call.id or f"call_{place}",
            "type": "function",
            "function": {"name": call.name, "arguments": dict(call.arguments)},
        }
        for place, call in enumerate(written.tool_calls)
    ]
    extra: dict[str, Any] = {"tool_calls": calls} if calls else {}
    return Reply(
        text=written.text,
        tokens_in=written.taken.tokens_in,
        tokens_out=written.taken.tokens_out,
        seconds=written.taken.total,
        base=answered.name,
        finish="tool_calls" if calls else written.finish,
        extra=extra,
    )


def _chain(routed: Routed) -> Sequence[str]:
    decision = routed.decision
    return list(dict.fromkeys((decision.chosen, *decision.then)))


def _holds(candidate: Candidate, asked: Asked, *, last: bool) -> bool:
    """Whether an answer waits for its tool's word before anybody hears it."""
    manner = asked.manner
    return candidate.judged and not last and manner.tools and not manner.first_draft


def _may_go_on(error: MetierError) -> bool:
    """Whether somebody else may do better: the failure is the candidate's."""
    if isinstance(error, NotFoundError):
        return True  # it went away between the decision and the question
    if isinstance(error, InputError):
        return error.code in ITS_OWN_FAULT
    return error.code != "cancelled"


@dataclass(slots=True)
class _Heard:
    """What one candidate has said, and whether anybody has heard it."""

    asked: Asked
    name: str
    tried: tuple[Tried, ...]
    holds: bool
    passed: bool = False
    _pieces: list[Piece] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)

    def piece(self, piece: Piece) -> None:
        if self.holds:
            self._pieces.append(piece)
            return
        self._answering()
        if self.asked.on_piece is not None:
            self.asked.on_piece(piece)

    def text(self, text: str) -> None:
        self.piece(Piece(text=text))

    def step(self, step: Step) -> None:
        # A step is a word to the caller too: it waits until the answer is sure to be this one's.
        self._steps.append(step)
        if self.passed:
            self._pass_on_steps()

    def release(self) -> None:
        """Pass on what was held."""
        pieces, self._pieces, self.holds = self._pieces, [], False
        self._answering()
        for piece in pieces:
            self.piece(piece)

    def _answering(self) -> None:
        if not self.passed and self.asked.on_answering is not None:
            self.asked.on_answering(self.name, self.tried)
        self.passed = True
        self._pass_on_steps()

    def _pass_on_steps(self) -> None:
        steps, self._steps = self._steps, []
        for step in steps:
            if self.asked.on_step is not None:
                self.asked.on_step(step)


def _one(
    candidate: Candidate, asked: Asked, heard: _Heard, ways: Ways
) -> tuple[Written, Reply | None]:
    """One candidate's answer."""
    if candidate.task == "chat":
        return _of_specialist(candidate, asked, heard, ways)
    general = ways.general()
    if candidate.general and str(general) != candidate.name:
        return _of_generator(ways.generator(general), asked, heard), None
    if candidate.general and candidate.name.startswith("remote:"):
        return _of_generator(ways.generator(candidate.name), asked, heard), None
    question = asked.question
    own = ways.models.listing(candidate.name).settings if asked.unsaid else ()
    left: dict[str, Any] = {name: None for name in asked.unsaid if name in own}
    if left:
        question = replace(question, options=replace(question.options, **left))
    written = ways.models.ask(
        candidate.name,
        question,
        loading=asked.loading,
        keep_alive=asked.keep_alive,
        on_piece=heard.piece if asked.on_piece is not None else None,
        cancelled=asked.cancelled,
    )
    return written, None


def _of_specialist(
    candidate: Candidate, asked: Asked, heard: _Heard, ways: Ways
) -> tuple[Written, Reply]:
    turns, sampling = turns_of(asked.question)
    listens = asked.on_piece is not None
    reply = ways.specialist(
        candidate.name,
        turns,
        sampling=sampling,
        manner=asked.manner,
        on_text=heard.text if listens else None,
        on_step=heard.step if listens and asked.on_step is not None else None,
        cancelled=asked.cancelled or _never,
    )
    written = written_of(reply)
    if listens and written.tool_calls:
        heard.piece(Piece(tool_calls=written.tool_calls))
    return written, reply


def _of_generator(generator: Generator, asked: Asked, heard: _Heard) -> Written:
    """A service's or a file's answer; pictures travel as OpenAI's content parts."""
    question = asked.question
    turns, sampling = turns_of(
        replace(question, messages=tuple(replace(one, pictures=()) for one in question.messages))
    )
    turns = tuple(
        _with_pictures(turn, message)
        for turn, message in zip(turns, question.messages, strict=False)
    ) + turns[len(question.messages) :]  # fmt: skip
    listens = asked.on_piece is not None
    if "temperature" in asked.unsaid:
        sampling = replace(sampling, temperature=None)
    if "top_p" in asked.unsaid:
        sampling = replace(sampling, top_p=None)
    draft = generator.generate(
        turns,
        sampling,
        on_text=heard.text if listens else None,
        cancelled=asked.cancelled,
    )
    written = _drafted(draft)
    if listens and written.tool_calls:
        heard.piece(Piece(tool_calls=written.tool_calls))
    return written


def _with_pictures(turn: Turn, message: Message) -> Turn:
    if not message.pictures:
        return turn
    parts: list[Mapping[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    parts += [
        {"type": "image_url", "image_url": {"url": _address(one)}} for one in message.pictures
    ]
    return replace(turn, extra={**turn.extra, "content": parts})


def _address(picture: bytes) -> str:
    kind = next((name for start, name in _PICTURES if picture.startswith(start)), "png")
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def _drafted(draft: Draft) -> Written:
    reply = Reply(
        text=draft.text,
        tokens_in=draft.tokens_in,
        tokens_out=draft.tokens_out,
        seconds=draft.seconds,
        finish=draft.finish,
        extra=draft.extra,
    )
    taken = Taken(total=draft.seconds, tokens_in=draft.tokens_in, tokens_out=draft.tokens_out)
    return replace(written_of(reply), taken=taken)


def _never() -> bool:
    return False
