"""``metier run`` with a local model, over a model that is written down."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from metier.cli import chatting
from metier.cli.chatting import Wanted, chat, constraint_of
from metier.cli.dialogue import Dialogue
from metier.errors import InputError, UnavailableError
from metier.generating import (
    Constraint,
    Message,
    ModelListing,
    ModelSheet,
    Order,
    Piece,
    Question,
    Taken,
    Written,
)

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Parrot:
    """Says what it was told, word by word, and keeps what was asked of it."""

    asked: list[tuple[str, Question, dict[str, Any]]] = field(default_factory=list)
    made: list[Order] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    fails: MetierErrorSoon | None = None
    truncated: bool = False
    interrupts: bool = False

    def ask(self, name: str, question: Question, **how: Any) -> Written:
        self.asked.append((name, question, how))
        if self.fails is not None:
            raise self.fails
        text = question.messages[-1].text
        on_piece = how.get("on_piece")
        for word in text.split():
            if self.interrupts:
                os.kill(os.getpid(), signal.SIGINT)
                assert how["cancelled"]()
                raise InputError("It was stopped.", code="cancelled")
            if on_piece:
                on_piece(Piece(text=f"{word} "))
        return Written(text, truncated=self.truncated, taken=Taken(1.0, 0.1, 0.2, 0.5, 9, 0, 3))

    def load(self, name: str, **_how: Any) -> float:
        self.loaded.append(name)
        return 0.1

    def sheet(self, name: str, *, verbose: bool = False) -> ModelSheet:
        listing = ModelListing(name, "0" * 64, 1_500_000, "2026-01-01", "generate")
        return ModelSheet(listing, template="{{ .Prompt }}", parameters={"top_k": 5}, context=4096)

    def create(self, order: Order, *, report: Any) -> ModelListing:
        self.made.append(order)
        return ModelListing(order.name, "0" * 64, 1, "2026-01-01", "generate")


MetierErrorSoon = UnavailableError | InputError
WANTED = Wanted(Dialogue("tiny"))


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is piped in; ``None`` is a person."""

    def pipe(text: str | None) -> None:
        source = io.StringIO(text or "")
        monkeypatch.setattr(source, "isatty", lambda: text is None)
        monkeypatch.setattr(sys, "stdin", source)

    return pipe


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, piped: Any, tmp_path: Path) -> Any:
    """Talks to a parrot in the terminal: lines in, the parrot back."""

    def run(lines: Iterable[str], wanted: Wanted = WANTED, **parrot: Any) -> Parrot:
        piped(None)
        left = list(lines)

        def read(_prompt: str) -> str:
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr(chatting, "keyboard", lambda _history, _commands: read)
        bird = Parrot(**parrot)
        assert chat(bird, wanted, tmp_path / "history") == 0  # type: ignore[arg-type]
        return bird

    return run


def once(wanted: Wanted, tmp_path: Path, **parrot: Any) -> Parrot:
    bird = Parrot(**parrot)
    assert chat(bird, wanted, tmp_path / "history") == 0  # type: ignore[arg-type]
    return bird


def test_words_are_answered_once(piped: Any, tmp_path: Path, capsys: Any):
    piped(None)
    bird = once(replace(WANTED, words="hello there", keep_alive=7.0), tmp_path)
    assert capsys.readouterr().out == "hello there \n"
    assert bird.asked[0][0] == "tiny"
    assert bird.asked[0][2]["keep_alive"] == 7.0


def test_what_is_piped_in_goes_along(piped: Any, tmp_path: Path):
    piped("def f(): pass\n")
    bird = once(replace(WANTED, words="explain:"), tmp_path)
    assert bird.asked[0][1].messages[-1].text == "explain:\n\ndef f(): pass"


def test_paths_in_piped_text_are_not_opened(piped: Any, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    piped(f"see {tmp_path}/a.png")
    assert once(WANTED, tmp_path).asked[0][1].messages[-1].pictures == ()


def test_pictures_come_by_option_and_by_path(piped: Any, tmp_path: Path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(PNG + name.encode())
    piped(None)
    words = f"compare with {tmp_path}/b.png"
    bird = once(replace(WANTED, words=words, pictures=(tmp_path / "a.png",)), tmp_path)
    asked = bird.asked[0][1].messages[-1]
    assert (asked.text, asked.pictures) == ("compare with", (PNG + b"a", PNG + b"b"))


def test_nothing_piped_in_is_an_error(piped: Any, tmp_path: Path):
    piped("  \n")
    with pytest.raises(InputError, match="nothing to answer"):
        chat(Parrot(), WANTED, tmp_path / "history")  # type: ignore[arg-type]


def test_json_is_one_document(piped: Any, tmp_path: Path, capsys: Any):
    piped(None)
    bird = once(replace(WANTED, words="hi", as_json=True), tmp_path)
    document = json.loads(capsys.readouterr().out)
    assert document["text"] == "hi"
    assert document["taken"]["tokens_in"] == 9
    assert bird.asked[0][2]["on_piece"] is None


def test_a_conversation_remembers(talk: Any, capsys: Any):
    bird = talk(["hello", "", "/set system Be brief.", "again", "/bye", "never"])
    assert [name for name, _, _ in bird.asked] == ["tiny", "tiny"]
    assert bird.loaded == ["tiny"]
    roles = [message.role for message in bird.asked[1][1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert "again" in capsys.readouterr().out


def test_commands_show_load_and_save(talk: Any, capsys: Any):
    bird = talk(
        [
            "/show info",
            "/show template",
            "/show parameters",
            "/show license",
            "/set parameter seed 4",
            "one",
            "/save mine",
            "/load other",
            "two",
            "/?",
        ]
    )
    told = capsys.readouterr()
    assert "1.5 MB" in told.out
    assert "{{ .Prompt }}" in told.out
    assert "top_k  5" in told.out
    assert "No licence is recorded." in told.out
    assert "/save NAME" in told.err
    order = bird.made[0]
    assert (order.name, order.base, order.parameters) == ("mine", "tiny", {"seed": 4})
    assert order.messages == (Message("user", "one"), Message("assistant", "one"))
    assert bird.asked[-1][0] == "other"


def test_an_error_ends_the_turn_and_not_the_conversation(talk: Any, capsys: Any):
    failing = UnavailableError("The engine ended.", code="engine_ended", remedy="Ask again.")
    bird = talk(["one", "/nonsense", "two"], fails=failing)
    assert len(bird.asked) == 2
    assert len(bird.asked[1][1].messages) == 1
    told = capsys.readouterr().err
    assert told.count("The engine ended. Ask again.") == 2
    assert "There is no command '/nonsense'. /? lists the commands." in told


def test_ctrl_c_ends_the_answer_and_leaves_the_turn_out(talk: Any):
    before = signal.getsignal(signal.SIGINT)
    bird = talk(["one", "two"], interrupts=True)
    assert len(bird.asked[1][1].messages) == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_what_was_left_out_is_said(talk: Any, capsys: Any):
    talk(["one"], Wanted(Dialogue("tiny", verbose=True)), truncated=True)
    told = capsys.readouterr().err
    assert "oldest turns were left out" in told
    assert "tokens/s" in told


def test_a_path_is_no_command(talk: Any, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    bird = talk([f"{tmp_path}/a.png what is it"])
    assert bird.asked[0][1].messages[-1].pictures == (PNG,)


def test_formats(tmp_path: Path):
    schema, grammar = tmp_path / "s.json", tmp_path / "g.gbnf"
    schema.write_text('{"type": "object"}')
    grammar.write_text('root ::= "a"')
    assert constraint_of(None) is None
    assert constraint_of("json") == Constraint("json")
    assert constraint_of(str(schema)) == Constraint("schema", {"type": "object"})
    assert constraint_of(str(grammar)) == Constraint("grammar", 'root ::= "a"')
    schema.write_text("{")
    for wrong in (str(schema), str(tmp_path / "none.json")):
        with pytest.raises(InputError) as caught:
            constraint_of(wrong)
        assert caught.value.code == "bad_format"
