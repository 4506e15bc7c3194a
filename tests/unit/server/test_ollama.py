from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from metier.errors import InputError
from metier.generating import Embedded, Piece, Taken, TokenChance, ToolCall, Written
from metier.server import ollama
from metier.server.ollama_reading import parse_chat, parse_generate
from metier.server.problems import Problem
from stand_in.models import ALL, TAKEN, listing

CALLS = (ToolCall("f", {"a": 1}, "call_1"), ToolCall("g", {}))


def chat(**fields: Any) -> ollama.Answer:
    asked = parse_chat({"model": "library/Tiny:latest", "messages": [{"role": "user"}], **fields})
    return ollama.Answer(asked, "chat")


def generate(**fields: Any) -> ollama.Answer:
    return ollama.Answer(parse_generate({"model": "tiny", "prompt": "x", **fields}), "generate")


def read(body: bytes | None) -> dict[str, Any]:
    assert body is not None
    return json.loads(body)


def test_a_piece_is_one_line_that_repeats_the_name_as_asked() -> None:
    line = chat().piece(Piece("Hé"))
    assert line is not None
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    told = read(line)
    assert told.pop("created_at")
    assert told == {
        "model": "library/Tiny:latest",
        "message": {"role": "assistant", "content": "Hé"},
        "done": False,
    }
    assert read(generate().piece(Piece("a")))["response"] == "a"


def test_created_at_has_nanoseconds_and_a_zone() -> None:
    assert ollama.moment(1_764_000_000_123_456_789) == "2025-11-24T16:00:00.123456789Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", ollama.moment())
    assert datetime.fromisoformat(ollama.moment()).tzinfo is not None


def test_an_empty_piece_says_nothing() -> None:
    assert chat().piece(Piece()) is None


def test_thoughts_stand_beside_the_text() -> None:
    assert read(chat().piece(Piece(thinking="Hm")))["message"] == {
        "role": "assistant",
        "content": "",
        "thinking": "Hm",
    }
    told = read(generate().piece(Piece(thinking="Hm")))
    assert (told["response"], told["thinking"]) == ("", "Hm")


def test_arguments_of_a_call_are_an_object_and_calls_are_counted() -> None:
    answer = chat()
    first = read(answer.piece(Piece(tool_calls=CALLS[:1])))["message"]["tool_calls"]
    second = read(answer.piece(Piece(tool_calls=CALLS[1:])))["message"]["tool_calls"]
    assert first == [{"id": "call_1", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}]
    assert second == [{"function": {"index": 1, "name": "g", "arguments": {}}}]


def test_the_last_line_has_whole_nanoseconds_and_tokens() -> None:
    told = read(chat().end(Written("Hello", finish="length", taken=TAKEN)))
    assert told["message"] == {"role": "assistant", "content": ""}
    assert (told["done"], told["done_reason"]) == (True, "length")
    assert told["load_duration"] == 250_000_000
    assert told["prompt_eval_duration"] == 500_000_000
    assert told["eval_duration"] == 750_000_000
    assert (told["prompt_eval_count"], told["eval_count"]) == (7, 3)
    assert isinstance(told["total_duration"], int)
    assert "truncated" not in told
    assert "context" not in told


def test_a_conversation_that_was_cut_says_so() -> None:
    assert read(chat().end(Written("", truncated=True)))["truncated"] is True
    assert read(chat().whole(Written("", truncated=True)))["truncated"] is True


def test_a_prompt_gives_its_tokens_back_unless_it_was_raw() -> None:
    written = Written("a", context=(1, 2))
    assert read(generate().end(written))["context"] == [1, 2]
    assert read(generate().whole(written))["context"] == [1, 2]
    assert "context" not in read(generate(raw=True).whole(written))
    assert "context" not in read(chat().whole(written))


def test_a_whole_answer_is_one_object() -> None:
    written = Written(
        "Hello", thinking="Hm", tool_calls=CALLS, chances=(TokenChance("H", -0.5, b"H"),)
    )
    told = read(chat(stream=False).whole(written))
    assert told["message"]["content"] == "Hello"
    assert told["message"]["thinking"] == "Hm"
    assert [call["function"]["name"] for call in told["message"]["tool_calls"]] == ["f", "g"]
    assert told["logprobs"] == [{"token": "H", "logprob": -0.5, "bytes": [72]}]
    assert told["done"] is True


def test_chances_have_alternatives_and_no_infinity() -> None:
    other = TokenChance("b", -math.inf, b"b")
    told = ollama.chances([TokenChance("é", -0.1, "é".encode(), (other,))])
    assert told[0]["bytes"] == [195, 169]
    assert told[0]["top_logprobs"] == [{"token": "b", "logprob": -3.4e38, "bytes": [98]}]
    json.dumps(told, allow_nan=False)


def test_half_a_character_does_not_break_the_line() -> None:
    assert read(chat().piece(Piece("a\ud800b")))["message"]["content"] == "a?b"


def test_loading_and_unloading_say_so() -> None:
    told = read(generate(prompt="").only("load", 0.5))
    assert (told["response"], told["done"], told["done_reason"]) == ("", True, "load")
    assert told["load_duration"] == 500_000_000
    told = read(chat(messages=[]).only("unload"))
    assert told["message"] == {"role": "assistant", "content": ""}
    assert told["done_reason"] == "unload"


def test_vectors_have_unit_length_and_may_be_cut() -> None:
    given = Embedded(((3.0, 4.0, 12.0), (0.0, 0.0, 0.0)), 5, taken=Taken(load=0.5))
    told = read(ollama.embedded("a:b", given, dimensions=2, total=0.001))
    assert told["embeddings"] == [[0.6, 0.8], [0.0, 0.0]]
    assert told["model"] == "a:b"
    assert (told["total_duration"], told["load_duration"]) == (1_000_000, 500_000_000)
    assert told["prompt_eval_count"] == 5
    whole = read(ollama.embedded("a", given, dimensions=0, total=0.0))["embeddings"][0]
    assert math.isclose(math.hypot(*whole), 1.0)
    assert read(ollama.embedded("a", Embedded((), 0), dimensions=0, total=0.0))["embeddings"] == []
    cut = replace(given, truncated=True)
    assert read(ollama.embedded("a", cut, dimensions=0, total=0.0))["truncated"] is True


def test_the_older_vector_is_as_the_model_gives_it() -> None:
    assert read(ollama.embedding(Embedded(((3.0, 4.0),), 1))) == {"embedding": [3.0, 4.0]}
    assert read(ollama.embedding(None)) == {"embedding": []}


def test_the_version_is_three_numbers_that_editors_accept() -> None:
    """Open WebUI takes int() of each part; VS Code wants 0.6.4 or later."""
    version = read(ollama.version())["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert tuple(int(part) for part in version.split(".")) >= (0, 6, 4)


def test_there_is_no_cloud() -> None:
    assert read(ollama.status()) == {"cloud": {"disabled": True, "source": "config"}}


def test_a_broken_stream_ends_with_a_text() -> None:
    line = ollama.failed(Problem(500, "It broke.", "engine_ended", "Try again."))
    assert read(line) == {"error": "It broke. Try again."}
    assert line.endswith(b"\n")


ABILITIES = [
    ({"think": True}, "thinking"),
    ({"think": "low"}, "thinking"),
    ({"tools": [{"function": {"name": "f"}}]}, "tools"),
    ({"messages": [{"role": "user", "images": ["aGk="]}]}, "images"),
]


@pytest.mark.parametrize(("fields", "ability"), ABILITIES)
def test_what_a_model_cannot_do_is_refused_in_ollamas_words(
    fields: dict[str, Any], ability: str
) -> None:
    asked = chat(**fields).asked
    with pytest.raises(InputError) as caught:
        ollama.check_abilities(asked, listing("tiny", "generate", "completion"), "chat")
    assert caught.value.message == f'"library/Tiny:latest" does not support {ability}'
    assert caught.value.code == "no_capability"
    ollama.check_abilities(asked, listing("tiny", "generate", *ALL), "chat")
    ollama.check_abilities(asked, listing("sveltekit", "chat", "completion"), "chat")


def test_filling_in_needs_a_model_that_can() -> None:
    asked = generate(suffix="x").asked
    with pytest.raises(InputError, match="does not support insert"):
        ollama.check_abilities(asked, listing("a", "generate", "completion"), "generate")


def test_the_vercel_provider_says_think_false_to_every_model() -> None:
    asked = chat(think=False).asked
    ollama.check_abilities(asked, listing("a", "generate", "completion"), "chat")


@pytest.mark.parametrize("task", ["embed", "classify", "search", "rerank"])
def test_what_does_not_write_is_refused(task: str) -> None:
    with pytest.raises(InputError, match="does not support chat"):
        ollama.check_abilities(chat().asked, listing("a", task, task), "chat")
