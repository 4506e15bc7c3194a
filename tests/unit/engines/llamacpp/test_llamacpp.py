"""The package loads neither side; a worker answers as its Worker protocol says."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import metier.engines.llamacpp as package
from metier.engines.llamacpp import LocalWorker
from metier.errors import InputError
from metier.generating import (
    AdapterWeights,
    Constraint,
    Message,
    Options,
    Piece,
    Question,
    TokenChance,
    Voice,
)
from tiny_gguf import NEVER_ENDING

CALM = Options(num_predict=8, temperature=0.0, seed=1)


def distribution(worker: LocalWorker, voice: Voice, text: str) -> dict[bytes, float]:
    once = Options(num_predict=1, temperature=0.0, logit_bias=NEVER_ENDING)
    question = Question(prompt=text, options=once, logprobs=True, top_logprobs=20)
    (chance,) = worker.ask(question, voice).chances
    return {other.raw: other.logprob for other in chance.top}


def apart(one: dict[bytes, float], other: dict[bytes, float]) -> float:
    return max(abs(one[token] - other.get(token, -9.0)) for token in sorted(one, key=one.get)[-8:])  # type: ignore[arg-type]


def test_importing_it_loads_neither_side() -> None:
    code = (
        "import sys, metier.engines.llamacpp;"
        "print([n for n in sys.modules if 'sandbox' in n or n == 'xllamacpp' or 'llamacpp.' in n])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_there_is_nothing_else_in_it() -> None:
    with pytest.raises(AttributeError):
        package.nothing  # noqa: B018


def test_pieces_are_the_answer(worker: LocalWorker) -> None:
    pieces: list[Piece] = []
    asked = Question(messages=(Message("user", "Hello"),), options=CALM)
    written = worker.ask(asked, Voice(), on_piece=pieces.append)
    assert "".join(piece.text for piece in pieces) == written.text != ""
    assert written.taken.tokens_out in range(1, 9)
    assert written.taken.tokens_in == len(written.context) - written.taken.tokens_out
    assert written.taken.total >= written.taken.prompt + written.taken.writing > 0
    assert worker.ask(asked, Voice()).text == written.text


def test_a_context_goes_on_where_it_ended(worker: LocalWorker) -> None:
    voice = Voice()
    whole = worker.ask(Question(prompt="The quick", options=CALM), voice)
    short = Options(temperature=0.0, num_predict=4)
    first = worker.ask(Question(prompt="The quick", options=short), voice)
    rest = worker.ask(
        Question(prompt="", context=first.context, options=short),
        voice,
    )
    assert (*first.context, *rest.context[len(first.context) :]) == whole.context


def test_four_threads_with_different_adapters_get_their_own(
    worker: LocalWorker, adapters: tuple[AdapterWeights, ...]
) -> None:
    voices = [Voice(), *(Voice({adapter.digest: 1.0}) for adapter in adapters)]
    voices.append(Voice({adapters[0].digest: 0.5, adapters[1].digest: 0.5}))
    texts = ["The quick brown fox", "A function returns", "One two three"]
    alone = {(v, t): distribution(worker, voices[v], t) for v in range(4) for t in texts}
    assert all(apart(alone[0, t], alone[v, t]) > 0.3 for v in (1, 2) for t in texts)
    wrong: list[float] = []

    def ask(number: int) -> None:
        for turn in range(12):
            voice, text = (number + turn) % 4, texts[turn % 3]
            distance = apart(distribution(worker, voices[voice], text), alone[voice, text])
            if distance > 0.02:
                wrong.append(distance)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_answer_keeps_to_a_schema_and_a_grammar(worker: LocalWorker) -> None:
    hot = Options(temperature=1.0, num_predict=200, seed=5)
    schema = {
        "type": "object",
        "properties": {"a": {"type": "boolean"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    for kind, value, fits in (
        ("schema", schema, ('{"a":true}', '{"a":false}')),
        ("grammar", 'root ::= "yes" | "no"', ("yes", "no")),
    ):
        constraint = Constraint(kind, value)  # type: ignore[arg-type]
        asked = Question(prompt="Answer: ", constraint=constraint, options=hot)
        assert "".join(worker.ask(asked, Voice()).text.split()) in fits


def test_a_required_tool_is_called(worker: LocalWorker) -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"enum": ["Paris", "Rome"]}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
    asked = Question(
        messages=(Message("user", "weather"),), tools=(tool,), tool_choice="required",
        options=Options(temperature=1.0, num_predict=400, seed=2),
    )  # fmt: skip
    written = worker.ask(asked, Voice())
    (call,) = written.tool_calls
    assert call.name == "weather"
    assert call.arguments["city"] in ("Paris", "Rome")
    assert written.text == ""


def test_log_probabilities_are_true_ones(worker: LocalWorker) -> None:
    asked = Question(prompt="The", options=CALM, logprobs=True, top_logprobs=3)
    written = worker.ask(asked, Voice())
    assert "".join(chance.token for chance in written.chances) == written.text
    for chance in written.chances:
        assert len(chance.top) == 3
        assert chance.top[0] == TokenChance(chance.token, chance.logprob, chance.raw)
        assert sum(2.718281828**other.logprob for other in chance.top) < 1.0
    bare = worker.ask(Question(prompt="The", options=CALM, logprobs=True), Voice())
    assert [chance.top for chance in bare.chances] == [()] * len(bare.chances)


def test_stop_ends_and_is_left_out(worker: LocalWorker) -> None:
    whole = worker.ask(Question(prompt="The", options=CALM), Voice()).text
    stop = whole[3:5]
    cut = Options(num_predict=8, temperature=0.0, stop=(stop,))
    written = worker.ask(Question(prompt="The", options=cut), Voice())
    assert written.text == whole[: whole.index(stop)]
    assert written.finish == "stop"


def test_a_gap_is_filled_by_the_models_own_tokens(worker: LocalWorker) -> None:
    written = worker.ask(Question(prompt="def f(", suffix="return x", options=CALM), Voice())
    marks = [worker.tokens(f"<|fim_{name}|>")[0] for name in ("prefix", "suffix", "middle")]
    assert [token for token in written.context if token in marks] == marks


def test_too_long_a_prompt_is_refused_with_both_numbers(worker: LocalWorker) -> None:
    with pytest.raises(InputError) as caught:
        worker.ask(Question(prompt="a " * 2000, options=CALM), Voice())
    assert caught.value.code == "prompt_too_long"
    assert caught.value.details["context"] == worker.context == 1024
    assert caught.value.details["tokens"] > 1024


def test_a_conversation_may_lose_its_oldest_messages(worker: LocalWorker) -> None:
    talk = [Message("system", "Be brief.")]
    for turn in range(40):
        talk += [Message("user", f"question {turn} " * 8), Message("assistant", "answer " * 8)]
    talk.append(Message("user", "last"))
    with pytest.raises(InputError):
        worker.ask(Question(messages=tuple(talk), options=CALM), Voice())
    written = worker.ask(Question(messages=tuple(talk), options=CALM, truncate=True), Voice())
    assert written.truncated
    assert written.taken.tokens_in < 1024


def test_pictures_need_a_projector(worker: LocalWorker) -> None:
    asked = Question(messages=(Message("user", "what?", pictures=(b"PNG",)),), options=CALM)
    with pytest.raises(InputError) as caught:
        worker.ask(asked, Voice())
    assert caught.value.code == "no_capability"


def test_half_characters_are_held_back(worker: LocalWorker) -> None:
    halves = dict.fromkeys(worker.tokens("éÿ😀"), 60.0)
    pieces: list[Piece] = []
    options = Options(temperature=1.0, num_predict=60, seed=3, logit_bias=halves)
    written = worker.ask(Question(prompt="x", options=options), Voice(), on_piece=pieces.append)
    assert "".join(piece.text for piece in pieces) == written.text
    assert written.taken.tokens_out == 60 or written.finish == "stop"
