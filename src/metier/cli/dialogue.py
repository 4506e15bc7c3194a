"""A conversation in the terminal as a value: who said what, and what ``/`` commands change.

It knows the commands and the state they work on; it reads no keyboard, writes no screen and asks
no model.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from metier.errors import InputError
from metier.generating import Constraint, Loading, Message, Options, Question, Written

Shown = Literal["info", "license", "modelfile", "parameters", "system", "template"]
SHOWN: tuple[Shown, ...] = ("info", "license", "modelfile", "parameters", "system", "template")
LEVELS = ("low", "medium", "high", "max")

COMMANDS: dict[str, str] = {
    "/set parameter NAME VALUE": "temperature, top_p, num_ctx, seed, stop and the others",
    "/set system TEXT": "the system prompt",
    "/set format json": "answers are JSON; /set noformat ends it",
    "/set think [LEVEL]": "think first; /set nothink ends it",
    "/set history": "remember what was said; /set nohistory forgets each turn",
    "/set wordwrap": "break long lines; /set nowordwrap leaves them",
    "/set verbose": "show what an answer took; /set quiet ends it",
    "/show WHAT": ", ".join(SHOWN),
    "/load NAME": "talk to another model",
    "/save NAME": "keep model, system prompt, parameters and conversation under a name",
    "/clear": "forget the conversation",
    "/bye": "leave; Ctrl-D does too",
}
"""What a person can type, and what it does."""

_WHOLE = frozenset({"top_k", "repeat_last_n", "seed", "num_predict", "num_keep"})
_PARTS = frozenset(
    {
        "temperature",
        "top_p",
        "min_p",
        "typical_p",
        "repeat_penalty",
        "presence_penalty",
        "frequency_penalty",
    }
)
_LOADED = frozenset(item.name for item in fields(Loading)) - {"use_mmap"}


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One conversation.

    Attributes:
        name: The model.
        system: Replaces the model's own system prompt, if it is not ``None``.
        messages: What was said.
        options: What the person set.
        loading: What the person set that loads the model anew.
        constraint: What answers must be.
        think: Whether the model thinks first, or how hard.
        remembers: Whether turns are kept.
        wraps: Whether long lines are broken.
        verbose: Whether it is shown what an answer took.
    """

    name: str
    system: str | None = None
    messages: tuple[Message, ...] = ()
    options: Options = field(default_factory=Options)
    loading: Loading = field(default_factory=Loading)
    constraint: Constraint | None = None
    think: bool | str | None = None
    remembers: bool = True
    wraps: bool = True
    verbose: bool = False

    def question(self, text: str, pictures: tuple[bytes, ...] = ()) -> Question:
        """The question that a line comes to."""
        front = (Message("system", self.system),) if self.system else ()
        said = self.messages if self.remembers else ()
        return Question(
            messages=(*front, *said, Message("user", text, pictures=pictures)),
            constraint=self.constraint,
            think=self.think,
            options=self.options,
            truncate=True,
        )

    def after(self, question: Question, written: Written) -> Dialogue:
        """The conversation with a turn more."""
        if not self.remembers:
            return self
        answer = Message(
            "assistant",
            written.text,
            thinking=written.thinking,
            tool_calls=written.tool_calls,
        )
        return replace(self, messages=(*self.messages, question.messages[-1], answer))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the person set, in Ollama's names."""
        both = (self.options, self.loading)
        return {
            item.name: list(value) if isinstance(value, tuple) else value
            for values in both
            for item in fields(values)
            if (value := getattr(values, item.name)) is not None
        }


@dataclass(frozen=True, slots=True)
class Did:
    """What a command came to.

    Attributes:
        dialogue: The conversation after it.
        note: A sentence for the person, or "".
        act: What is left to do: show something, load, save, leave, or the list of commands.
        what: Of ``act``: the name or the thing to show.
    """

    dialogue: Dialogue
    note: str = ""
    act: Literal["", "show", "load", "save", "bye", "help"] = ""
    what: str = ""


def obey(dialogue: Dialogue, line: str) -> Did:
    """Do what a line that begins with ``/`` says.

    Raises:
        InputError: It is no command, or its words are wrong (``bad_usage``).
    """
    verb, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if verb in ("/bye", "/exit", "/quit"):
        return Did(dialogue, act="bye")
    if verb in ("/?", "/help"):
        return Did(dialogue, act="help")
    if verb == "/clear":
        return Did(replace(dialogue, messages=()), "The conversation is forgotten.")
    if verb == "/set":
        return _set(dialogue, rest)
    if verb == "/show":
        if rest not in SHOWN:
            raise _wrong("/show WHAT", f"WHAT is one of {', '.join(SHOWN)}.")
        return Did(dialogue, act="show", what=rest)
    if verb in ("/load", "/save"):
        if not rest or " " in rest:
            raise _wrong(f"{verb} NAME", "It takes one name.")
        return Did(dialogue, act="load" if verb == "/load" else "save", what=rest)
    raise InputError(
        f"There is no command {verb[:40]!r}.", code="bad_usage", remedy="/? lists the commands."
    )


def _set(dialogue: Dialogue, rest: str) -> Did:
    what, _, value = rest.partition(" ")
    value = value.strip()
    if what == "parameter":
        return _set_parameter(dialogue, value)
    if what == "system":
        text = value.strip('"').strip()
        told = "The system prompt is set." if text else "The model's own system prompt is back."
        return Did(replace(dialogue, system=text or None), told)
    if what == "think":
        if value and value not in LEVELS:
            raise _wrong("/set think [LEVEL]", f"LEVEL is one of {', '.join(LEVELS)}.")
        return Did(replace(dialogue, think=value or True), "It thinks first.")
    if what == "format":
        if value != "json":
            raise _wrong("/set format json", "A schema is for the API and for --format FILE.")
        return Did(replace(dialogue, constraint=Constraint("json")), "Answers are JSON.")
    switches: dict[str, tuple[dict[str, Any], str]] = {
        "nothink": ({"think": False}, "It answers at once."),
        "noformat": ({"constraint": None}, "Answers are free."),
        "history": ({"remembers": True}, "Turns are remembered."),
        "nohistory": ({"remembers": False, "messages": ()}, "Each question stands alone."),
        "wordwrap": ({"wraps": True}, "Long lines are broken at spaces."),
        "nowordwrap": ({"wraps": False}, "Lines stay as they are."),
        "verbose": ({"verbose": True}, "It is shown what an answer took."),
        "quiet": ({"verbose": False}, "Only answers are shown."),
    }
    if what not in switches:
        raise _wrong("/set WHAT", "/? lists what can be set.")
    changes, told = switches[what]
    return Did(replace(dialogue, **changes), told)


def _set_parameter(dialogue: Dialogue, rest: str) -> Did:
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise _wrong("/set parameter NAME VALUE", "A quotation mark has no end.") from error
    if len(words) < 2:
        raise _wrong("/set parameter NAME VALUE", "For instance: /set parameter temperature 0.2")
    name, texts = words[0], words[1:]
    if name == "stop":
        options = replace(dialogue.options, stop=tuple(texts))
        return Did(replace(dialogue, options=options), f"stop is {', '.join(map(repr, texts))}.")
    if len(texts) > 1 or name not in _WHOLE | _PARTS | _LOADED:
        known = ", ".join(sorted((*_WHOLE, *_PARTS, *_LOADED, "stop")))
        raise _wrong("/set parameter NAME VALUE", f"NAME is one of {known}.")
    value: Any = _number(name, texts[0])
    if name in _LOADED:
        loading = replace(dialogue.loading, **{name: value})
        return Did(replace(dialogue, loading=loading), f"{name} is {value}; the model loads anew.")
    options = replace(dialogue.options, **{name: value})
    return Did(replace(dialogue, options=options), f"{name} is {value}.")


def _number(name: str, text: str) -> int | float:
    try:
        return float(text) if name in _PARTS else int(text)
    except ValueError as error:
        kind = "number" if name in _PARTS else "whole number"
        raise _wrong(f"/set parameter {name} VALUE", f"VALUE is a {kind}.") from error


def _wrong(usage: str, remedy: str) -> InputError:
    return InputError(f"It is written {usage}.", code="bad_usage", remedy=remedy)
