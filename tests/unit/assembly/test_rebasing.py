"""A chat specialist from base to base: both executed on the same tasks, promoted only on a WIN.

The bases are loopback services. One knows Python; one leaves a bracket open until it is told, so
that the specialist's tool mends it; one subtracts whatever it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier import Metier
from metier.errors import InputError, MetierError
from metier.recipe import ChatRecipe
from metier.settings import Settings
from scripted import Scripted, Seen, said, service
from sums import NAMES, RECIPE, needs_a_sandbox, write_tasks

MANY = (*NAMES, *(f"m{number}" for number in range(8)))


def writes(body: dict) -> Scripted:
    """``weak`` knows a few only, ``strong`` all of them once its bracket is closed."""
    asked = "\n".join(str(message["content"]) for message in body["messages"])
    name = next(one for one in MANY if f"add_{one}(" in asked)
    told = len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"
    knows = body["model"] == "strong" or name in MANY[:2]
    closing = ")" if told or body["model"] == "weak" else ""
    end = "a + b" if knows else "a - b"
    return said(f"```python\ndef add_{name}(a, b{closing}:\n    return {end}\n```\n")


@pytest.fixture
def metier(tmp_path: Path) -> Iterator[tuple[Metier, Seen, Path]]:
    tasks = write_tasks(tmp_path, MANY)
    home = tmp_path / "home"
    home.mkdir()
    with service() as seen:
        seen.always = writes
        tables = [
            f'[{name}]\nurl = "{seen.service.url}"\nmodel = "{model}"\n'
            for name, model in (("mine", "weak"), ("newer", "strong"), ("twin", "weak"))
        ]
        (home / "services.toml").write_text("\n".join(tables))
        opened = Metier.open(Settings(home=home))
        opened.make(ChatRecipe.from_toml(RECIPE), folder=tmp_path)
        yield opened, seen, tasks
        opened.close()


def base(metier: Metier) -> str | None:
    found = metier.recipe_of("helper")
    assert isinstance(found, ChatRecipe)
    return found.base.ref


@needs_a_sandbox
def test_the_better_base_becomes_its_own(metier: tuple[Metier, Seen, Path]) -> None:
    opened, seen, tasks = metier
    hopped = opened.rebasing.hop("helper", ["remote:twin", "remote:newer"], on=str(tasks))
    grounds = {one.challenger.key: one.ground for one in hopped.promotion.rulings}
    assert grounds["remote:newer"] == "win", hopped.promotion.why
    assert grounds["remote:twin"] != "win"
    assert hopped.champion_key == "remote:mine"
    assert base(opened) == "remote:newer"
    assert hopped.promotion.compared == 2
    proof = opened.entry("here", "helper").proof
    assert proof is not None, "what was measured on the new base is its proof from now on"
    assert proof.evidence.against == "base"
    assert opened.hopping.history("helper")[0].act == "hop"
    asked = len(seen.bodies)
    opened.hopping.rollback("helper")
    assert base(opened) == "remote:mine"
    again = opened.rebasing.hop("helper", ["remote:newer"], on=str(tasks))
    assert again.promotion.promoted is not None
    assert len(seen.bodies) == asked, "what was answered before is not asked again"


@needs_a_sandbox
def test_no_better_base_changes_nothing(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, tasks = metier
    before = opened.show("helper").system
    hopped = opened.rebasing.hop("helper", ["remote:twin"], on=str(tasks))
    (ruling,) = hopped.promotion.rulings
    assert ruling.act == "kept"
    assert opened.show("helper").system == before
    assert opened.show(ruling.challenger.name).chat is not None


@needs_a_sandbox
def test_a_second_look_on_more_tasks_must_hold_at_every_look(
    metier: tuple[Metier, Seen, Path], tmp_path: Path
) -> None:
    opened, _, tasks = metier
    few = tmp_path / "few"
    few.mkdir()
    few_tasks = write_tasks(few, MANY[:8])
    first = opened.rebasing.hop("helper", ["remote:newer"], on=str(few_tasks))
    if first.promotion.promoted is not None:
        opened.hopping.rollback("helper")
    again = opened.rebasing.hop("helper", ["remote:newer"], on=str(tasks))
    (ruling,) = again.promotion.rulings
    assert ruling.challenger.standing is not None
    assert ruling.challenger.standing.pairs == len(MANY)


@needs_a_sandbox
def test_the_first_base_must_beat_itself_alone(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, tasks = metier
    recipe = ChatRecipe.from_toml(RECIPE.replace('[base]\nref = "remote:mine"\n', ""))
    opened.make(recipe, folder=tasks)
    kept = opened.rebasing.hop("helper", ["remote:mine"], on=str(tasks))
    assert kept.promotion.promoted is None, "its tool mends nothing of what that one gets wrong"
    hopped = opened.rebasing.hop("helper", ["remote:newer"], on=str(tasks))
    assert hopped.champion_key == "no base"
    assert base(opened) == "remote:newer"


def test_what_is_no_base_to_hop_to(metier: tuple[Metier, Seen, Path]) -> None:
    opened, _, _ = metier
    assert opened.rebasing.base("helper") == "remote:mine"
    assert opened.rebasing.base("nobody") is None
    assert {"svelte", "python"} <= set(opened.rebasing.evals("helper"))
    assert opened.rebasing.evals("nobody") == ()
    told = {}
    for bases in ([], ["remote:mine"], ["replay:x.jsonl"], ["remote:nobody"]):
        with pytest.raises(MetierError) as caught:
            opened.rebasing.hop("helper", bases)
        told[caught.value.code] = caught.value
    assert set(told) == {"no_bases", "same_base", "not_servable", "no_service"}
    with pytest.raises(InputError) as caught:
        opened.moving.hop("helper", "kit@3")
    assert caught.value.code == "not_a_pack"
