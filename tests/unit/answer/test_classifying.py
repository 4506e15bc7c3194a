"""Answering: what is loaded once, kept, and never taken for something else."""

from __future__ import annotations

import threading
from functools import partial

import pytest

import tiny_bert
import workshop
from metier.answer import classifying
from metier.answer.classifying import Answering, base_digest
from metier.assembly import Metier
from metier.assembly.starting import base_folder
from metier.engines.encoder import read_base
from metier.errors import InputError, NotFoundError, UnavailableError

TEXTS = ["the parcel is late", "my password was stolen", "the refund", ""]


@pytest.fixture(scope="module")
def metier(tmp_path_factory) -> Metier:
    home = tmp_path_factory.mktemp("answer")
    metier = workshop.opened(home)
    data = workshop.tickets(home / "data", train=12, held_out=5)
    for name, rungs in (("words", ["linear"]), ("first", ["encoder"]), ("second", ["encoder"])):
        recipe = workshop.recipe(metier, data, name=name, curve=False, seed=len(name))
        ladder = recipe.ladder.model_copy(update={"rungs": tuple(rungs)})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    assert metier.encodes("first")
    assert not metier.encodes("words")
    return metier


def fresh(metier: Metier) -> Answering:
    return Answering(metier.fleet, partial(base_folder, metier.fleet), threads=1)


def test_a_specialist_is_loaded_once(metier) -> None:
    answering = fresh(metier)
    assert answering.classifier("first") is answering.classifier("first")
    assert answering.classify("first", TEXTS) == metier.classify("first", TEXTS)


def test_two_specialists_share_one_encoder(metier, monkeypatch) -> None:
    opened = []
    real = classifying._open
    monkeypatch.setattr(classifying, "_open", lambda *given: opened.append(given) or real(*given))
    answering = fresh(metier)
    answering.classify("first", TEXTS)
    answering.classify("second", TEXTS)
    assert len(opened) == 1
    assert answering.encoder(workshop.BASE, "static") is answering.encoder(workshop.BASE, "static")
    assert len(opened) == 2


def test_only_so_many_are_kept(metier, monkeypatch) -> None:
    monkeypatch.setattr(classifying, "MOST_LOADED", 1)
    answering = fresh(metier)
    first = answering.classifier("words")
    answering.classifier("first")
    assert answering.classifier("words") is not first
    assert len(answering._classifiers) == 1


def test_a_name_that_was_made_again_answers_anew(metier, tmp_path) -> None:
    answering = fresh(metier)
    before = answering.classifier("words")
    data = workshop.tickets(tmp_path, train=14, held_out=5)
    recipe = workshop.recipe(metier, data, name="words", curve=False)
    metier.make(recipe, folder=tmp_path)
    assert answering.classifier("words") is not before


def test_threads_get_the_answers_of_one(metier) -> None:
    answering = fresh(metier)
    expected = metier.classify("first", TEXTS)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(answering.classify("first", TEXTS)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_another_base_under_the_name_is_not_answered_with(tmp_path) -> None:
    """A process that lives long must not mix the old base's encoder with heads on the new one."""
    metier = workshop.opened(tmp_path / "home")
    old = metier._answering.encoder(workshop.BASE, "fp32")
    assert metier._answering.encoder(workshop.BASE, "fp32") is old
    metier.remove(workshop.BASE)
    upstream = tiny_bert.make_folder(tmp_path / "upstream", layer_norm_eps=1e-2)
    metier.install_base(upstream, name=workshop.BASE)
    new = metier._answering.encoder(workshop.BASE, "fp32")
    assert new.digest != old.digest
    assert abs(new.encode(["the card"]) - old.encode(["the card"])).max() > 1e-6


def test_what_does_not_classify_says_so(metier) -> None:
    with pytest.raises(InputError) as caught:
        metier.classify(workshop.BASE, ["x"])
    assert caught.value.code == "not_a_classifier"
    with pytest.raises(NotFoundError) as missing:
        metier.classify("frist", ["x"])
    assert missing.value.details["near"] == ["first"]


@pytest.mark.parametrize("texts", ["one string", [None], ["fine", 3]])
def test_texts_are_a_list_of_strings(metier, texts) -> None:
    with pytest.raises(InputError) as caught:
        metier.classify("words", texts)
    assert caught.value.code == "bad_text"


@pytest.mark.parametrize("name", ["words", "first"])
def test_odd_texts_have_an_answer(metier, name) -> None:
    odd = ["", " ", "\0", "\ud800", "🦊" * 500, "x" * 50_000, "a\nb\r\n"]
    found = metier.classify(name, odd)
    assert len(found) == len(odd)
    assert all(0 <= guess.probability <= 1 for guess in found)
    assert metier.classify(name, []) == []


def test_a_base_that_is_gone_is_said(metier, tmp_path) -> None:
    metier.export("first", tmp_path / "out")
    other = workshop.opened(tmp_path / "other", base=False)
    other.import_path(tmp_path / "out")
    with pytest.raises(UnavailableError) as caught:
        other.classify("first", ["x"])
    assert caught.value.code == "base_missing"


def test_there_are_three_views(metier) -> None:
    with pytest.raises(InputError) as caught:
        metier._answering.encoder(workshop.BASE, "int4")
    assert caught.value.code == "bad_encoder_settings"


def test_a_base_is_known_by_its_upstream_files_alone(metier) -> None:
    folder = base_folder(metier.fleet, workshop.BASE)
    base = read_base(folder)
    rebuilt = dict(base.digests)
    assert "encoder-fp32.onnx" in rebuilt
    rebuilt["encoder-fp32.onnx"] = "sha256:" + "0" * 64
    changed = dict(base.digests)
    changed["model.safetensors"] = "sha256:" + "0" * 64
    from dataclasses import replace

    assert base_digest(replace(base, digests=rebuilt)) == base_digest(base)
    assert base_digest(replace(base, digests=changed)) != base_digest(base)
