"""What is in memory, and what happens when memory, patience or a process ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from metier.errors import InputError, MetierError, UnavailableError
from metier.generating import Question, Residence, Voice
from metier.scheduler import Limits, LocalScheduler, Measured, Shape
from metier.scheduler.faults import LIMIT
from metier.scheduler.sizing import MARGIN
from scripted_worker import MovedClock, Workshop, residence, until

WEIGHTS = 10 << 20
ONE = WEIGHTS + MARGIN + int(WEIGHTS * 0.02)


class Stage:
    """A scheduler over scripted workers, with room for ``models`` of them."""

    def __init__(self, workshop: Workshop, clock: MovedClock, **limits: Any) -> None:
        self.workshop, self.clock = workshop, clock
        self.installed: dict[str, tuple[str, ...]] = {}
        self.room = 2 * ONE
        self.scheduler = LocalScheduler(
            workshop.open,
            measure=self.measure,
            at_hand=lambda held: self.room,
            limits=Limits(**limits),
            clock=clock,
        )

    def measure(self, wanted: Residence) -> Measured:
        names = self.installed.get(wanted.weights.digest)
        if names:
            wanted = replace(wanted, adapters=residence("x", *names).adapters)
        return Measured(wanted, Shape(weights=WEIGHTS, trained=32768))

    def touch(self, wanted: Residence | str, name: str | None = None, **more: Any) -> float:
        wanted = residence(wanted) if isinstance(wanted, str) else wanted
        asked = name or wanted.weights.digest
        with self.scheduler.use(wanted, name=asked, **more) as lease:
            assert lease.worker.alive
            return lease.load_seconds

    def crash(self, base: str) -> None:
        """A request that its worker does not survive."""
        question = Question(prompt="?")
        with self.scheduler.use(residence(base), name=base) as lease:
            self.workshop.opened[-1].die()
            lease.worker.ask(question, Voice())

    @property
    def names(self) -> list[tuple[str, ...]]:
        return [resident.names for resident in self.scheduler.residents()]


@pytest.fixture
def make() -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def made(workshop: Workshop | None = None, **limits: Any) -> Stage:
        stages.append(Stage(workshop or Workshop(), MovedClock(), **limits))
        return stages[-1]

    yield made
    for stage in stages:
        stage.scheduler.close()
        assert stage.workshop.alive == []


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def test_a_model_is_loaded_once_and_stays(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.touch("a")
    assert stage.touch("a") == 0.0
    assert len(stage.workshop.opened) == 1
    (resident,) = stage.scheduler.residents()
    assert resident.names == ("a",)
    assert resident.expires == pytest.approx(stage.clock.unix() + 300)
    assert resident.users == 0


def test_the_least_recently_used_makes_room(make: Callable[..., Stage]) -> None:
    stage = make()
    for name in "abac":
        stage.clock.move(1)
        stage.touch(name)
    assert stage.workshop.alive == ["a", "c"]


def test_a_number_of_models_is_kept_to(make: Callable[..., Stage]) -> None:
    stage = make(models=1)
    stage.touch("a")
    stage.touch("b")
    assert stage.workshop.alive == ["b"]


def test_one_in_use_is_waited_for(make: Callable[..., Stage], pool: ThreadPoolExecutor) -> None:
    stage = make(models=1)
    with stage.scheduler.use(residence("a"), name="a") as lease:
        later: Future[float] = pool.submit(stage.touch, "b")
        until(lambda: stage.scheduler._waiting == 1)
        assert lease.worker.alive
        assert not later.done()
    later.result(20)
    assert stage.workshop.alive == ["b"]


def test_who_waits_is_served_though_others_keep_asking(
    make: Callable[..., Stage], pool: ThreadPoolExecutor
) -> None:
    stage = make(models=1, patience=5.0)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(stage.scheduler.use(residence("a"), name="a"))
        later = pool.submit(stage.touch, "b")
        until(lambda: stage.scheduler._waiting == 1)
        second.enter_context(stage.scheduler.use(residence("a"), name="a"))  # still its own time
        stage.clock.move(6)
        until(lambda: stage.scheduler._held[0].retiring)
        third = pool.submit(stage.touch, "a")  # has to queue up behind b now
        until(lambda: stage.scheduler._waiting == 2)
        assert not later.done()
    later.result(20)
    third.result(20)
    opened = [worker.residence.weights.digest for worker in stage.workshop.opened]
    assert opened == ["a", "b", "a"]


def test_many_who_ask_wait_for_one_load(
    make: Callable[..., Stage], pool: ThreadPoolExecutor
) -> None:
    stage = make(Workshop(delay=0.05))
    for done in [pool.submit(stage.touch, "a") for _ in range(8)]:
        done.result(20)
    assert len(stage.workshop.opened) == 1


def test_a_failed_load_fails_all_who_wait(
    make: Callable[..., Stage], pool: ThreadPoolExecutor
) -> None:
    gate = threading.Event()
    failure = InputError("The header is wrong.", code="bad_gguf")
    stage = make(Workshop(gate=gate, failures=[failure]))
    asked = [pool.submit(stage.touch, "a") for _ in range(4)]
    until(lambda: stage.scheduler._waiting == 3)
    gate.set()
    assert [type(one.exception(20)) for one in asked] == [InputError] * 4
    stage.touch("a")


@pytest.mark.parametrize(("keep", "left"), [(0, []), (-1, [("a",)]), (1000, [("a",)])])
def test_how_long_one_stays(
    make: Callable[..., Stage], keep: float, left: list[tuple[str, ...]]
) -> None:
    stage = make()
    stage.touch("a", keep_alive=keep)
    stage.clock.move(999)
    until(lambda: stage.names == left)


def test_each_request_renews_and_the_last_value_counts(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.touch("a", keep_alive=100)
    stage.clock.move(90)
    stage.touch("a")
    stage.clock.move(90)
    assert stage.names == [("a",)]
    stage.touch("a", keep_alive=5)
    stage.clock.move(6)
    until(lambda: stage.names == [])
    until(lambda: stage.scheduler._watcher is None)


def test_nothing_runs_while_nothing_is_resident(make: Callable[..., Stage]) -> None:
    stage = make()
    assert stage.scheduler._watcher is None
    stage.touch("a", keep_alive=-1)
    assert stage.scheduler._watcher is None
    stage.touch("a", keep_alive=0)
    assert stage.scheduler._watcher is None
    assert stage.workshop.alive == []


def test_names_on_one_base_leave_one_by_one(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.installed["a"] = ("x", "y")
    stage.touch(residence("a", "x"), "first", keep_alive=100)
    stage.touch(residence("a", "y"), "second", keep_alive=200)
    assert len(stage.workshop.opened) == 1
    (resident,) = stage.scheduler.residents()
    assert resident.names == ("second", "first")
    assert resident.voice_of == {"first": ("x",), "second": ("y",)}
    assert resident.stays["first"] == pytest.approx(stage.clock.unix() + 100)
    stage.clock.move(150)
    until(lambda: stage.names == [("second",)])
    assert stage.scheduler.unload("second")
    assert not stage.scheduler.unload("second")
    assert stage.workshop.alive == []


def test_one_let_go_in_use_leaves_after_its_answer(make: Callable[..., Stage]) -> None:
    stage = make()
    with stage.scheduler.use(residence("a"), name="a") as lease:
        assert stage.scheduler.unload("a")
        assert lease.worker.alive
    assert stage.workshop.alive == []


def test_a_smaller_context_reloads_nothing_a_larger_one_does(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.touch(residence("a", num_ctx=8192))
    stage.touch(residence("a", num_ctx=2048))
    stage.touch("a")
    assert len(stage.workshop.opened) == 1
    stage.touch(residence("a", num_ctx=16384))
    stage.touch(residence("a", num_ctx=8192))
    assert [worker.context for worker in stage.workshop.opened] == [8192, 16384]
    stage.touch(residence("a", num_ctx=10**7))
    stage.touch(residence("a", num_ctx=10**6))
    assert [worker.context for worker in stage.workshop.opened] == [8192, 16384, 32768]


def test_a_new_adapter_gets_a_new_worker_and_the_old_one_finishes(
    make: Callable[..., Stage],
) -> None:
    stage = make()
    stage.installed["a"] = ("x",)
    with stage.scheduler.use(residence("a", "x"), name="first") as old:
        stage.installed["a"] = ("x", "y")
        with stage.scheduler.use(residence("a", "y"), name="second") as new:
            assert new.worker is not old.worker
            assert old.worker.alive
            loaded = stage.workshop.opened[-1].residence.adapters
            assert [adapter.digest for adapter in loaded] == ["x", "y"]
            with stage.scheduler.use(residence("a", "x"), name="first") as again:
                assert again.worker is new.worker
    assert not old.worker.alive
    assert new.worker.alive


def test_a_dead_worker_is_replaced(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.touch("a")
    stage.workshop.opened[0].die()
    assert stage.names == []
    stage.touch("a")
    assert len(stage.workshop.opened) == 2


def test_crashes_in_a_row_pause_starting(make: Callable[..., Stage]) -> None:
    stage = make()
    for _ in range(LIMIT):
        with pytest.raises(UnavailableError):
            stage.crash("a")
    with pytest.raises(UnavailableError, match=f"failed {LIMIT} times") as told:
        stage.touch("a")
    assert told.value.code == "engine_failed"
    assert told.value.retryable
    stage.touch("b")  # others are not affected
    stage.clock.move(11)
    stage.touch("a")
    stage.workshop.opened[-1].die()
    stage.touch("a")  # it gave an answer: what was before does not count


def test_a_worker_that_does_not_start_pauses_too(make: Callable[..., Stage]) -> None:
    failures: list[Exception] = [
        UnavailableError("It said no.", code="engine_failed") for _ in range(LIMIT)
    ]
    stage = make(Workshop(failures=failures))
    for _ in range(LIMIT):
        with pytest.raises(UnavailableError, match="It said no"):
            stage.touch("a")
    with pytest.raises(UnavailableError, match=rf"failed {LIMIT} times.*It said no"):
        stage.touch("a")


def test_too_many_who_wait_are_refused(
    make: Callable[..., Stage], pool: ThreadPoolExecutor
) -> None:
    gate = threading.Event()
    stage = make(Workshop(gate=gate), queue=2)
    asked = [pool.submit(stage.touch, "a") for _ in range(3)]
    until(lambda: stage.scheduler._waiting == 2)
    with pytest.raises(UnavailableError) as told:
        stage.touch("a")
    assert told.value.code == "queue_full"
    assert told.value.retryable
    gate.set()
    for one in asked:
        one.result(20)


def test_more_than_fit_beside_each_other_count_as_waiting(make: Callable[..., Stage]) -> None:
    stage = make(queue=1)
    with ExitStack() as stack:
        for _ in range(5):  # four slots and one that waits
            stack.enter_context(stage.scheduler.use(residence("a"), name="a"))
        with pytest.raises(UnavailableError) as told:
            stage.touch("a")
        assert told.value.code == "queue_full"


def test_who_waits_may_give_up(make: Callable[..., Stage], pool: ThreadPoolExecutor) -> None:
    stage = make(models=1)
    gone = threading.Event()
    with stage.scheduler.use(residence("a"), name="a"):
        later = pool.submit(stage.touch, "b", cancelled=gone.is_set)
        until(lambda: stage.scheduler._waiting == 1)
        gone.set()
        stage.clock.move(1)
        error = later.exception(20)
    assert isinstance(error, MetierError)
    assert error.code == "cancelled"
    assert stage.scheduler._line == []


def test_too_large_a_model_is_refused_with_both_numbers(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.room = ONE - 1
    with pytest.raises(UnavailableError, match=r"needs about .* MiB .* MiB are at hand") as told:
        stage.touch("a")
    assert told.value.code == "no_memory"
    assert stage.workshop.opened == []


def test_closing_ends_everybody_and_it_may_be_used_again(
    make: Callable[..., Stage], pool: ThreadPoolExecutor
) -> None:
    gate = threading.Event()
    stage = make()
    stage.touch("a")
    stage.workshop.gate = gate
    loading = pool.submit(stage.touch, "b")
    until(lambda: stage.workshop.loading.get(("b", "generate")) == 1)
    waiting = pool.submit(stage.touch, "b")
    until(lambda: stage.scheduler._waiting == 1)
    closing = pool.submit(stage.scheduler.close)
    assert isinstance(waiting.exception(20), UnavailableError)
    gate.set()
    closing.result(20)
    assert stage.workshop.alive == []
    assert loading.done() or loading.exception(20) is None
    stage.touch("a")
    assert stage.workshop.alive == ["a"]
