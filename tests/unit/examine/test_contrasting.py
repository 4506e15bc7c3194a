"""Results that are here are shown at once; what is missing is measured once and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.errors import InputError, MetierError, NotFoundError
from metier.examine.contrasting import stored
from metier.messages import Progress, silent


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("contrasting")
    metier = workshop.opened(home, base=False)
    data = workshop.tickets(home / "data", train=20, held_out=15)
    for name, rungs in (("words", ("linear",)), ("dull", ("majority",))):
        recipe = metier.recipe_for(data, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": rungs})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    other = made_up.write(home / "other.jsonl", made_up.rows(30, seed=9))
    recipe = metier.recipe_for(other, name="elsewhere", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return metier


def test_results_of_the_own_eval_are_here_at_once(metier: Metier) -> None:
    found = metier.comparing.gather(["words", "dull", "majority"], on="words")
    assert found.missing == ()
    assert [side.name for side in found.sides] == ["words", "dull", "majority"]
    whole = found.contrast
    assert whole is not None
    assert whole.items == len(found.sealed.items) == 60
    words = next(one for one in whole.systems if one.name == "words")
    assert words.cost.ms_per_text is not None
    assert words.cost.size_bytes
    assert set(found.labels) == {"account", "delivery", "payment", "returns"}


def test_what_is_missing_is_measured_once(metier: Metier) -> None:
    names = ["words", "elsewhere"]
    before = metier.comparing.gather(names, on="words")
    assert before.missing == ("elsewhere",)
    assert before.contrast is None
    heard: list[Progress] = []
    found = metier.comparing.measure(names, on="words", report=heard.append)
    assert found.missing == ()
    assert any("elsewhere answers 60 questions" in step.message for step in heard)
    again = metier.comparing.gather(names, on="words")
    assert again.missing == ()
    assert [side.result.digest for side in again.sides] == [
        side.result.digest for side in found.sides
    ]
    # Whether its training rows leaked was looked at, and is remembered.
    assert again.sides[1].leaked is not None
    system = again.sides[1].result.system
    assert system in stored(metier.settings.home / "results", again.sealed.fingerprint)
    assert any(row.subject in names for row in metier.ledger.rows("evidence"))


def test_it_is_stopped_when_it_is_asked_to(metier: Metier) -> None:
    with pytest.raises(MetierError):
        metier.comparing.measure(
            ["elsewhere", "dull"], on="elsewhere", report=silent, cancelled=lambda: True
        )


def test_names_that_cannot_be_compared_are_refused(metier: Metier) -> None:
    with pytest.raises(NotFoundError):
        metier.comparing.gather(["words", "nobody"], on="words")
    with pytest.raises(NotFoundError):
        metier.comparing.gather(["words", "dull"], on="nowhere")
    metier.install_starters(silent)
    with pytest.raises(InputError) as caught:
        metier.comparing.gather(["words", "sveltekit"], on="words")
    assert caught.value.code == "not_a_classifier"


def test_files_that_are_no_results_are_passed_over(tmp_path: Path) -> None:
    for name, text in (("a", ""), ("b", "[]"), ("c", "nonsense"), ("d", '{"eval": "x"}')):
        (tmp_path / f"{name}.jsonl").write_text(text, "utf-8")
    assert stored(tmp_path, "sha256:00") == {}
