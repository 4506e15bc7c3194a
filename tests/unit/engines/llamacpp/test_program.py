"""The desk inside the worker: what is asked wrongly does not end it."""

from __future__ import annotations

import threading

import pytest

from metier.engines.llamacpp import LocalWorker
from metier.errors import InputError, InternalError
from metier.generating import Options, Question, Voice
from tiny_gguf import NEVER_ENDING


def test_a_defect_in_one_request_does_not_end_the_others(worker: LocalWorker) -> None:
    with pytest.raises(InternalError):
        worker._done({"do": "nothing like this"}, None)
    with pytest.raises(InternalError):
        worker._done({"do": "ask", "question": {"prompt": 5}, "voice": {}, "pieces": False}, None)
    assert worker.tokens("a")


def test_what_a_caller_may_say_wrongly_is_an_error_of_theirs(worker: LocalWorker) -> None:
    for question, code in (
        (Question(prompt="a", options=Options(temperature=float("nan"))), "bad_options"),
        (Question(prompt="a", template="{{", messages=()), None),
    ):
        if code is None:
            worker.ask(question, Voice())
            continue
        with pytest.raises(InputError) as caught:
            worker.ask(question, Voice())
        assert caught.value.code == code


def test_answers_that_outgrow_the_context_wait_instead_of_failing(worker: LocalWorker) -> None:
    counts: list[int] = []

    def ask(number: int) -> None:
        options = Options(num_predict=700, seed=number, logit_bias=NEVER_ENDING)
        written = worker.ask(Question(prompt="The quick brown fox", options=options), Voice())
        counts.append(written.taken.tokens_out)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counts == [700] * 4
