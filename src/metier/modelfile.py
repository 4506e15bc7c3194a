"""Modelfiles: Ollama's text that says how a model is made from another, read and written.

It knows the grammar (instructions, quotes, comments, encodings) and the type of every parameter;
it opens no file and makes no model. Every error names the line and column. Source: Ollama,
``docs/modelfile.mdx`` and the behaviour of its ``parser``.
"""

from __future__ import annotations

import codecs
import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, cast

from metier.errors import InputError

MAX_MODELFILE_BYTES = 4 << 20
MAX_INSTRUCTIONS = 10_000

ParameterType = Literal["int", "float", "bool", "texts"]
PARAMETERS: dict[str, ParameterType] = {
    "num_ctx": "int", "num_batch": "int", "num_gpu": "int", "main_gpu": "int",
    "use_mmap": "bool", "num_thread": "int", "draft_num_predict": "int", "num_keep": "int",
    "seed": "int", "num_predict": "int", "top_k": "int", "top_p": "float", "min_p": "float",
    "typical_p": "float", "repeat_last_n": "int", "temperature": "float",
    "repeat_penalty": "float", "presence_penalty": "float", "frequency_penalty": "float",
    "stop": "texts",
}  # fmt: skip
"""Name to type, as Ollama has them."""
DEPRECATED = frozenset(
    ("penalize_newline", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock",
     "mirostat", "mirostat_tau", "mirostat_eta", "tfs_z", "numa", "num_gqa", "embedding_only",
     "rope_frequency_base", "rope_frequency_scale")
)  # fmt: skip
"""Parameters that once meant something; they are read, noted and left out."""

_INSTRUCTIONS = (
    "FROM", "ADAPTER", "SYSTEM", "TEMPLATE", "PARAMETER", "MESSAGE", "LICENSE", "RENDERER",
    "PARSER", "REQUIRES", "DRAFT",
)  # fmt: skip
_ROLES = ("system", "user", "assistant")
_BLANK = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"#[^\r\n]*")
_WORD = re.compile(r"[A-Za-z0-9_]*")
_SPACES = re.compile(r"[ \t]*")
_REST = re.compile(r"[^\r\n]*")
_QUOTES = {
    '"""': re.compile(r'"""(?!")[ \t]*(?=[\r\n]|\Z)'),
    '"': re.compile(r'"(?!")[ \t]*(?=[\r\n]|\Z)'),
}
_VERSION = re.compile(r"v?\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?")
_TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False),
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class Modelfile:
    """What a Modelfile says.

    Attributes:
        sources: What stands after FROM: a model's name, a file or a folder; several are files of
            one model.
        adapters: Files or folders.
        template: In Ollama's template language, or ``None``.
        system: System prompt, or ``None``.
        parameters: Name to number, truth or (``stop``) a tuple of texts.
        messages: Role and content of opening messages.
        licences: Texts.
        renderer: Name of a renderer of Ollama's, which Metier does not have.
        parser: Name of a parser of Ollama's, which Metier does not have.
        requires: Least version of Ollama.
        notes: Sentences about what was read and has no effect.
    """

    sources: tuple[str, ...]
    adapters: tuple[str, ...] = ()
    template: str | None = None
    system: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[tuple[str, str], ...] = ()
    licences: tuple[str, ...] = ()
    renderer: str | None = None
    parser: str | None = None
    requires: str | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class _Instruction:
    """One instruction: its name, the word after it (PARAMETER, MESSAGE), its value, its place."""

    name: str
    word: str
    value: str
    at: int


def parse_modelfile(data: bytes | str) -> Modelfile:
    """Read a Modelfile: UTF-8, or UTF-16 with a byte order mark.

    Raises:
        InputError: Code ``bad_modelfile``, with line and column.
    """
    text = data if isinstance(data, str) else _decoded(data)
    if len(text) > MAX_MODELFILE_BYTES:
        _refuse(text, 0, f"it is longer than {MAX_MODELFILE_BYTES} bytes")
    found = _Found(text)
    for number, instruction in enumerate(_instructions(text)):
        if number >= MAX_INSTRUCTIONS:
            _refuse(text, instruction.at, f"it has more than {MAX_INSTRUCTIONS} instructions")
        found.take(instruction)
    if not found.sources:
        _refuse(text, 0, "it has no FROM, which names what the model is made from")
    return found.modelfile()


def write_modelfile(modelfile: Modelfile) -> str:
    """The text of a Modelfile; reading it gives an equal one.

    Raises:
        InputError: A text has a line that ends in three quotes, which no Modelfile can say
            (code ``bad_modelfile``).
    """
    lines = [f"FROM {_quoted(source)}" for source in modelfile.sources]
    lines += [f"ADAPTER {_quoted(adapter)}" for adapter in modelfile.adapters]
    for name, value in (
        ("TEMPLATE", modelfile.template),
        ("SYSTEM", modelfile.system),
        ("RENDERER", modelfile.renderer),
        ("PARSER", modelfile.parser),
        ("REQUIRES", modelfile.requires),
    ):
        if value is not None:
            lines.append(f"{name} {_quoted(value, always=name in ('TEMPLATE', 'SYSTEM'))}")
    lines += [f"PARAMETER {name} {text}" for name, text in parameter_texts(modelfile.parameters)]
    lines += [f"MESSAGE {role} {_quoted(content)}" for role, content in modelfile.messages]
    lines += [f"LICENSE {_quoted(licence, always=True)}" for licence in modelfile.licences]
    return "\n".join(lines) + "\n"


def parameter_texts(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of each parameter as a Modelfile says it; one line for each ``stop``."""
    for name, value in parameters.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, bool):
                yield name, "true" if item else "false"
            else:
                yield name, _quoted(item, always=True) if isinstance(item, str) else repr(item)


def typed_parameter(name: str, value: Any) -> Any:
    """A parameter's value in its own type, from a text or from JSON.

    Raises:
        ValueError: There is no such parameter, or the value has another type; the message is a
            clause that says so.
    """
    kind = PARAMETERS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, PARAMETERS, n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no parameter {name[:80]!r}{hint}")
    if kind == "texts":
        texts = (value,) if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or any(not isinstance(text, str) for text in texts):
            raise ValueError(f"the parameter {name!r} takes texts")
        return tuple(texts)
    try:
        return _READERS[kind](value)
    except (ValueError, OverflowError) as error:
        wanted = {"int": "a whole number", "float": "a number", "bool": "true or false"}[kind]
        shown = str(value)[:80]
        raise ValueError(f"the parameter {name!r} takes {wanted}, not {shown!r}") from error


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        raise ValueError
    found = int(value)
    if (isinstance(value, float) and found != value) or not -_LARGEST <= found < _LARGEST:
        raise ValueError
    return found


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if isinstance(value, str) and (len(value) > 60 or "_" in value):
        raise ValueError
    found = float(value)
    if not math.isfinite(found):
        raise ValueError
    return found


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUTHS:
        return _TRUTHS[value]
    raise ValueError


_READERS: dict[str, Callable[[Any], Any]] = {"int": _whole, "float": _number, "bool": _truth}


class _Found:
    """What the instructions said so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.sources: list[str] = []
        self._adapters: list[str] = []
        self._once: dict[str, str] = {}
        self._parameters: dict[str, Any] = {}
        self._messages: list[tuple[str, str]] = []
        self._licences: list[str] = []
        self._notes: list[str] = []

    def take(self, found: _Instruction) -> None:
        """Take in one instruction."""
        if found.name in ("FROM", "ADAPTER"):
            if not found.value:
                _refuse(self._text, found.at, f"{found.name} names nothing")
            (self.sources if found.name == "FROM" else self._adapters).append(found.value)
        elif found.name == "PARAMETER":
            self._take_parameter(found)
        elif found.name == "MESSAGE":
            self._messages.append((found.word.lower(), found.value))
        elif found.name == "LICENSE":
            self._licences.append(found.value)
        else:
            self._take_once(found)

    def _take_parameter(self, found: _Instruction) -> None:
        name = found.word.lower()
        if name in DEPRECATED:
            self._note(found, f"the parameter {name!r} is deprecated and has no effect")
            return
        try:
            value = typed_parameter(name, found.value)
        except ValueError as error:
            _refuse(self._text, found.at, str(error))
        if PARAMETERS[name] == "texts":
            self._parameters[name] = (*self._parameters.get(name, ()), *value)
        else:
            self._parameters[name] = value

    def _take_once(self, found: _Instruction) -> None:
        name = found.name
        if name == "REQUIRES" and not _VERSION.fullmatch(found.value):
            _refuse(self._text, found.at, "REQUIRES takes a version, like 0.14.0")
        if name in ("RENDERER", "PARSER"):
            self._note(found, f"{name} {found.value!r} is Ollama's own; the template decides here")
        if name == "DRAFT":
            self._note(found, "DRAFT makes some models quicker and has no effect here")
        elif name in self._once:
            self._note(found, f"{name} is there twice; the last one counts")
        self._once[name] = found.value

    def _note(self, found: _Instruction, why: str) -> None:
        line, _ = _place(self._text, found.at)
        self._notes.append(f"Line {line}: {why}.")

    def modelfile(self) -> Modelfile:
        """Everything, as one value."""
        return Modelfile(
            sources=tuple(self.sources),
            adapters=tuple(self._adapters),
            template=self._once.get("TEMPLATE"),
            system=self._once.get("SYSTEM"),
            parameters=self._parameters,
            messages=tuple(self._messages),
            licences=tuple(self._licences),
            renderer=self._once.get("RENDERER"),
            parser=self._once.get("PARSER"),
            requires=self._once.get("REQUIRES"),
            notes=tuple(self._notes),
        )


def _instructions(text: str) -> Iterator[_Instruction]:
    at = 0
    while True:
        at = _end(_BLANK, text, at)
        if at == len(text):
            return
        if text[at] == "#":
            at = _end(_COMMENT, text, at)
            continue
        begin = at
        at = _end(_WORD, text, at)
        name = text[begin:at].upper()
        if name not in _INSTRUCTIONS:
            shown = text[begin : max(at, begin + 1)][:40]
            near = difflib.get_close_matches(name, _INSTRUCTIONS, n=1, cutoff=0.6)
            hint = f"; did you mean {near[0]}?" if near else ""
            _refuse(text, begin, f"{shown!r} is no instruction{hint}")
        at = _space_after(text, at, f"{name} needs a value")
        word = ""
        if name in ("PARAMETER", "MESSAGE"):
            word_at, at = at, _end(_WORD, text, at)
            word = text[word_at:at]
            if name == "MESSAGE" and word.lower() not in _ROLES:
                _refuse(text, word_at, f"a message is of system, user or assistant, not {word!r}")
            what = "a parameter" if name == "PARAMETER" else "a message"
            at = _space_after(text, at, f"{what} needs a name and a value")
        value, at = _value(text, at)
        yield _Instruction(name, word, value, begin)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    return cast(re.Match[str], pattern.match(text, at)).end()


def _space_after(text: str, at: int, otherwise: str) -> int:
    """Where the value begins after at least one space."""
    after = _end(_SPACES, text, at)
    if after == at:
        _refuse(text, at, otherwise)
    return after


def _value(text: str, at: int) -> tuple[str, int]:
    """A value and where it ends: quoted over any number of lines, or the rest of the line."""
    for quote, closing in _QUOTES.items():
        if text.startswith(quote, at):
            match = closing.search(text, at + len(quote))
            if match is None:
                _refuse(text, at, f"the quote {quote} is not closed at the end of a line")
            return text[at + len(quote) : match.start()], match.end()
    end = _end(_REST, text, at)
    return text[at:end].strip(" \t"), end


def _quoted(value: str, *, always: bool = False) -> str:
    """A value in the quotes that it needs."""
    plain = value.strip(" \t") == value and not re.search(r"[\r\n]", value)
    if value and plain and not value.startswith('"') and not always:
        return value
    # The lone quote for what is short; also for what three cannot say, lines that end in three.
    lone = '"' not in value and not re.search(r"[\r\n]", value)
    for quote, closing in sorted(_QUOTES.items(), reverse=not lone):
        whole = f"{quote}{value}{quote}"
        match = closing.search(whole, len(quote))
        if match is not None and match.end() == len(whole) and _value(whole, 0)[0] == value:
            return whole
    raise InputError(
        "A text has a line that ends in quotes, which a Modelfile cannot say.",
        code="bad_modelfile",
        remedy="End the line otherwise, with a full stop for example.",
    )


def _decoded(data: bytes) -> str:
    if len(data) > MAX_MODELFILE_BYTES:
        _refuse("", 0, f"it is longer than {MAX_MODELFILE_BYTES} bytes")
    encoding = "utf-8"
    for mark, marked in _MARKS.items():
        if data.startswith(mark):
            encoding, data = marked, data[len(mark) :]
            break
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        _refuse(before, len(before), f"it is not {encoding.upper()}")


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column of a place, both from 1."""
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _refuse(text: str, at: int, why: str) -> NoReturn:
    line, column = _place(text, at)
    end = "" if why.endswith("?") else "."
    raise InputError(
        f"The Modelfile is not valid at line {line}, column {column}: {why}{end}",
        code="bad_modelfile",
        remedy="docs/reference/modelfile.md lists every instruction and parameter.",
        details={"line": line, "column": column},
    )
