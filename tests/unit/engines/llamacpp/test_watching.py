"""Two spans without a beat end it; beats, and being over, do not."""

from __future__ import annotations

import threading
import time

from metier.engines.llamacpp import LocalWorker
from metier.engines.llamacpp.watching import Watch
from metier.generating import Constraint, Options, Question, Voice


def test_silence_ends_it() -> None:
    ended = threading.Event()
    with Watch(0.02, ended.set):
        assert ended.wait(10)


def test_beats_and_being_over_do_not() -> None:
    ended = threading.Event()
    with Watch(0.2, ended.set) as watch:
        for _ in range(30):
            watch.beat()
            time.sleep(0.02)
    time.sleep(0.5)
    assert not ended.is_set()


def test_a_grammar_is_held_under_the_watch(worker: LocalWorker) -> None:
    question = Question(
        prompt="Say",
        constraint=Constraint("grammar", 'root ::= "yes" | "no"'),
        options=Options(num_predict=20),
    )
    assert worker.ask(question, Voice()).text in ("yes", "no")
