import datetime

import pytest

from metier.tools.behaviour.values import equal, kind_of, shown, to_wire

UNDEFINED = {"$undefined": True}


@pytest.mark.parametrize(
    ("expected", "right", "wrong"),
    [
        (1, 1.0, True),
        (True, True, 1),
        ("a", "a", ["a"]),
        ([1, [2]], [1, [2]], [1, 2]),
        ({"a": 1}, {"a": 1, "b": UNDEFINED}, {"a": 1, "b": 2}),
        ({"a": {"$undefined": True}}, {}, {"a": None}),
        ({"a": 1}, {"$instance": "Point", "members": {"a": 1}}, {"$map": [["a", 1]]}),
        ({"$null": True}, None, UNDEFINED),
        ({"$undefined": True}, UNDEFINED, None),
        (float("nan"), {"$number": "nan"}, 0),
        ({"$text": {"contains": "b"}}, "abc", 3),
        ({"$partial": {"a": {"$partial": {"b": 1}}}}, {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {}}),
        ({"$contains": {"$partial": {"id": 2}}}, [{"id": 1}, {"id": 2, "x": 0}], [{"id": 1}]),
        ({"$contains": "b"}, "abc", "xyz"),
        ({"$number": 3.14, "within": 0.01}, 3.145, 3.2),
        ({"$between": [1, 5]}, 5, 6),
        ({"$length": 2}, [1, 2], "abc"),
        ({"$length": 1}, {"$map": [[1, 2]]}, {"$set": [1, 2]}),
        ({"$type": "array"}, [1], {"a": 1}),
        ({"$type": "Point"}, {"$instance": "Point", "members": {}}, {}),
        ({"$type": "function"}, {"$function": True, "name": "f"}, "f"),
        ({"$any": [1, "a"]}, "a", "b"),
        ({"$not": 1}, 2, 1),
        ({"$all": [{"$type": "number"}, {"$not": 0}]}, 3, 0),
        ({"$unordered": [1, 2, 2]}, [2, 1, 2], [1, 1, 2]),
        ({"$set": [1, 2]}, {"$set": [2, 1]}, [1, 2]),
        ({"$map": [["a", 1]]}, {"$map": [["a", 1]]}, {"$map": [["a", 2]]}),
        ({"$error": {"contains": "no"}}, {"$error": "no way", "name": "Error"}, "no way"),
        ({"$date": "2026-01-01"}, {"$date": "2026-01-01T00:00:00.000Z"}, "2026-01-01"),
        (datetime.date(2026, 1, 1), {"$date": "2026-01-01T00:00:00.000Z"}, {"$date": "invalid"}),
        ({"$bigint": "12"}, {"$bigint": "12"}, 12),
        ({"a": {"$anything": True}}, {"a": [1]}, {"b": 1}),
    ],
)
def test_equal(expected: object, right: object, wrong: object) -> None:
    assert equal(expected, right)
    assert not equal(expected, wrong)


def test_tables_that_an_answer_made_are_not_special() -> None:
    assert not equal(6, {"$plain": {"$anything": True}})
    assert equal({"$partial": {"a": 1}}, {"$plain": {"a": 1, "$b": 2}})


def test_values_go_over_the_wire_as_json() -> None:
    moment = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
    assert to_wire({"at": moment, "n": [float("inf"), float("nan")]}) == {
        "at": {"$date": "2026-01-01T12:00:00.000Z"},
        "n": [{"$number": "inf"}, {"$number": "nan"}],
    }


def test_what_was_found_is_shown_to_people() -> None:
    assert kind_of(None) == "null"
    assert shown({"$instance": "Point", "members": {"x": UNDEFINED}}) == (
        '{"(Point)": {"x": "(undefined)"}}'
    )
