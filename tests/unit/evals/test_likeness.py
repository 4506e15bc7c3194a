"""Prompts that ask nearly the same."""

from judging import task
from metier.evals.likeness import Alike, alike

OPENING = "Write a Svelte 5 component with runes that "


def test_copies_and_near_copies_are_found_and_the_boilerplate_is_not() -> None:
    words = [
        "counts clicks",
        "sorts a table by column",
        "shows the weather of a town",
        "plays chess",
        "dims the light",
        "rings a bell",
    ]
    tasks = [task(f"t{number}", prompt=OPENING + text) for number, text in enumerate(words)]
    assert alike(tasks) == ()
    long = OPENING + "shows a list of names that can be filtered by a text field above the list"
    near = long.replace("names", "towns")
    copy = long.upper().replace(" LIST", "\nlist,")
    found = alike([*tasks, task("a", prompt=long), task("b", prompt=near), task("c", prompt=copy)])
    assert found[0] == Alike("a", "c", 1.0)
    assert {(pair.first, pair.second) for pair in found} == {("a", "c"), ("a", "b"), ("b", "c")}
    assert 0.5 <= found[1].similarity < 1.0


def test_short_prompts() -> None:
    tasks = [task("a", prompt="Go"), task("b", prompt="go."), task("c", prompt="Stop")]
    assert alike(tasks) == (Alike("a", "b", 1.0),)
    assert alike([]) == ()
