"""Chunks become pieces; chances go with the text that they are of."""

from __future__ import annotations

from typing import Any

from metier.engines.llamacpp import LocalWorker
from metier.engines.llamacpp.asking import Asked
from metier.engines.llamacpp.writing import Answer, chances, taken
from metier.engines.prompting import Parser
from metier.generating import Options, Piece, Question, Taken, TokenChance, Voice
from tiny_gguf import NEVER_ENDING

LOGPROBS = {
    "content": [
        {
            "token": "a",
            "logprob": -0.5,
            "bytes": [97],
            "top_logprobs": [
                {"token": "a", "logprob": -0.5, "bytes": [97]},
                {"token": "b", "logprob": -1.5, "bytes": [98]},
            ],
        }
    ]
}
LAST: dict[str, Any] = {
    "choices": [{"text": "", "logprobs": None, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    "timings": {"prompt_ms": 500.0, "predicted_ms": 250.0, "cache_n": 1},
    "__verbose": {"tokens": [], "tokens_predicted": 2},
}


def test_alternatives_are_as_many_as_were_asked_for() -> None:
    a = TokenChance("a", -0.5, b"a")
    assert chances(LOGPROBS, 0) == (a,)
    assert chances(LOGPROBS, 1)[0].top == (a,)
    assert [other.token for other in chances(LOGPROBS, 5)[0].top] == ["a", "b"]


def test_what_the_last_chunk_says() -> None:
    assert taken(LAST) == Taken(0.0, 0.0, 0.5, 0.25, 3, 1, 2)


def test_text_and_its_chances_are_one_piece() -> None:
    pieces: list[Piece] = []
    answer = Answer(pieces.append, 0)
    asked = Asked({}, [1], Parser(None), truncated=False, nothing=False, whole=False)
    choice = {"text": "a", "logprobs": LOGPROBS, "finish_reason": None}
    answer.read({"choices": [choice], "__verbose": {"tokens": [7]}}, asked)
    answer.read(LAST, asked)
    assert pieces == [Piece("a", chances=(TokenChance("a", -0.5, b"a"),))]
    assert (answer.tokens, answer.full, answer.ended) == ([7], True, True)


def test_nothing_is_written_where_nothing_is_wanted(worker: LocalWorker) -> None:
    written = worker.ask(Question(prompt="The", options=Options(num_predict=0)), Voice())
    assert (written.text, written.finish, written.taken.tokens_out) == ("", "length", 0)
    assert written.taken.tokens_in > 0


def test_a_context_that_shifts_writes_more_than_it_holds(worker: LocalWorker) -> None:
    options = Options(num_predict=1500, temperature=1.0, seed=1, logit_bias=NEVER_ENDING)
    shifted = worker.ask(Question(prompt="The", options=options, shift=True), Voice())
    assert shifted.taken.tokens_out == 1500
    stopped = worker.ask(Question(prompt="The", options=options), Voice())
    assert stopped.finish == "length"
    assert stopped.taken.tokens_out + stopped.taken.tokens_in == 1024
