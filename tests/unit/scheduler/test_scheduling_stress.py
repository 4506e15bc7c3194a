"""Eight threads, three models, room for two, processes killed at random: everybody is answered."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace

import pytest

from metier.errors import MetierError
from metier.generating import Question, Residence, Voice
from metier.scheduler import Limits, LocalScheduler, Measured, Shape
from metier.scheduler.sizing import MARGIN
from scripted_worker import ScriptedWorker, Workshop, residence

WEIGHTS = 1 << 20
ONE = WEIGHTS + MARGIN + int(WEIGHTS * 0.02)
SECONDS = 2.5


class Watched(Workshop):
    """Notes when more workers live than there is room for."""

    def __init__(self) -> None:
        super().__init__(delay=0.004, pause=0.001)
        self.most_alive = 0

    def open(self, wanted: Residence) -> ScriptedWorker:
        worker = super().open(wanted)
        self.most_alive = max(self.most_alive, len(self.alive))
        return worker


def over(workshop: Workshop) -> LocalScheduler:
    return LocalScheduler(
        workshop.open,
        measure=lambda wanted: Measured(
            replace(wanted, adapters=residence("-", "x", "y").adapters),
            Shape(weights=WEIGHTS, trained=8192),
        ),
        at_hand=lambda held: 2 * ONE,
        limits=Limits(keep_alive=0.02, queue=64, patience=0.01),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_gets_an_answer_or_a_clear_error(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metier.scheduler.faults.PAUSE", 0.05)
    workshop = Watched()
    scheduler = over(workshop)
    end = time.monotonic() + SECONDS
    answers: list[str] = []
    errors: list[str] = []
    evicted: list[str] = []

    def ask(number: int) -> None:
        dice = random.Random(seed * 100 + number)
        while time.monotonic() < end:
            base = dice.choice("abc")
            wanted = residence(
                base, *dice.choice([(), ("x",), ("y",)]), num_ctx=dice.choice([None, 2048, 8192])
            )
            keep = dice.choice([None, 0, -1, 0.001, 0.05])
            try:
                with scheduler.use(wanted, name=f"{base}{number % 2}", keep_alive=keep) as lease:
                    worker = lease.worker
                    assert isinstance(worker, ScriptedWorker)
                    try:
                        answers.append(worker.ask(Question(prompt="hi"), Voice()).text)
                    finally:
                        if worker.closed and not worker.killed:
                            evicted.append(base)
            except MetierError as error:
                errors.append(error.code)

    def kill() -> None:
        dice = random.Random(seed)
        while time.monotonic() < end:
            time.sleep(0.01)
            with workshop.lock:
                alive = [worker for worker in workshop.opened if worker.alive]
            if alive:
                dice.choice(alive).die()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    threads.append(threading.Thread(target=kill))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 10)
    assert not any(thread.is_alive() for thread in threads)
    assert workshop.most_at_once == 1, "two loads of one key at once"
    assert workshop.most_alive <= 2, "more workers than there is room for"
    assert evicted == [], "one was evicted in use"
    assert set(errors) <= {"engine_ended", "engine_failed", "queue_full"}
    assert len(answers) > 50
    assert set(answers) == {"You said: hi."}
    scheduler.close()
    assert workshop.alive == []
    assert scheduler._held == []
