# ruff: noqa: E501  sources of components are read best as they are
"""Targets against a page of many alike things."""

from typing import Any

import pytest

from toolchain import needs

pytestmark = needs("svelte@5")

PAGE = """<h2>Shop</h2><nav aria-label="Main"><a href="/a" aria-current="page">One</a><a href="/b">Two</a></nav>
<ul><li><span>Tea</span> <button aria-label="Remove Tea">x</button></li><li><span>Milk</span> <button>Remove Milk</button></li></ul>
<label for="n">Name <em>of you</em></label><input id="n" placeholder="who" title="full name">
<input type="checkbox" aria-label="All" checked><button aria-pressed="true" hidden>Bold</button>
<img alt="A cat" src="c.png"><p data-testid="p">Hello <b>bold</b> world</p><details><summary>More</summary><p>inner</p></details>"""


@pytest.mark.parametrize(
    ("target", "count"),
    [
        ("li", 2),
        ({"css": "head title"}, 1),
        ({"role": "button"}, 2),
        ({"role": "button", "hidden": True}, 3),
        ({"role": "button", "pressed": True, "hidden": True}, 1),
        ({"role": "button", "name": "Remove Tea"}, 1),
        ({"role": "button", "name": {"starts": "Remove"}}, 2),
        ({"role": "button", "in": {"role": "listitem", "has_text": {"contains": "Milk"}}}, 1),
        ({"role": "listitem", "has": {"text": "Tea"}}, 1),
        ({"role": "heading", "level": 2}, 1),
        ({"role": "heading", "level": 1}, 0),
        ({"role": "link", "current": "page"}, 1),
        ({"role": "navigation", "name": "Main"}, 1),
        ({"role": "checkbox", "checked": True}, 1),
        ({"label": "Name of you"}, 1),
        ({"label": "All"}, 1),
        ({"text": "Tea"}, 1),
        ({"text": "Hello bold world"}, 1),
        ({"text": {"matches": "^(Tea|Milk)$"}}, 2),
        ({"text": {"contains": "bold"}}, 1),
        ({"placeholder": "who"}, 1),
        ({"title": "full name"}, 1),
        ({"alt": {"ends": "cat"}}, 1),
        ({"testid": "p"}, 1),
        ({"role": "listitem", "nth": 3}, 0),
    ],
)
def test_targets(judging: Any, target: Any, count: int) -> None:
    judged = judging(PAGE, [{"mount": {}}, {"expect": target, "count": count}])
    assert judged.standing == "passed", judged


def test_what_is_visible(judging: Any) -> None:
    steps = [
        {"mount": {}},
        {"expect": {"role": "button", "hidden": True, "nth": -1}, "visible": False},
        {"expect": {"text": "inner"}, "visible": False},
        {"expect": {"text": "More"}, "visible": True},
        {"expect": {"testid": "p"}, "visible": True, "html": {"contains": "<b>bold</b>"}},
    ]
    judged = judging(PAGE, steps)
    assert judged.standing == "passed", judged
