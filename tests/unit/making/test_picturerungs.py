"""The rungs of pictures: what is tried, what is left out and why, and what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

import seeing_home
import tiny_vision
from metier.assembly import Metier
from metier.card import Card, Verdict
from metier.engines.parts import SpecialistFile


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vision.labelled(tmp_path_factory.mktemp("rungs") / "set")


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    return seeing_home.opened(tmp_path_factory.mktemp("rungs") / "home", made=False)


def states(card: Card) -> dict[str, str]:
    return {rung.name: rung.state for rung in card.ladder}


def test_all_four_are_tried_and_compared_with_the_commonest_label(
    metier: Metier, data: Path
) -> None:
    card = seeing_home.make(metier, data)
    assert list(states(card)) == ["majority", "features", "encoder", "ensemble"]
    assert set(states(card).values()) == {"tried", "chosen"}
    assert card.task == "classify-image"
    majority = card.against("majority")
    assert majority is not None
    assert majority.difference.verdict is Verdict.WIN
    rows = {row.role: row for row in card.rows}
    for role in ("base", "general"):
        assert rows[role].score is None
        assert rows[role].note
    assert rows["base"].command is None
    assert rows["general"].command.startswith("METIER_GENERAL_SEES=1 METIER_GENERAL_URL=")
    assert "pillow" in card.toolchain


def test_without_an_encoder_the_rest_is_climbed(metier: Metier, data: Path) -> None:
    card = seeing_home.make(metier, data, name="plain", base=None)
    assert states(card)["encoder"] == states(card)["ensemble"] == "skipped"
    assert card.base is None
    assert card.rung == "features"
    ladder = {rung.name: rung for rung in card.ladder}
    assert "metier import" in ladder["encoder"].why


def test_an_encoder_that_is_not_here_is_said(metier: Metier, data: Path) -> None:
    card = seeing_home.make(metier, data, name="blind", base="nobody")
    assert states(card)["encoder"] == "skipped"


def test_a_chosen_encoder_is_bound_by_its_digest(metier: Metier, data: Path) -> None:
    recipe = seeing_home.recipe(metier, data, name="eyed")
    only = recipe.ladder.model_copy(update={"rungs": ("majority", "encoder")})
    card = metier.make(recipe.model_copy(update={"ladder": only}), folder=data.parent)
    assert (card.rung, card.base is not None) == ("encoder", True)
    file = SpecialistFile.from_bytes(metier.read_part("eyed", "specialist.json"))
    assert card.base is not None
    assert (file.task, file.base, file.base_digest) == (
        "classify-image",
        seeing_home.EYE,
        card.base.digest,
    )
    assert card.base.licence == "CC0-1.0"
    with (data / "test/red/0.png").open("rb") as picture:
        (answer,) = metier.picturing.classify("eyed", [picture.read()])
    assert answer.best in card.labels
