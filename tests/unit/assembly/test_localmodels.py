"""Local models on real workers: side by side, killed, left behind, and never too large."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_models import install_local
from metier.assembly import Metier
from metier.assembly.localmodels import at_hand
from metier.conversing import Manner, Sampling, Turn, base_of
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.generating import Loading, Message, Options, Piece, Question
from metier.hardware import memory_bytes
from metier.settings import Settings
from scripted_worker import until
from tiny_gguf import NEVER_ENDING, tiny_adapter, tiny_model

TESTS = Path(__file__).resolve().parents[2]
FEW = Options(num_predict=12, temperature=0.0)
ENDLESS = Options(num_predict=3000, temperature=1.0, logit_bias=NEVER_ENDING)
HELLO = Question(messages=(Message("user", "hello"),), options=FEW)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Metier]:
    home = tmp_path_factory.mktemp("home")
    opened = Metier.open(Settings(home=home, threads=1))
    install_local(opened.fleet, "tiny", weights)
    for seed in (1, 2):
        adapter = tiny_adapter(home / "adapters", weights, seed=seed)
        install_local(
            opened.fleet, f"special-{seed}", weights, (adapter,), kind="specialist", parent="tiny"
        )
    yield opened
    opened.close()
    assert workers_of(home) == []


def workers_of(folder: Path) -> list[int]:
    """Processes that were started with a file in this folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command and b"llamacpp" in command:
                found.append(int(process.name))
    return found


def test_adapters_alternate_without_a_reload(metier: Metier) -> None:
    names = ("tiny", "special-1", "special-2", "tiny", "special-1", "special-2")
    written = [metier.models.ask(name, HELLO) for name in names]
    assert [one.text for one in written[:3]] == [one.text for one in written[3:]]
    assert len({one.text for one in written[:3]}) == 3
    assert [one.taken.load for one in written[1:]] == [0.0] * 5
    assert written[0].taken.tokens_out == 12
    running = metier.models.running()
    assert {one.listing.name for one in running} == set(names)
    assert len({one.memory_bytes for one in running}) == 1


def test_requests_side_by_side_each_have_the_whole_context(metier: Metier) -> None:
    def ask(number: int) -> int:
        question = Question(
            prompt=f"{number} hello world " * 150,
            options=Options(num_predict=600, temperature=1.0, seed=number),
        )
        return metier.models.ask("tiny", question, loading=Loading(num_ctx=2048)).taken.tokens_in

    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(ask, range(4)))
    assert sum(tokens) > 4096


def test_a_long_prompt_gets_a_larger_context(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metier.scheduler.sizing.MOST_UNASKED", 512)
    metier = Metier.open(Settings(home=tmp_path, threads=1))
    install_local(metier.fleet, "tiny", weights)
    assert metier.models.ask("tiny", HELLO)
    assert metier.models.running()[0].context == 512
    long = metier.models.ask("tiny", Question(prompt="hello world " * 100, options=FEW))
    assert long.taken.tokens_in > 512
    assert long.taken.load > 0
    assert not long.truncated
    assert metier.models.running()[0].context == 1024
    metier.close()


def test_a_killed_worker_fails_its_request_within_a_second_and_is_replaced(
    metier: Metier,
) -> None:
    home = metier.settings.home
    assert metier.models.ask("tiny", HELLO)
    died = 0.0

    def kill(piece: Piece) -> None:
        nonlocal died
        if not died and piece.text:
            died = time.monotonic()
            for process in workers_of(home):
                os.kill(process, signal.SIGKILL)

    long = Question(prompt="hello", options=ENDLESS)
    with pytest.raises(UnavailableError) as told:
        metier.models.ask("tiny", long, on_piece=kill)
    assert told.value.code == "engine_ended"
    assert told.value.retryable
    assert time.monotonic() - died < 1.0
    assert metier.models.ask("special-1", HELLO).text


def test_a_process_that_is_killed_leaves_no_worker_behind(tmp_path: Path, weights: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; sys.path[:0] = sys.argv[1:2]\n"
        "from metier.assembly import Metier; from metier.settings import Settings\n"
        "from metier.generating import *; from local_models import install_local\n"
        "metier = Metier.open(Settings(home=Path(sys.argv[2]), threads=1))\n"
        "install_local(metier.fleet, 'tiny', Path(sys.argv[3]))\n"
        "metier.models.load('tiny', keep_alive=-1); print('loaded', flush=True); time.sleep(60)\n"
    )
    home = tmp_path / "home"
    command = [sys.executable, "-c", program, str(TESTS), str(home), str(weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loaded\n"
        assert workers_of(home)
        process.kill()
    until(lambda: workers_of(home) == [])


def test_bases_of_every_kind_write_for_a_specialist(metier: Metier, weights: Path) -> None:
    metier.install_starters(lambda _: None)
    few = Sampling(max_tokens=8, temperature=0.0)
    turns = [Turn("user", "Write a word.")]
    names = ("tiny", "local:special-1", base_of(str(weights)))
    replies = [metier.answer("coder", turns, base=name, sampling=few) for name in names]
    assert [reply.base for reply in replies] == [
        "local:tiny",
        "local:special-1",
        f"local:{weights.name}",
    ]
    assert all(reply.tokens_out for reply in replies)
    refs = {choice.ref for choice in metier.bases("coder") if choice.here}
    assert refs == {"local:special-1", "local:special-2", "local:tiny"}


def test_an_eval_asks_a_local_base_one_task_at_a_time(metier: Metier, weights: Path) -> None:
    metier.install_starters(lambda _: None)
    for base, name in (("tiny", "local:tiny"), (str(weights), f"local:{weights.name}")):
        entrant = metier._measuring.entrant("coder", base, (), 1, prompted=True)
        assert entrant.base == name
        assert entrant.base_digest.startswith("sha256:")
        assert entrant.askers == 1
        assert entrant.cost_class == "this machine"
        assert not entrant.recorded


def test_a_budget_that_ends_keeps_what_was_written(metier: Metier) -> None:
    metier.install_starters(lambda _: None)
    reply = metier.answer(
        "coder", [Turn("user", "hi")], base="tiny", manner=Manner(seconds=1.0, candidates=1)
    )
    assert reply.finish in ("budget", "length", "stop")
    assert reply.tokens_out
    with pytest.raises(MetierError) as told:
        metier.models.ask("tiny", HELLO, cancelled=lambda: True)
    assert isinstance(told.value, InputError)
    assert told.value.code == "cancelled"


def test_text_never_names_a_file(metier: Metier, weights: Path) -> None:
    metier.install_starters(lambda _: None)
    with pytest.raises(MetierError) as told:
        metier.answer("coder", [Turn("user", "hi")], base=str(weights))
    assert told.value.code == "bad_base"
    with pytest.raises(NotFoundError):
        metier.answer("coder", [Turn("user", "hi")], base=Path("nowhere.gguf"))


def test_memory_at_hand_is_what_is_free_and_what_models_hold(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert 0 < at_hand(settings, 0) < memory_bytes()
    assert at_hand(settings, 10**18) <= memory_bytes()
    assert at_hand(Settings(home=tmp_path, memory=5), 10**9) == 5


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(
    tmp_path: Path, weights: Path
) -> None:
    metier = Metier.open(Settings(home=tmp_path, memory=10 << 20))
    install_local(metier.fleet, "tiny", weights)
    with pytest.raises(UnavailableError, match="10 MiB are at hand") as told:
        metier.models.ask("tiny", HELLO)
    assert told.value.code == "no_memory"
