from typing import Any

import pytest

from metier.tools.behaviour.expecting import colour, counted, expect, told_count


class Found:
    """A finder that found this."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = list(items)

    def all(self, target: Any, want: Any = (), style: Any = ()) -> list[dict[str, Any]]:
        return self._items


ITEM = {
    "id": 3,
    "text": " two\n words ",
    "value": "5",
    "html": "<b>x</b>",
    "checked": True,
    "disabled": False,
    "attributes": {"class": "a b", "href": "/x"},
    "style": {"color": "rgb(0, 0, 255)", "margin": "4px"},
    "name": "Save",
}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"text": "two words"}, {"text": "two"}),
        ({"value": {"number": 5}}, {"value": "6"}),
        ({"html": "<b>x</b>"}, {"html": "x"}),
        ({"checked": True, "disabled": False}, {"checked": True, "disabled": True}),
        ({"attribute": {"href": {"ends": "x"}, "id": False}}, {"attribute": {"href": False}}),
        ({"attribute": {"href": True}}, {"attribute": {"id": "a"}}),
        ({"class": "b a"}, {"class": "a c"}),
        ({"no_class": "c"}, {"no_class": "b"}),
        ({"style": {"color": "blue"}}, {"style": {"color": "#0000fe"}}),
        ({"style": {"margin": {"matches": "px"}}}, {"style": {"margin": "5px"}}),
        ({"same": "kept"}, {"not_same": "kept"}),
        ({"count": 1}, {"count": {"at_least": 2}}),
        ({"present": True}, {"present": False}),
        ({"texts": ["two words"]}, {"texts": ["two words", "three"]}),
        ({"name": "Save"}, {"name": "save"}),
        ({}, {"values": ["6"]}),
    ],
)
def test_words(right: dict[str, Any], wrong: dict[str, Any]) -> None:
    finder: Any = Found(ITEM)
    assert expect({"expect": "p", **right}, finder, {}, {"kept": 3}) is None
    assert expect({"expect": "p", **wrong}, finder, {}, {"kept": 3})


def test_none_and_several() -> None:
    none: Any = Found()
    two: Any = Found(ITEM, ITEM)
    assert "nothing matches" in str(expect({"expect": "p"}, none, {}, {}))
    assert expect({"expect": "p", "present": False}, none, {}, {}) is None
    assert "2 elements match" in str(expect({"expect": "p", "text": "two words"}, two, {}, {}))


def test_colours_and_counts() -> None:
    assert colour("blue") == colour("#00f") == colour("rgb(0 0 255 / 1)") == (0.0, 0.0, 255.0, 1.0)
    assert colour("#ff000080") == (255.0, 0.0, 0.0, 128 / 255)
    assert colour("bold") is None
    assert counted({"at_least": 1, "at_most": 2}, 2)
    assert told_count({"at_least": 1}) == "at least 1"
