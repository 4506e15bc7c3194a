import pytest

from metier.coding import Behaviour
from metier.errors import InputError
from metier.tools.behaviour.steps import check_behaviour, check_step, told_target, verb_of

GOOD = [
    {"mount": {"a": 1}},
    {"click": {"role": "button", "name": {"contains": "Save"}}, "times": 2, "why": "once"},
    {"choose": ["a"], "in": {"label": "Colour"}},
    {"fire": "pointerdown", "on": "window", "init": {"clientX": 1}},
    {"expect": "h1", "text": "x", "hold": 50, "timeout": 500},
    {"console": "error", "count": 0},
    {"stored": "theme", "value": "dark"},
    {"call": "add", "args": [1], "returns": 2, "as": "r"},
    {"load": {"url": "/"}, "redirect": True},
    {"action": "default", "event": {}, "fails": {"status": 400}, "cookies": {}},
    {"source": "A.svelte", "has": "x"},
]
BAD = [
    {},
    {"clack": "h1"},
    {"click": "h1", "mount": {}},
    {"click": "h1", "text": "x"},
    {"click": {"role": "button", "css": "a"}},
    {"click": {"name": "x"}},
    {"click": {"role": "button", "nam": "x"}},
    {"click": 3},
    {"type": "abc"},
    {"expect": "h1", "text": 3},
    {"expect": "h1", "text": {"like": "x"}},
    {"expect": "h1", "style": {"color": {"matches": "("}}},
    {"wait": 60_000},
    {"expect": "h1", "timeout": 60_000},
]


@pytest.mark.parametrize("step", GOOD)
def test_steps_of_the_language(step: dict[str, object]) -> None:
    check_step(step)


@pytest.mark.parametrize("step", BAD)
def test_other_steps_are_refused(step: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        check_behaviour(Behaviour("dom", "A.svelte", steps=({"mount": {}}, step)))
    assert caught.value.code == "bad_task"
    assert "Step 2" in caught.value.message


def test_kinds_options_and_empty_behaviours_are_checked() -> None:
    mount = ({"mount": {}},)
    for wrong in (
        Behaviour("page", "A.svelte", steps=mount),
        Behaviour("dom", "A.svelte"),
        Behaviour("dom", "A.svelte", steps=mount, options={"clok": "fake"}),
    ):
        with pytest.raises(InputError):
            check_behaviour(wrong)


def test_the_verb_of_a_step() -> None:
    assert verb_of({"choose": "a", "in": "select"}) == "choose"


def test_targets_are_told_to_people() -> None:
    target = {"role": "button", "name": "Save", "in": {"testid": "form"}, "nth": 2}
    assert told_target(target) == 'role "button" named "Save" number 2 in test id "form"'
