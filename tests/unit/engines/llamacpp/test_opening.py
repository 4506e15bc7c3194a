"""What a worker's sandbox lets it do: nothing but read its files."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tiny_gguf
from metier.engines.llamacpp import LocalWorker, opening
from metier.errors import UnavailableError
from metier.generating import Loading, Options, Question, Residence, Voice, Weights
from metier.sandbox import State, describe, detect, python

Open = Callable[..., LocalWorker]
KINDS = [state.kind for state in describe() if state.works]
PROBE = """
import json, os, socket, sys
found = {}
def attempt(name, do):
    try:
        do(); found[name] = True
    except OSError:
        found[name] = False
model = sys.argv[1]
attempt("model", lambda: open(model, "rb").read(4))
attempt("change", lambda: open(model, "ab"))
attempt("outside", lambda: open(sys.argv[2], "rb"))
attempt("beside", lambda: os.listdir(sys.argv[3]))
attempt("make", lambda: open(sys.argv[3] + "/made", "w"))
attempt("passwords", lambda: open("/etc/shadow"))
def call(*where):
    with socket.socket(socket.AF_INET) as caller:
        caller.settimeout(2); caller.connect(where)
attempt("loopback", lambda: call("127.0.0.1", int(sys.argv[4])))
attempt("network", lambda: call("192.0.2.1", 80))
def listen():
    with socket.socket(socket.AF_UNIX) as own:
        own.bind("engine.sock"); own.listen()
attempt("listen", listen)
os.write(int(os.environ["METIER_REPLIES"]), json.dumps(found).encode())
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_worker_reads_its_files_and_nothing_else(
    kind: str, residence: Residence, tmp_path: Path, open_port: int
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    places = opening.places_of(residence)
    program, own = python()
    command = [
        program, "-I", "-S", "-B", "-c", PROBE, places[0].target,
        str(secret), str(tmp_path), str(open_port),
    ]  # fmt: skip
    talking = detect(only=kind).attend(
        command, places=(*own, *places), limits=opening.LIMITS, listener=True
    )
    said = talking.receive()
    talking.close()
    assert {name for name, could in json.loads(said).items() if could} == {"model", "listen"}
    assert residence.weights.files[0].stat().st_size > 300_000


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        here.listen()
        yield here.getsockname()[1]


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_in_every_kind_of_sandbox(
    kind: str, open_one: Open, residence: Residence
) -> None:
    worker = open_one(residence, sandbox=detect(only=kind))
    assert worker.context == 1024
    asked = Question(prompt="The", options=Options(num_predict=3))
    assert worker.ask(asked, Voice()).taken.tokens_out == 3


def test_nothing_runs_without_a_sandbox(
    residence: Residence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(**_: object) -> State:
        raise UnavailableError("No sandbox works here.", code="no_sandbox")

    monkeypatch.setattr(opening, "detect", none)
    with pytest.raises(UnavailableError) as caught:
        opening.open_worker(residence)
    assert caught.value.code == "no_sandbox"


def test_a_missing_engine_is_named(residence: Residence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_NEEDED", ("metier", "xllamacpp_that_is_not_there"))
    with pytest.raises(UnavailableError) as caught:
        opening.open_worker(residence)
    assert caught.value.code == "engine_missing"
    assert "xllamacpp_that_is_not_there" in caught.value.message


def test_shards_get_the_names_that_the_engine_wants(residence: Residence, base: Path) -> None:
    sharded = Residence(Weights("sha256:s", (base, base), projector=base), residence.adapters)
    assert [Path(place.target).name for place in opening.places_of(sharded)] == [
        "base-00001-of-00002.gguf",
        "base-00002-of-00002.gguf",
        "projector.gguf",
        "adapter-0.gguf",
        "adapter-1.gguf",
    ]


def test_slots_have_a_context_each(open_one: Open, base: Path) -> None:
    loading = Loading(num_ctx=256, num_thread=1, slots=2)
    worker = open_one(Residence(Weights("sha256:0", (base,)), loading=loading))
    assert worker.context == 256


def test_texts_are_embedded_and_documents_ranked(open_one: Open, tmp_path: Path) -> None:
    embedder, reranker = tiny_gguf.tiny_embedder(tmp_path), tiny_gguf.tiny_reranker(tmp_path)
    loading = Loading(num_ctx=128, num_thread=1)
    worker = open_one(Residence(Weights("sha256:e", (embedder,)), task="embed", loading=loading))
    found = worker.embed(["one", "one", "something else " * 100])
    assert found.vectors[0] == pytest.approx(found.vectors[1], abs=1e-4)
    assert [len(vector) for vector in found.vectors] == [64, 64, 64]
    assert found.truncated
    assert sum(value * value for value in found.vectors[0]) > 1.5  # not normalised
    with pytest.raises(Exception, match="room for 128"):
        worker.embed(["something else " * 100], truncate=False)
    assert worker.embed([]).vectors == ()
    ranker = open_one(Residence(Weights("sha256:r", (reranker,)), task="rerank", loading=loading))
    ranked = ranker.rank("weather", ["the city", "one two", "weather"])
    assert sorted(place for place, _ in ranked.order) == [0, 1, 2]
    scores = [score for _, score in ranked.order]
    assert scores == sorted(scores, reverse=True)
    with pytest.raises(Exception, match="cannot"):
        worker.rank("a", ["b"])
