"""Every installed thing by name, as doors ask for it: over scripted workers, without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tiny_bert
from local_models import install_local
from metier.answer import Answering
from metier.assembly import Metier
from metier.assembly.localmodels import open_models
from metier.assembly.models import LocalModels, by_cosine
from metier.conversing import Reply, Sampling, Turn
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.fleet import Fleet
from metier.generating import Loading, Message, Options, Order, Piece, Question
from metier.reference import Reference
from metier.settings import Settings
from metier.store import Store
from scripted_worker import ScriptedWorker, Workshop
from tiny_gguf import tiny_adapter, tiny_embedder, tiny_model


@dataclass
class Place:
    """A home with models over scripted workers, and what a chat specialist was asked."""

    fleet: Fleet
    files: Path
    workshop: Workshop
    models: LocalModels
    asked: list[dict[str, Any]]

    @property
    def worker(self) -> ScriptedWorker:
        return self.workshop.opened[-1]

    def say(self, name: str, text: str = "hi", **more: Any) -> str:
        question = Question(messages=(Message("user", text),), **more)
        return self.models.ask(name, question).text


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def place(tmp_path: Path, weights: Path) -> Iterator[Place]:
    fleet = Fleet(Store.open(tmp_path / "home"))
    workshop, asked = Workshop(), []

    def specialist(name: str, turns: list[Turn], **how: Any) -> Reply:
        asked.append({"name": name, "turns": turns, **how})
        if how["on_text"] is not None:
            how["on_text"]("written")
        return Reply("written", tokens_in=3, tokens_out=1)

    models = open_models(
        Settings(home=tmp_path / "home"),
        fleet,
        remove=fleet.remove,
        specialist=specialist,  # type: ignore[arg-type]
        answering=Answering(fleet, lambda base: fleet.store.folder(Reference.parse(base)), 1),
        open_worker=workshop.open,
    )
    install_local(fleet, "tiny", weights)
    yield Place(fleet, tmp_path, workshop, models, asked)
    models.close()
    assert workshop.alive == []


def with_adapters(place: Place, weights: Path, *seeds: int) -> None:
    for seed in seeds:
        adapter = tiny_adapter(place.files, weights, seed=seed)
        install_local(
            place.fleet, f"special-{seed}", weights, (adapter,), kind="specialist", parent="tiny",
            system=f"You are {seed}.", parameters={"temperature": 0.1 * seed, "stop": "###"},
        )  # fmt: skip


def test_a_local_model_is_listed_by_its_header(place: Place) -> None:
    (listing,) = place.models.listings()
    assert listing.name == "tiny"
    assert listing.task == "generate"
    assert listing.capabilities == ("completion", "tools", "insert", "thinking")
    assert listing.details.family == "qwen2"
    assert listing.details.context_length == 4096
    assert listing.details.quantization == "F32"
    assert place.models.listing("tiny:latest") is not None


def test_another_process_may_change_what_is_listed(place: Place, weights: Path) -> None:
    before = place.models.listings()
    assert place.models.listings() is before
    other = Fleet(Store.open(place.fleet.store.home))
    install_local(other, "newer", weights)
    assert [listing.name for listing in place.models.listings()] == ["newer", "tiny"]
    other.remove("newer")
    assert place.models.listings() == before
    with pytest.raises(NotFoundError, match="tiny"):
        place.models.listing("tinyy")


def test_adapters_are_names_on_one_resident(place: Place, weights: Path) -> None:
    with_adapters(place, weights, 1, 2)
    assert place.say("special-1") == "You said: hi."
    assert place.say("special-2")
    assert place.say("tiny")
    (worker,) = place.workshop.opened
    assert len(worker.residence.adapters) == 2
    voices = [voice for _, voice in worker.asked]
    assert [len(voice.adapters) for voice in voices] == [1, 1, 0]
    assert voices[0].adapters.keys() != voices[1].adapters.keys()
    assert voices[1].options == Options(temperature=0.2, stop=("###",))
    assert [listing.parent for listing in place.models.listings()] == ["tiny", "tiny", None]
    running = place.models.running()
    assert {one.listing.name for one in running} == {"special-1", "special-2", "tiny"}
    assert {one.context for one in running} == {4096}


def test_the_models_own_system_prompt_stands_first_unless_the_caller_has_one(
    place: Place, weights: Path
) -> None:
    with_adapters(place, weights, 1)
    place.say("special-1")
    place.models.ask(
        "special-1", Question(messages=(Message("system", "Be kind."), Message("user", "hi")))
    )
    place.models.ask("special-1", Question(prompt="raw"))
    first, second, third = [question for question, _ in place.worker.asked]
    assert [message.text for message in first.messages] == ["You are 1.", "hi"]
    assert [message.text for message in second.messages] == ["Be kind.", "hi"]
    assert third.messages == ()


def test_a_new_adapter_needs_one_reload_and_only_when_it_is_asked(
    place: Place, weights: Path
) -> None:
    with_adapters(place, weights, 1)
    place.say("special-1")
    with_adapters(place, weights, 2)
    place.say("special-1")
    assert len(place.workshop.opened) == 1
    place.say("special-2")
    place.say("special-1")
    assert len(place.workshop.opened) == 2
    assert len(place.worker.residence.adapters) == 2


def test_context_is_sized_from_the_header(place: Place) -> None:
    assert place.models.load("tiny") >= 0
    loading = place.worker.residence.loading
    assert loading.num_ctx == 4096
    assert loading.slots == 4
    assert place.models.load("tiny") == 0.0
    place.models.load("tiny", loading=Loading(num_ctx=100_000))
    assert len(place.workshop.opened) == 2
    assert place.worker.residence.loading.num_ctx == 4096
    place.models.load("tiny", loading=Loading(num_ctx=90_000))
    assert len(place.workshop.opened) == 2


def test_the_sheet_of_a_local_model(place: Place, weights: Path) -> None:
    with_adapters(place, weights, 1)
    sheet = place.models.sheet("special-1")
    assert sheet.system == "You are 1."
    assert sheet.parameters["stop"] == "###"
    assert "<|im_start|>" in sheet.template
    assert sheet.metadata["general.architecture"] == "qwen2"
    assert sheet.metadata["general.parameter_count"] > 10_000
    assert sheet.context == 4096
    assert sheet.memory_bytes > weights.stat().st_size
    assert sheet.tensors == ()
    verbose = place.models.sheet("special-1", verbose=True)
    assert ("output_norm.weight", "F32", (64,)) in verbose.tensors
    assert len(verbose.metadata["tokenizer.ggml.tokens"]) == 512


def test_a_worker_that_had_ended_before_is_replaced_once(place: Place) -> None:
    place.say("tiny")
    first = place.worker

    class Late(ScriptedWorker):
        """Ends when it is asked, as one does whose end nobody has noticed yet."""

        def ask(self, *question: Any, **how: Any) -> Any:
            self.die()
            return super().ask(*question, **how)

    first.__class__ = Late
    assert place.say("tiny") == "You said: hi."
    assert len(place.workshop.opened) == 2


class Strict(ScriptedWorker):
    """Refuses prompts longer than its context, counting characters."""

    def ask(self, question: Question, *rest: Any, **how: Any) -> Any:
        tokens = len(question.messages[-1].text)
        if tokens > self.context:
            raise InputError("Too long.", code="prompt_too_long", details={"tokens": tokens})
        return super().ask(question, *rest, **how)


def test_a_prompt_too_long_for_a_context_that_nobody_named_gets_a_larger_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metier.scheduler.sizing.MOST_UNASKED", 1024)
    monkeypatch.setattr("scripted_worker.ScriptedWorker", Strict)
    assert place.say("tiny", "short")
    assert place.worker.context == 1024
    assert place.say("tiny", "x" * 1500)
    assert [worker.context for worker in place.workshop.opened] == [1024, 2048]
    assert place.say("tiny", "x" * 1900)
    assert len(place.workshop.opened) == 2
    for too_long, loading in (("x" * 4097, Loading()), ("x" * 3000, Loading(num_ctx=2048))):
        question = Question(messages=(Message("user", too_long),))
        with pytest.raises(InputError) as told:
            place.models.ask("tiny", question, loading=loading)
        assert told.value.code == "prompt_too_long"
    assert len(place.workshop.opened) == 2


def test_a_worker_that_ends_after_the_first_word_fails_the_request(place: Place) -> None:
    heard: list[Piece] = []

    def kill(piece: Piece) -> None:
        heard.append(piece)
        place.worker.die()

    question = Question(messages=(Message("user", "hi"),))
    with pytest.raises(UnavailableError) as told:
        place.models.ask("tiny", question, on_piece=kill)
    assert told.value.code == "engine_ended"
    assert len(heard) == 1
    assert place.say("tiny")


def test_what_a_model_cannot_do_is_refused_by_name(place: Place) -> None:
    embedder = tiny_embedder(place.files)
    install_local(place.fleet, "embedder", embedder, task="embed")
    with pytest.raises(InputError, match="does not write") as told:
        place.say("embedder")
    assert told.value.code == "no_capability"
    picture = Message("user", "what is this", pictures=(b"png",))
    with pytest.raises(InputError, match="vision"):
        place.models.ask("tiny", Question(messages=(picture,)))
    with pytest.raises(InputError) as told:
        place.models.embed("tiny", ["a"])
    assert told.value.code == "no_capability"
    assert place.workshop.opened == []


def test_embedding_and_ranking_by_a_local_model(place: Place) -> None:
    install_local(place.fleet, "embedder", tiny_embedder(place.files), task="embed")
    found = place.models.embed("embedder", ["aa", "b"])
    assert found.vectors == ((2.0, 1.0, 2.0), (1.0, 1.0, 0.0))
    ranked = place.models.rank("embedder", "aa", ["b", "aaa"])
    assert [position for position, _ in ranked.order] == [1, 0]


def test_an_encoder_embeds_counts_and_ranks(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path / "home"))
    metier.install_base(tiny_bert.make_folder(tmp_path / "bert"), name="encoder")
    models = metier.models
    listing = models.listing("encoder")
    assert (listing.task, listing.capabilities) == ("embed", ("embedding",))
    found = models.embed("encoder", ["the card", "late payment"])
    assert found.tokens == 4 + 5
    assert sum(value * value for value in found.vectors[0]) == pytest.approx(1.0, abs=1e-5)
    assert not found.truncated
    long = "late " * 100
    assert models.embed("encoder", [long]).truncated
    with pytest.raises(InputError) as told:
        models.embed("encoder", [long], truncate=False)
    assert told.value.code == "prompt_too_long"
    assert models.rank("encoder", "the card", ["late", "the card"]).order[0][0] == 1
    with pytest.raises(InputError) as told:
        models.ask("encoder", Question(prompt="hi"))
    assert told.value.code == "no_capability"
    assert models.load("encoder") == 0.0
    assert not models.unload("encoder")


def test_a_chat_specialist_answers_in_turns(place: Place) -> None:
    metier = Metier.open(Settings(home=place.fleet.store.home))
    metier.install_starters(lambda _: None)
    heard: list[Piece] = []
    question = Question(messages=(Message("user", "hi"),), options=Options(temperature=0.5))
    written = place.models.ask("sveltekit@remote:one", question, on_piece=heard.append)
    assert written.text == "written"
    assert written.taken.tokens_in == 3
    assert heard == [Piece(text="written")]
    (asked,) = place.asked
    assert asked["name"] == "sveltekit"
    assert asked["base"] == "remote:one"
    assert asked["turns"] == (Turn("user", "hi"),)
    assert asked["sampling"].temperature == 0.5
    with pytest.raises(InputError, match="does not write"):
        place.say("banking-intents")


def test_a_file_in_memory_is_told_and_let_go_too(place: Place, weights: Path) -> None:
    place.models.file_generator(weights).generate([Turn("user", "hi")], Sampling())
    (running,) = place.models.running()
    assert running.listing.name == weights.name
    assert running.listing.size_bytes == weights.stat().st_size
    assert running.listing.modified.endswith("Z")
    assert place.models.unload(weights.name)
    with pytest.raises(NotFoundError):
        place.models.unload(weights.name)


def test_unloading_and_removing(place: Place) -> None:
    place.say("tiny")
    assert place.models.unload("tiny")
    assert not place.models.unload("tiny")
    place.say("tiny")
    place.models.copy("tiny", "second")
    place.models.remove("tiny")
    assert place.workshop.alive == []
    assert [listing.name for listing in place.models.listings()] == ["second"]


def test_a_model_is_made_from_another_and_listed(place: Place, weights: Path) -> None:
    place.say("tiny")
    said: list[str] = []
    adapter = tiny_adapter(place.files, weights, seed=7)
    order = Order(name="made", base="tiny", system="Be kind.", adapters={"a.gguf": adapter})
    listing = place.models.create(order, report=said.append)
    assert listing.name == "made"
    assert listing.parent == "tiny"
    assert said
    assert place.say("made") == "You said: hi."
    assert "\nFROM made\n" in place.models.sheet("made").modelfile
    assert len(place.workshop.opened) == 2
    place.models.create(Order(name="made", base="tiny"), report=said.append)
    assert place.models.listing("made").digest != listing.digest


def test_documents_stand_in_order_of_their_cosine() -> None:
    order = by_cosine([(1.0, 0.0), (0.0, 2.0), (3.0, 3.0), (0.0, 0.0), (5.0, 0.0)])
    assert [position for position, _ in order] == [3, 1, 0, 2]
    assert order[0][1] == pytest.approx(1.0)


def test_only_chat_specialists_take_a_base(place: Place, weights: Path) -> None:
    install_local(place.fleet, "tiny", weights)
    with pytest.raises(InputError) as caught:
        place.say("tiny@remote:one")
    assert caught.value.code == "bad_base"
    assert place.workshop.opened == []


def test_a_listing_names_what_the_model_sets_itself(place: Place, weights: Path) -> None:
    install_local(place.fleet, "tiny", weights, parameters={"temperature": 0.2, "seed": 1})
    assert place.models.listing("tiny").settings == ("seed", "temperature")
