"""A classifier of pictures hopped between vision encoders, and watched on its sealed pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import loopback
import made_up
import seeing_home
import tiny_bert
import tiny_vision
from metier.assembly import Metier
from metier.errors import InputError


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metier]:
    """``colours`` on the encoder ``tiny-eye``, and another one beside it."""
    folder = tmp_path_factory.mktemp("hopped")
    opened = seeing_home.opened(folder / "home", made=False)
    data = tiny_vision.labelled(folder / "pictures")
    recipe = seeing_home.recipe(opened, data)
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority", "encoder")})
    opened.make(recipe.model_copy(update={"ladder": ladder}), folder=folder)
    other = tiny_vision.folder(folder / "other")
    (other / "model.onnx").write_bytes(tiny_vision.graph(5, width=24))
    opened.import_path(other, name="other-eye")
    yield opened
    opened.close()


def test_encoders_of_pictures_are_offered_and_no_others(metier: Metier, tmp_path: Path) -> None:
    metier.install_base(tiny_bert.make_folder(tmp_path / "upstream"), name="words")
    keys = [one.key for one in metier.hopping.offers("colours")]
    assert "other-eye" in keys
    assert "words" not in keys
    with pytest.raises(InputError) as caught:
        metier.hopping.hop("colours", bases=["words"])
    assert caught.value.code == "not_an_encoder"
    assert "pictures" in caught.value.message
    with pytest.raises(InputError) as caught:
        metier.hopping.hop("colours", bases=["other-eye@static"])
    assert caught.value.code == "bad_view"


def test_a_challenger_is_made_asked_and_judged_and_can_be_gone_back_from(metier: Metier) -> None:
    before = metier.show("colours").system
    hopped = metier.hopping.hop("colours", bases=["other-eye"])
    (ruling,) = hopped.promotion.rulings
    challenger = ruling.challenger
    assert not challenger.failed
    assert challenger.evidence is not None
    assert challenger.evidence.difference.n == 18
    assert "answers to the sealed items" in hopped.reused
    now = metier.show("colours").system
    assert (now != before) == bool(hopped.promotion.promoted)
    red = tiny_vision.png(tiny_vision.pixels("red", 980))
    assert metier.picturing.classify("colours", [red])[0].best in tiny_vision.COLOURS
    again = metier.hopping.hop("colours", bases=["other-eye"]) if now == before else None
    assert again is None or "a challenger that was made before" in again.reused
    if now != before:
        metier.hopping.rollback("colours")
        assert metier.show("colours").system == before


def test_fresh_pictures_are_refused_clearly(metier: Metier, tmp_path: Path) -> None:
    rows = made_up.write(tmp_path / "rows.jsonl", made_up.rows(3))
    with pytest.raises(InputError) as caught:
        metier.hopping.hop("colours", bases=["other-eye"], fresh=rows)
    assert caught.value.code == "wrong_task"
    with pytest.raises(InputError) as caught:
        metier.watching.add_fresh("colours", rows)
    assert caught.value.code == "wrong_task"


def test_it_is_watched_on_its_sealed_pictures(tmp_path: Path) -> None:
    with loopback.serving(seeing_home.half_blind) as (asked, url):
        metier, data = seeing_home.seen_by(tmp_path, url)
        seeing_home.make(metier, data, base=None)
        paid = len(asked.bodies)
        (standing,) = metier.watching.once(["colours"])
        assert len(asked.bodies) == paid + 18
        assert standing.state == "PROMOTED"
        assert {track.rival: track.pairs for track in standing.tracks if not track.fresh} == {
            "base": 18, "general": 18,
        }  # fmt: skip
        metier.watching.once(["colours"])
        assert len(asked.bodies) == paid + 18
        metier.close()


def test_a_general_model_that_does_not_see_is_no_rival_of_the_watch(tmp_path: Path) -> None:
    with loopback.serving(seeing_home.half_blind) as (asked, url):
        metier, data = seeing_home.seen_by(tmp_path, url, sees="")
        seeing_home.make(metier, data, base=None)
        (standing,) = metier.watching.once(["colours"])
        assert {track.rival for track in standing.tracks} == {"base"}
        assert asked.bodies == []
        metier.close()
