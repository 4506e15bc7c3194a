from __future__ import annotations

import json

import pytest

from metier import errors
from metier.errors import CorruptError, InputError, MetierError, NotFoundError, StorageError


def tree(kind: type[MetierError]) -> list[type[MetierError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in tree(child))]


def test_an_error_says_what_and_how_to_mend_it() -> None:
    error = InputError("Row 3 has no label.", code="no_label", remedy="Give it one.")
    assert str(error) == "Row 3 has no label."
    assert error.as_dict() == {
        "message": "Row 3 has no label.",
        "code": "no_label",
        "remedy": "Give it one.",
        "retryable": False,
        "details": {},
    }


def test_details_travel_as_json() -> None:
    error = MetierError("x", retryable=True, details={"row": 3})
    assert json.loads(json.dumps(error.as_dict()))["details"] == {"row": 3}
    assert error.retryable


def test_details_of_two_errors_are_not_shared() -> None:
    first = MetierError("x")
    first.details["row"] = 1
    assert MetierError("y").details == {}


@pytest.mark.parametrize("kind", tree(MetierError))
def test_every_class_has_a_code_and_a_sentence(kind: type[MetierError]) -> None:
    assert kind("x").code == kind.default_code
    assert kind.default_code.isidentifier()
    assert kind.__name__.endswith("Error")
    assert kind.__doc__


def test_codes_of_classes_differ() -> None:
    codes = [kind.default_code for kind in tree(MetierError)]
    assert len(codes) == len(set(codes))


def test_the_tree_is_drawn_in_the_docstring() -> None:
    assert errors.__doc__
    for kind in tree(MetierError):
        assert kind.__name__ in errors.__doc__


def test_what_is_not_there_is_wrong_input_and_what_is_corrupt_is_storage() -> None:
    assert issubclass(NotFoundError, InputError)
    assert issubclass(CorruptError, StorageError)
