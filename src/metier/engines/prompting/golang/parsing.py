"""Reads a Go template's words into a tree; refuses what the language or Ollama's words do not know.

It knows grammar, scopes of variables and nesting; it knows no value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from metier.engines.prompting.golang.lexing import Action, Text, Word, bad, lex
from metier.engines.prompting.golang.tree import (
    Branch,
    Call,
    Chain,
    Command,
    Constant,
    Dot,
    Function,
    Jump,
    Operand,
    Output,
    Pipeline,
    Statement,
    Tree,
    Variable,
    Written,
)

_MOST_NESTING = 60
_KEYWORDS = {"nil": None, "true": True, "false": False}
_CLOSERS = {"else", "end"}
_ESCAPE = re.compile(
    r"\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def parse(source: str, functions: Collection[str]) -> Tree:
    """The tree of a template.

    Args:
        source: Its text.
        functions: Names of the functions that there are.

    Raises:
        InputError: ``bad_template``, with the line and the construct.
    """
    return _Parser(source, functions).tree()


class _Parser:
    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._items: Iterator[Text | Action] = lex(source)
        self._functions = functions
        self._defined: dict[str, tuple[Statement, ...]] = {}
        self._variables = ["$"]
        self._names: set[str] = set()
        self._loops = 0
        self._depth = 0

    def tree(self) -> Tree:
        body, _ = self._block(0)
        return Tree(body, self._defined, frozenset(self._names))

    def _block(self, opened: int) -> tuple[tuple[Statement, ...], Action | None]:
        """Statements up to ``else``, ``end`` (which is returned) or the end of the text."""
        self._depth += 1
        if self._depth > _MOST_NESTING:
            raise bad(f"more than {_MOST_NESTING} blocks inside each other", opened)
        statements: list[Statement] = []
        for item in self._items:
            if isinstance(item, Text):
                statements.append(Written(item.text))
                continue
            word = item.words[0] if item.words else None
            if word is None:
                raise bad("an action is empty", item.line)
            if word.kind == "name" and word.text in _CLOSERS:
                if not opened:
                    raise bad(f"{word.text} without a block", item.line)
                self._depth -= 1
                return tuple(statements), item
            statements += self._statement(item, word)
        if opened:
            raise bad("a block is not closed by {{ end }}", opened)
        self._depth -= 1
        return tuple(statements), None

    def _statement(self, action: Action, word: Word) -> list[Statement]:
        kind = word.text if word.kind == "name" else ""
        if kind in {"if", "with", "range"}:
            return [self._branch(kind, _Words(action.words[1:], action.line))]
        if kind in {"define", "block", "template"}:
            return self._named(kind, _Words(action.words[1:], action.line))
        if kind in {"break", "continue"}:
            if not self._loops or len(action.words) > 1:
                raise bad(f"{kind} outside of a range", action.line)
            return [Jump(kind)]
        words = _Words(action.words, action.line)
        pipeline = self._pipeline(words, declares=1)
        words.over()
        return [Output(pipeline)]

    def _branch(self, kind: str, words: _Words) -> Branch:
        mark = len(self._variables)
        line = words.line
        pipeline = self._pipeline(words, declares=2 if kind == "range" else 1)
        words.over()
        self._loops += kind == "range"
        body, closer = self._block(line)
        self._loops -= kind == "range"
        otherwise: tuple[Statement, ...] = ()
        if closer is not None and closer.words[0].text == "else":
            rest = closer.words[1:]
            if rest and rest[0].text in {"if", "with"}:
                self._depth += 1
                if self._depth > _MOST_NESTING:
                    raise bad(f"more than {_MOST_NESTING} branches in a row", line)
                chained = self._branch(rest[0].text, _Words(rest[1:], closer.line))
                self._depth -= 1
                otherwise = (chained,)
            elif rest:
                raise bad(f"else {rest[0].text} is not known", closer.line)
            else:
                otherwise, closer = self._block(line)
                _check_end(closer, line)
        else:
            _check_end(closer, line)
        del self._variables[mark:]
        return Branch(kind, pipeline, body, otherwise, line)

    def _named(self, kind: str, words: _Words) -> list[Statement]:
        line = words.line
        word = words.take()
        if word is None or word.kind not in {"string", "raw"}:
            raise bad(f"{kind} needs a name in quotes", line)
        name = _unquoted(word)
        pipeline = None
        if kind == "block" or (kind == "template" and words.more()):
            pipeline = self._pipeline(words, declares=0)
        words.over()
        if kind != "template":
            variables, self._variables = self._variables, ["$"]
            loops, self._loops = self._loops, 0
            body, closer = self._block(line)
            _check_end(closer, line)
            self._variables, self._loops = variables, loops
            self._defined[name] = body
        return [] if kind == "define" else [Call(name, pipeline, line)]

    def _pipeline(self, words: _Words, *, declares: int) -> Pipeline:
        names, declared = self._declaration(words, declares)
        commands = [self._command(words)]
        while words.skip("|"):
            commands.append(self._command(words))
        for command in commands[1:]:
            if not isinstance(command.operands[0], Function | Chain):
                raise bad("only a function can be given what stands before |", words.line)
        if declared:
            self._variables += names
        else:
            for name in names:
                self._check_variable(name, words.line)
        return Pipeline(tuple(commands), words.line, names, declared)

    def _declaration(self, words: _Words, most: int) -> tuple[tuple[str, ...], bool]:
        """``$a :=``, ``$a =`` or ``$a, $b :=`` at the start of a pipeline."""
        start = words.place
        names: list[str] = []
        while most and (word := words.take()) is not None and word.kind == "variable":
            names.append(word.text)
            mark = words.take()
            if mark is not None and mark.text in {":=", "="}:
                return tuple(names), mark.text == ":="
            if mark is None or mark.text != "," or len(names) >= most:
                break
        words.place = start
        return (), False

    def _command(self, words: _Words) -> Command:
        line = words.line
        operands: list[Operand] = []
        while (word := words.peek()) is not None and word.text not in {"|", ")"}:
            if operands and not word.spaced and words.before() != "(":
                raise bad(f"a space is missing before {word.text}", line)
            operands.append(self._operand(words))
        if not operands:
            raise bad("a command is missing", line)
        first = operands[0]
        if len(operands) > 1 and isinstance(first, Constant | Dot | Variable | Pipeline):
            raise bad("only a function takes arguments", line)
        return Command(tuple(operands), line)

    def _operand(self, words: _Words) -> Operand:
        operand = self._term(words)
        names: list[str] = []
        while (word := words.peek()) is not None and word.kind == "field" and not word.spaced:
            words.take()
            names.append(word.text[1:])
        if not names:
            return operand
        if isinstance(operand, Constant | Function):
            raise bad(f"a constant has no field {names[0]}", words.line)
        self._names.update(name.lower() for name in names)
        if isinstance(operand, Chain):
            return Chain(operand.of, operand.names + tuple(names), words.line)
        return Chain(operand, tuple(names), words.line)

    def _term(self, words: _Words) -> Operand:
        word = words.take()
        line = words.line
        if word is None:
            raise bad("an operand is missing", line)
        if word.kind in {"string", "raw", "char", "number"}:
            return Constant(_constant(word))
        if word.kind == "field":
            self._names.add(word.text[1:].lower())
            return Chain(Dot(), (word.text[1:],), line)
        if word.kind == "variable":
            self._check_variable(word.text, line)
            return Variable(word.text)
        if word.text in _KEYWORDS:
            return Constant(_KEYWORDS[word.text])
        if word.kind == "name":
            if word.text not in self._functions:
                raise bad(f"the function {word.text} is not known", line)
            return Function(word.text)
        if word.text == ".":
            return Dot()
        if word.text == "(":
            return self._bracket(words)
        raise bad(f"{word.text!r} is not expected", line)

    def _bracket(self, words: _Words) -> Pipeline:
        self._depth += 1
        if self._depth > _MOST_NESTING:
            raise bad(f"more than {_MOST_NESTING} brackets inside each other", words.line)
        pipeline = self._pipeline(words, declares=0)
        if not words.skip(")"):
            raise bad("a bracket is not closed", words.line)
        self._depth -= 1
        return pipeline

    def _check_variable(self, name: str, line: int) -> None:
        self._names.add(name.lower())
        if name not in self._variables:
            raise bad(f"the variable {name} is not declared", line)


class _Words:
    """The words of one action, one after another."""

    def __init__(self, words: tuple[Word, ...], line: int) -> None:
        self._words = words
        self._line = line
        self.place = 0

    @property
    def line(self) -> int:
        """Line of the next word."""
        word = self.peek()
        return self._line if word is None else word.line

    def peek(self) -> Word | None:
        """The next word."""
        return self._words[self.place] if self.place < len(self._words) else None

    def before(self) -> str:
        """The text of the word before the next."""
        return self._words[self.place - 1].text if self.place else ""

    def take(self) -> Word | None:
        """The next word, which is then behind."""
        word = self.peek()
        self.place += word is not None
        return word

    def more(self) -> bool:
        """Whether there is another."""
        return self.place < len(self._words)

    def skip(self, text: str) -> bool:
        """Take the next word if it is this one."""
        word = self.peek()
        found = word is not None and word.kind == "mark" and word.text == text
        self.place += found
        return found

    def over(self) -> None:
        """Refuse what is left."""
        word = self.peek()
        if word is not None:
            raise bad(f"{word.text!r} is not expected", word.line)


def _check_end(closer: Action | None, line: int) -> None:
    if closer is None or closer.words[0].text != "end":
        raise bad("a block is not closed by {{ end }}", line)
    if len(closer.words) > 1:
        raise bad("end takes nothing", closer.line)


def _constant(word: Word) -> str | int | float:
    if word.kind in {"string", "raw"}:
        return _unquoted(word)
    if word.kind == "char":
        text = _unquoted(word)
        if len(text) != 1:
            raise bad(f"{word.text} is not one character", word.line)
        return ord(text)
    try:
        value = ast.literal_eval(word.text.lstrip("+"))
    except (SyntaxError, ValueError) as error:
        raise bad(f"{word.text} is not a number", word.line) from error
    if not isinstance(value, int | float) or abs(value) >= 1 << 63:
        raise bad(f"{word.text} is too large a number", word.line)
    return value


def _unquoted(word: Word) -> str:
    if word.kind == "raw":
        return word.text[1:-1].replace("\r", "")

    def letter(found: re.Match[str]) -> str:
        octal, byte, short, long, other = found.groups()
        if octal:
            return chr(int(octal, 8))
        code = byte or short or long
        if code:
            if int(code, 16) > 0x10FFFF or 0xD800 <= int(code, 16) < 0xE000:
                raise bad(f"{found.group()} is no character", word.line)
            return chr(int(code, 16))
        if other in _LETTERS or other in "\\'\"":
            return _LETTERS.get(other, other)
        raise bad(f"{found.group()} is no escape", word.line)

    return _ESCAPE.sub(letter, word.text[1:-1])
