"""Our side of a worker: hangs, kills, cancels and failures to load."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny_gguf
from metier.engines.llamacpp import LocalWorker, client
from metier.engines.llamacpp.client import last_words
from metier.errors import InputError, MetierError, UnavailableError
from metier.generating import (
    AdapterWeights,
    Loading,
    Options,
    Piece,
    Question,
    Residence,
    Voice,
    Weights,
)
from tiny_gguf import NEVER_ENDING

Open = Callable[..., LocalWorker]
LONG = Question(
    prompt="The quick", options=Options(temperature=1.0, logit_bias=NEVER_ENDING), shift=True
)
SHORT = Question(prompt="The quick", options=Options(num_predict=3))


def processes(worker: LocalWorker) -> list[int]:
    return worker._talking._keeper.members


def test_a_killed_worker_fails_what_is_under_way_within_a_second(
    open_one: Open, residence: Residence
) -> None:
    worker = open_one(residence)
    began = threading.Event()
    failed: list[tuple[float, MetierError]] = []

    def ask() -> None:
        try:
            worker.ask(LONG, Voice(), on_piece=lambda _: began.set())
        except MetierError as error:
            failed.append((time.monotonic(), error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert began.wait(10)
    killed = time.monotonic()
    for process in processes(worker):
        os.kill(process, signal.SIGKILL)
    for thread in threads:
        thread.join(5)
    assert len(failed) == 3
    for when, error in failed:
        assert when - killed < 1.0
        assert (error.code, error.retryable) == ("engine_ended", True)
    assert not worker.alive
    with pytest.raises(UnavailableError):
        worker.ask(SHORT, Voice())


def test_closing_fails_what_is_under_way(open_one: Open, residence: Residence) -> None:
    worker = open_one(residence)
    began = threading.Event()
    codes: list[str] = []

    def ask() -> None:
        with pytest.raises(UnavailableError) as caught:
            worker.ask(LONG, Voice(), on_piece=lambda _: began.set())
        codes.append(caught.value.code)

    thread = threading.Thread(target=ask)
    thread.start()
    assert began.wait(10)
    worker.close()
    thread.join(5)
    assert codes == ["engine_ended"]
    assert worker.memory_bytes == 0


def test_a_hung_worker_is_ended(
    open_one: Open, residence: Residence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_PATIENCE", 0.8)
    monkeypatch.setattr(client, "_ASKING", 0.2)
    worker = open_one(residence)
    for process in processes(worker):
        os.kill(process, signal.SIGSTOP)
    with pytest.raises(UnavailableError) as caught:
        worker.ask(SHORT, Voice())
    assert caught.value.code == "engine_ended"
    assert not worker.alive


def test_a_long_answer_outlives_the_patience(
    worker: LocalWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_PATIENCE", 0.05)
    monkeypatch.setattr(client, "_ASKING", 0.01)
    assert worker.ask(SHORT, Voice()).taken.tokens_out == 3


def test_cancelling_ends_the_answer(worker: LocalWorker) -> None:
    pieces: list[Piece] = []
    with pytest.raises(InputError) as caught:
        worker.ask(LONG, Voice(), on_piece=pieces.append, cancelled=lambda: len(pieces) >= 3)
    assert caught.value.code == "cancelled"
    assert len(pieces) <= 4
    assert worker.ask(SHORT, Voice()).taken.tokens_out == 3


def test_an_error_of_the_callers_cancels_too(worker: LocalWorker) -> None:
    def fail(_: Piece) -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        worker.ask(LONG, Voice(), on_piece=fail)
    assert worker.ask(SHORT, Voice()).taken.tokens_out == 3


def test_a_file_that_is_no_model_says_why(open_one: Open, base: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(base.read_bytes()[:300_000])
    with pytest.raises(MetierError) as caught:
        open_one(Residence(Weights("sha256:b", (broken,))))
    assert caught.value.code in ("engine_failed", "bad_gguf")
    assert "bounds" in caught.value.message or "size" in caught.value.message


def test_an_adapter_of_another_base_is_refused_with_the_reason(
    open_one: Open, base: Path, tmp_path: Path
) -> None:
    other = tiny_gguf.tiny_model(tmp_path, architecture="llama")
    adapter = AdapterWeights("sha256:l", tiny_gguf.tiny_adapter(tmp_path, other, seed=3))
    with pytest.raises(InputError) as caught:
        open_one(Residence(Weights("sha256:0", (base,)), (adapter,), loading=Loading(num_thread=1)))
    assert caught.value.code == "wrong_base"
    assert "arch" in caught.value.message


def test_memory_and_tokens(worker: LocalWorker) -> None:
    assert 5 << 20 < worker.memory_bytes < 400 << 20
    assert worker.tokens("<|im_end|>") == (496,)
    assert worker.alive


def test_last_words_are_without_clock_and_common_facts() -> None:
    said = b"0.00.050.853 E srv init: no\nprint_info: vocab = 1\n\nbad\xff\n"
    assert last_words(said) == ["srv init: no", "bad\ufffd"]
