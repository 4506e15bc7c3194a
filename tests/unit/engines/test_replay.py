"""Recorded answers: the same in the same order, and never taken for a base that writes."""

from __future__ import annotations

import gzip
import json

import pytest

from metier.conversing import Sampling, Turn
from metier.engines.replay import ReplayGenerator
from metier.errors import InputError, NotFoundError, UnavailableError

LINES = [
    {"task": "counter", "model": "a", "text": "one", "tokens_out": 3, "prompt": "Write a counter."},
    {"task": "hello", "model": "a", "text": "hi", "prompt": "Say hello."},
    {"task": "counter", "model": "a", "text": "two", "finish": "length"},
    {"task": "counter", "model": "b", "text": "other"},
]
PLAIN = Sampling()


def ask(text: str) -> list[Turn]:
    return [Turn("system", "You write."), Turn("user", text)]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "recorded.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in LINES) + "\n\n", "utf-8")
    return file


def test_the_nth_call_gives_the_nth_answer(path) -> None:
    generator = ReplayGenerator(path, model="a").at("counter")
    drafts = [generator.generate(ask("anything"), PLAIN) for _ in range(2)]
    assert [(draft.text, draft.finish, draft.tokens_out) for draft in drafts] == [
        ("one", "stop", 3),
        ("two", "length", 0),
    ]
    with pytest.raises(UnavailableError) as caught:
        generator.generate(ask("anything"), PLAIN)
    assert caught.value.code == "replay_exhausted"


def test_each_task_starts_anew(path) -> None:
    generator = ReplayGenerator(path)
    assert generator.tasks == ("counter", "hello")
    for _ in range(2):
        assert generator.at("counter").generate(ask("?"), PLAIN).text == "one"
    with pytest.raises(NotFoundError):
        generator.at("other")


def test_a_prompt_is_known_by_the_end_of_the_last_question(path) -> None:
    generator = ReplayGenerator(path)
    said = generator.generate(ask("<documents>…</documents>\n\nSay hello.\n"), PLAIN)
    assert said.text == "hi"
    with pytest.raises(NotFoundError) as caught:
        generator.generate(ask("Say hello. Then correct it."), PLAIN)
    assert caught.value.code == "no_recorded_answer"


def test_it_streams_what_was_recorded(tmp_path) -> None:
    text = "x" * 1000
    generator = ReplayGenerator.of("mine", [{"task": "a", "text": text}])
    pieces: list[str] = []
    generator.at("a").generate(ask("?"), PLAIN, on_text=pieces.append)
    assert "".join(pieces) == text
    assert len(pieces) > 5
    assert generator.name == "replay:mine"


def test_it_may_not_answer_people(path) -> None:
    generator = ReplayGenerator(path, model="b")
    assert not generator.servable
    assert generator.name == "replay:recorded.jsonl#b"


def test_the_digest_is_that_of_the_lines(path, tmp_path) -> None:
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert ReplayGenerator(path).digest == ReplayGenerator(packed).digest
    assert ReplayGenerator(path).digest != ReplayGenerator(path, model="a").digest
    assert ReplayGenerator(path).at("hello").digest == ReplayGenerator(path).digest


def test_a_stop_is_kept(path) -> None:
    with pytest.raises(InputError) as caught:
        ReplayGenerator(path).at("hello").generate(ask("?"), PLAIN, cancelled=lambda: True)
    assert caught.value.code == "cancelled"


@pytest.mark.parametrize(
    "text",
    ["nonsense", "[1]", '{"task": "a"}', '{"text": "a"}', '{"task": "a", "text": 1}'],
)
def test_lines_that_are_no_records_are_refused(tmp_path, text) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(LINES[0]) + "\n" + text, "utf-8")
    with pytest.raises(InputError, match="line 2") as caught:
        ReplayGenerator(file)
    assert caught.value.code == "bad_replay"


def test_files_that_are_not_there_or_not_text(tmp_path) -> None:
    with pytest.raises(NotFoundError):
        ReplayGenerator(tmp_path / "none.jsonl")
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(b"\x1f\x8b" + b"x" * 20)
    with pytest.raises(InputError):
        ReplayGenerator(broken)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(NotFoundError):
        ReplayGenerator(tmp_path / "empty.jsonl")
