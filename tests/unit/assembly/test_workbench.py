"""What makers and examiners are handed, and which recipes they take."""

from __future__ import annotations

from pathlib import Path

import pytest

import talking
import workshop
from metier.assembly import Metier, today, toolchain
from metier.errors import InputError
from metier.recipe import ChatRecipe


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("bench") / "home"
    home.mkdir()
    opened = workshop.opened(home)
    opened.make(ChatRecipe.from_toml(talking.CHAT), folder=home)
    return opened


def test_makers_know_their_base_or_that_there_is_none(metier: Metier, tmp_path: Path) -> None:
    bench = metier._workbench
    base = bench.makers(workshop.BASE, tmp_path).base
    assert base is not None
    assert base.name == workshop.BASE
    assert bench.makers("absent", tmp_path).base is None
    assert bench.makers(None, tmp_path).base is None


def test_a_recipe_of_another_task_is_refused_where_a_classifier_is_meant(metier: Metier) -> None:
    assert isinstance(metier.recipe_of("helper"), ChatRecipe)
    with pytest.raises(InputError) as caught:
        metier._workbench.classifier_recipe("helper")
    assert caught.value.code == "not_a_classifier"


def test_only_classifiers_are_made_again(metier: Metier) -> None:
    assert metier.verify(remake=True)["remade"] == []


def test_what_can_change_a_number_is_named() -> None:
    assert {"numpy", "processor"} <= toolchain().keys()
    assert len(today().split("-")) == 3
