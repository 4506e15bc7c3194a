import pytest

from metier.errors import InputError
from metier.tools.behaviour.strings import checked_string, folded, holds, quoted, told


def test_white_space_is_folded() -> None:
    assert folded("  a\n\t b ") == "a b"
    assert holds("a b", " a\n b ")
    assert not holds("a b", "A b")


@pytest.mark.parametrize(
    ("expected", "right", "wrong"),
    [
        ({"contains": "b"}, "abc", "ac"),
        ({"lacks": "b"}, "ac", "abc"),
        ({"matches": r"^\d+$"}, "12", "1 2"),
        ({"starts": "a", "ends": "c"}, "abc", "abd"),
        ({"not": "a"}, "b", "a"),
        ({"any": ["a", {"contains": "z"}]}, "xyz", "b"),
        ({"number": 3.5}, "Total: 3.50 EUR", "3.5 of 7"),
        ({"number": 1000}, "1,000 items", "100 items"),
        ({"number": 3.14, "within": 0.01}, "3.145", "3.2"),
        ({"contains": "LONG", "ignore_case": True}, "a long text", "short"),
        ({"not": "Short", "ignore_case": True}, "long", "SHORT"),
        ({"remembered": "before"}, "was", "is"),
        ({"not_remembered": "before"}, "is", "was"),
    ],
)
def test_every_word(expected: dict[str, object], right: str, wrong: str) -> None:
    checked_string(expected, "text")
    assert holds(expected, right, {"before": "was"})
    assert not holds(expected, wrong, {"before": "was"})
    assert told(expected)


@pytest.mark.parametrize("given", [3, {}, {"has": "x"}, {"matches": "("}])
def test_what_is_no_string_is_refused(given: object) -> None:
    with pytest.raises(InputError) as caught:
        checked_string(given, "text")
    assert caught.value.code == "bad_task"


def test_long_texts_are_cut() -> None:
    assert len(quoted("x" * 500)) < 210
    assert quoted([1, "a"]) == '[1, "a"]'
