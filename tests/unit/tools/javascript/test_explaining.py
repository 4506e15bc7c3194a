from __future__ import annotations

import pytest

from metier.coding import Diagnostic
from metier.tools.javascript.explaining import explained


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Unexpected end of input.", "not closed"),
        ("Identifier 'x' has already been declared.", "same name"),
        ("Invalid or unexpected token.", "typographic"),
        ("await is only valid in async functions.", "async"),
        ("Cannot use import statement outside a module.", "modules only"),
        ("Illegal return statement.", "functions only"),
        ("Unexpected token '<'.", "JSX"),
        ("Unexpected identifier 'x'.", "line before"),
    ],
)
def test_frequent_messages_are_explained(message: str, said: str) -> None:
    found = explained(Diagnostic("syntax", message))
    assert said in found.explanation
    assert (found.docs or "").startswith("https://developer.mozilla.org/")


def test_what_is_not_known_stays_as_it_is() -> None:
    found = Diagnostic("syntax", "Never seen.")
    assert explained(found) == found
