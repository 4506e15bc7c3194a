"""Pictures in a home: answers, refusals, evals that run again, remakes of the same bytes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import made_up
import seeing_home
import tiny_vision
import workshop
from metier.assembly import Metier
from metier.assembly.candidates import Means, read_field
from metier.assembly.picturing import MOST_AT_ONCE
from metier.errors import InputError
from metier.finding import Fit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("picturing")


@pytest.fixture(scope="module")
def metier(folder: Path) -> Metier:
    return seeing_home.opened(folder / "home")


def red(seed: int = 900) -> bytes:
    """A picture that no test trains on."""
    return tiny_vision.png(tiny_vision.pixels("red", seed))


def test_files_of_any_format_are_labelled(metier: Metier) -> None:
    picture = tiny_vision.pixels("blue", 901)
    files = [red(), tiny_vision.encoded(picture, "JPEG"), tiny_vision.encoded(picture, "WEBP")]
    found = metier.picturing.classify("colours", files, top=2)
    assert [one.best for one in found] == ["red", "blue", "blue"]
    assert all(len(one.scores) == 2 for one in found)


def test_many_threads_get_their_own_answers(metier: Metier) -> None:
    wrong: list[str] = []

    def ask(colour: str, seed: int) -> None:
        data = tiny_vision.png(tiny_vision.pixels(colour, seed))
        (found,) = metier.picturing.classify("colours", [data])
        if found.best != colour:
            wrong.append(colour)

    threads = [
        threading.Thread(target=ask, args=(colour, 500 + seed))
        for seed in range(6)
        for colour in tiny_vision.COLOURS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_texts_and_pictures_are_not_mixed_up(metier: Metier, folder: Path) -> None:
    with pytest.raises(InputError) as raised:
        metier.classify("colours", ["a text"])
    assert raised.value.code == "wants_pictures"
    rows = made_up.write(folder / "rows.jsonl", made_up.rows(40))
    recipe = metier.recipe_for(rows, name="words", curve=False)
    metier.make(recipe, folder=folder)
    with pytest.raises(InputError) as raised:
        metier.picturing.classify("words", [red()])
    assert raised.value.code == "wants_texts"
    with pytest.raises(InputError) as raised:
        metier.evaluate("words", on="colours")
    assert raised.value.code == "wrong_task"
    with pytest.raises(InputError) as raised:
        metier.evaluate("colours", on="words")
    assert raised.value.code == "wrong_task"
    metier.remove("words")


@pytest.mark.parametrize("number", [0, MOST_AT_ONCE + 1])
def test_none_and_too_many_are_refused(metier: Metier, number: int) -> None:
    with pytest.raises(InputError) as raised:
        metier.picturing.classify("colours", [b""] * number)
    assert raised.value.code == "too_many_pictures"


def test_its_own_eval_and_one_of_ones_own(metier: Metier, folder: Path) -> None:
    own = metier.evaluate("colours", on="colours", against=["majority"])
    assert own.scores[0].n == 18
    fresh = tiny_vision.labelled(folder / "fresh", train=0, test=8)
    other = metier.evaluate("colours", on=str(fresh / "test"))
    assert other.scores[0].n == 24
    with pytest.raises(InputError) as raised:
        metier.evaluate("colours", on="colours", against=["base"])
    assert raised.value.code == "no_rival"


def test_an_eval_whose_pictures_went_is_sealed_again(metier: Metier, folder: Path) -> None:
    before = metier.evaluate("colours", on="colours")
    for kept in (folder / "home" / "evals").iterdir():
        kept.unlink()
    again = metier.evaluate("colours", on="colours")
    assert (again.fingerprint, again.result) == (before.fingerprint, before.result)
    assert {path.suffix for path in (folder / "home" / "evals").iterdir()} == {
        ".jsonl",
        ".pictures",
    }


def test_it_is_made_again_to_the_same_bytes(metier: Metier) -> None:
    found = metier.verify(remake=True)
    assert found["problems"] == []
    (remade,) = [one for one in found["remade"] if one["name"] == "colours"]
    assert remade["same_digest"]


def test_the_router_is_told_who_sees(metier: Metier) -> None:

    field = read_field(
        Means(
            settings=metier.settings,
            installed=metier.fleet.list,
            listings=metier.models.listings,
            proofs=dict,
            standing=lambda _: None,
            fit=lambda _: Fit("yes"),
            lacks=lambda _: [],
            service=lambda: None,
        )
    )
    (found,) = [one for one in field.candidates if one.name == "colours"]
    assert (found.task, found.sees) == ("classify-image", True)


def test_it_travels_and_leaves_nothing(metier: Metier, folder: Path, tmp_path: Path) -> None:
    exported = metier.export("colours", tmp_path / "out")
    text = b"".join(path.read_bytes() for path in exported.rglob("*") if path.is_file())
    assert str(folder).encode() not in text
    other = workshop.opened(tmp_path / "home", base=False)
    other.import_path(exported)
    assert other.picturing.classify("colours", [red()])[0].best == "red"
    other.close()
    metier.remove("colours")
    assert not list((folder / "home" / "evals").iterdir())
