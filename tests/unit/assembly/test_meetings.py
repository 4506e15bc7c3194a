"""Chat specialists on executed tasks: who meets whom, and what is not asked again.

The service is scripted, so what is counted here says nothing of any model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from metier.assembly import Metier
from metier.recipe import ChatRecipe
from metier.settings import Settings
from scripted import Seen, service
from sums import needs_a_sandbox, write_tasks
from unit.assembly.test_tables import NAMES, RECIPE, writes


@pytest.fixture
def helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Metier, Seen, Settings]]:
    write_tasks(tmp_path, NAMES, called="sums")
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    with service() as seen:
        seen.always = writes
        (home / "services.toml").write_text(f'[mine]\nurl = "{seen.service.url}"\nmodel = "big"\n')
        settings = Settings(home=home, base="remote:mine")
        opened = Metier.open(settings)
        recipe = RECIPE.replace('names = ["python"]', 'names = ["sums"]')
        opened.make(ChatRecipe.from_toml(recipe), folder=tmp_path)
        yield opened, seen, settings
        opened.close()


@needs_a_sandbox
def test_a_base_with_tools_meets_the_base_alone(helper: tuple[Metier, Seen, Settings]) -> None:
    metier, seen, _ = helper
    (look,) = metier.watching.look(["helper"])
    assert look.problems == ()
    assert look.added == 3
    (whole, *fresh) = [track for track in look.standing.tracks if track.rival == "base"]
    assert (whole.pairs, whole.wins, whole.losses) == (3, 1, 0)
    assert all(track.fresh for track in fresh)
    calls, tables = len(seen.bodies), len(metier.ledger.rows("result"))
    (again,) = metier.watching.look(["helper"])
    assert again.added == 0
    assert len(seen.bodies) == calls
    assert len(metier.ledger.rows("result")) == tables  # nothing was run, so nothing was filed


@needs_a_sandbox
def test_nobody_is_paid_again_on_another_day(
    helper: tuple[Metier, Seen, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    metier, seen, settings = helper
    (first,) = metier.watching.look(["helper"])
    calls = len(seen.bodies)
    monkeypatch.setattr("metier.assembly.bases._today", lambda: "2031-01-01")
    (again,) = Metier.open(settings).watching.look(["helper"])
    assert (again.added, len(seen.bodies)) == (0, calls)
    assert again.standing.tracks == first.standing.tracks


@needs_a_sandbox
def test_a_general_model_answers_the_same_tasks(helper: tuple[Metier, Seen, Settings]) -> None:
    _, seen, settings = helper
    general = replace(settings, general_url=seen.service.url, general_model="general-x")
    (look,) = Metier.open(general).watching.look(["helper"])
    met = {track.rival for track in look.standing.tracks}
    assert met == {"base", "general"}
    assert look.added == 6


def test_without_a_base_there_is_nothing_to_hold_it_against(
    helper: tuple[Metier, Seen, Settings],
) -> None:
    _, _, settings = helper
    (look,) = Metier.open(replace(settings, base=None)).watching.look(["helper"])
    assert (look.added, look.standing.tracks) == (0, ())
    assert any("no base is configured" in note for note in look.notes)


def test_in_the_background_no_second_model_is_loaded(
    helper: tuple[Metier, Seen, Settings],
) -> None:
    _, _, settings = helper
    metier = Metier.open(replace(settings, base="a-model-of-this-machine"))
    (look,) = metier.watching.look(["helper"], background=True)
    assert look.added == 0
    assert any("runs on this machine" in note for note in look.notes)
