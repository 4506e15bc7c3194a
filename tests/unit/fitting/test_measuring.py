"""The self-benchmark: on a worker whose speed is known it finds that speed; the engine runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from metier.engines.llamacpp import open_worker
from metier.errors import InputError, UnavailableError
from metier.fitting.measuring import measure_engine, probe_of, time_probe
from metier.fitting.probe import Probe
from metier.formats import read_gguf
from metier.generating import Question, Residence, Taken, Voice, Written
from metier.messages import Progress
from metier.sandbox import detect

RATE = 10e9
BESIDE = 0.0005


class Worker:
    """Writes at a known speed, by what its file says."""

    def __init__(self, residence: Residence) -> None:
        header = read_gguf(residence.weights.files[0])
        matrices = [each for each in header.tensors if len(each.shape) == 2]
        self.seconds = BESIDE + sum(
            each.bytes / RATE for each in matrices if each.name != "token_embd.weight"
        )
        self.memory_bytes = 1000
        self.closed = False

    def ask(self, question: Question, _voice: Voice, **_how: Any) -> Written:
        assert not question.cache_prompt
        tokens = question.options.num_predict or 0
        taken = Taken(
            prompt=0.001 * 8, writing=self.seconds * (tokens - 1), tokens_in=8, tokens_out=tokens
        )
        return Written("", taken=taken)

    def close(self) -> None:
        self.closed = True


def test_the_speed_that_is_there_is_found(tmp_path: Path) -> None:
    opened: list[Worker] = []

    def open_it(residence: Residence) -> Any:
        opened.append(Worker(residence))
        return opened[-1]

    steps: list[Progress] = []
    found = measure_engine(open_it, tmp_path, kinds=("Q8_0", "Q4_K"), report=steps.append)
    for rate in found.bytes_per_second.values():
        assert rate == pytest.approx(RATE, rel=0.2)
    assert found.token_seconds == pytest.approx(BESIDE, rel=0.2)
    assert found.spread == pytest.approx(0, abs=1e-6)
    assert found.multiplied_per_second > 0
    assert all(worker.closed for worker in opened)
    assert list(tmp_path.iterdir()) == []
    assert [step.stage for step in steps] == ["measure"] * 3


def test_it_can_be_given_up(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        measure_engine(Worker, tmp_path, cancelled=lambda: True)  # type: ignore[arg-type]
    assert caught.value.code == "cancelled"


def test_a_probe_reads_what_is_wanted() -> None:
    for kind in ("Q4_K", "F16"):
        assert probe_of(kind, 50_000_000).read_bytes == pytest.approx(50_000_000, rel=0.25)


@contextmanager
def a_sandbox() -> Iterator[None]:
    try:
        detect()
    except UnavailableError as error:
        pytest.skip(error.message)
    yield


def test_the_engine_itself_is_measured(tmp_path: Path) -> None:
    with a_sandbox():
        probe = Probe("Q4_K", layers=2, width=256, inner=512, heads=4, groups=2, vocabulary=512)
        timed = time_probe(open_worker, tmp_path, probe)
    assert 0 < timed.token_seconds < 1
    assert 0 < timed.text_seconds < 1
    assert timed.memory_bytes > 1_000_000
    assert list(tmp_path.iterdir()) == []
