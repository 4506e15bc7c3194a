"""From an installed model to what is loaded: one base, every adapter over it, one voice."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_models import install_local
from metier.assembly.catalogue import Catalogue
from metier.assembly.facts import Facts
from metier.assembly.residences import Residences, options_of
from metier.errors import InputError
from metier.fleet import Fleet
from metier.generating import Loading, Message, Options, Question
from metier.localmodel import OpeningMessage
from metier.reference import Reference
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_model


@pytest.fixture
def made(tmp_path: Path) -> tuple[Catalogue, Residences]:
    fleet = Fleet(Store.open(tmp_path / "home"))
    weights = tiny_model(tmp_path)
    other = tiny_model(tmp_path, seed=9)
    install_local(fleet, "tiny", weights, parameters={"num_ctx": 1024, "top_k": 3})
    install_local(fleet, "other", other)
    for seed in (1, 2):
        adapter = tiny_adapter(tmp_path, weights, seed=seed)
        install_local(fleet, f"on-{seed}", weights, (adapter,), kind="specialist", parent="tiny")
    adapter = tiny_adapter(tmp_path, other, seed=3)
    install_local(fleet, "elsewhere", other, (adapter,), kind="specialist", parent="other")
    fleet.install(Reference.parse("notes"), {"card.txt": ("doc", b"x")})
    facts = Facts()
    catalogue = Catalogue(fleet, facts)
    return catalogue, Residences(fleet, catalogue, facts)


def test_a_request_wants_its_own_adapters_and_a_load_takes_all(
    made: tuple[Catalogue, Residences],
) -> None:
    catalogue, residences = made
    loadable = residences.loadable(catalogue.known("on-1"))
    residence = loadable.residence(Loading())
    assert len(residence.adapters) == 1
    assert loadable.voice.adapters == {residence.adapters[0].digest: 1.0}
    measured = residences.measure(residence)
    assert len(measured.residence.adapters) == 2
    assert residence.adapters[0] in measured.residence.adapters
    sizes = [adapter.file.stat().st_size for adapter in measured.residence.adapters]
    assert list(measured.sizes.values()) == sizes
    assert measured.shape.weights == residence.weights.files[0].stat().st_size
    bare = residences.loadable(catalogue.known("tiny")).residence(Loading())
    assert bare.weights.digest == residence.weights.digest
    assert set(residences.measure(bare).residence.adapters) == set(measured.residence.adapters)


def test_the_models_own_parameters_load_and_sample(made: tuple[Catalogue, Residences]) -> None:
    catalogue, residences = made
    loadable = residences.loadable(catalogue.known("tiny"))
    assert loadable.residence(Loading()).loading.num_ctx == 1024
    assert loadable.residence(Loading(num_ctx=2048)).loading.num_ctx == 2048
    assert loadable.voice.options == Options(top_k=3)
    assert residences.loadable(catalogue.known("tiny")) is loadable


def test_what_has_no_weights_is_refused(made: tuple[Catalogue, Residences]) -> None:
    catalogue, residences = made
    with pytest.raises(InputError) as told:
        residences.loadable(catalogue.known("notes"))
    assert told.value.code == "no_capability"


def test_opening_messages_stand_between_prompt_and_question(tmp_path: Path) -> None:
    fleet = Fleet(Store.open(tmp_path / "home"))
    opening = (OpeningMessage(role="user", content="2+2?"),)
    install_local(fleet, "tiny", tiny_model(tmp_path), system="Count.", messages=opening)
    facts = Facts()
    catalogue = Catalogue(fleet, facts)
    loadable = Residences(fleet, catalogue, facts).loadable(catalogue.known("tiny"))
    opened = loadable.opened(Question(messages=(Message("user", "3+3?"),)))
    assert [message.text for message in opened.messages] == ["Count.", "2+2?", "3+3?"]


def test_options_are_what_sampling_knows() -> None:
    found = options_of({"temperature": 1, "num_ctx": 5, "stop": ["a", "b"], "unknown": 3})
    assert found == Options(temperature=1, stop=("a", "b"))
    assert options_of({"stop": "a"}) == Options(stop=("a",))
