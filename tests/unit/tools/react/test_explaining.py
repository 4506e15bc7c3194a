from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from metier.coding import Diagnostic
from metier.tools.react.explaining import explained


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("react-hooks/rules-of-hooks", 'Hook "useState" is called conditionally.', "same order"),
        ("react-hooks/rules-of-hooks", "may be executed more than once … in a loop", "varying"),
        ("react-hooks/rules-of-hooks", "cannot be called inside a callback", "callback"),
        ("react-hooks/rules-of-hooks", 'in function "helper"', "capital"),
        ("TS2304", "Cannot find name 'useState'.", "import { useState }"),
        ("TS2304", "Cannot find name 'x'.", "ReferenceError"),
        ("TS2305", "Module '\"react-dom\"' has no exported member 'render'.", "react-dom/client"),
        ("html_attribute", "'class' is written 'className' in React.", "className"),
    ],
)
def test_frequent_messages_are_explained(code: str, message: str, said: str) -> None:
    found = explained(Diagnostic(code, message))
    assert said in found.explanation
    assert (found.docs or "").startswith("https://react.dev/")


def test_what_is_not_known_stays_as_it_is() -> None:
    found = Diagnostic("TS9999", "Never seen.")
    assert explained(found) == found


def test_every_explanation_is_a_sentence_with_an_address() -> None:
    text = (files("metier.tools.react") / "explanations.toml").read_text("utf-8")
    for entry in tomllib.loads(text)["explanation"]:
        assert entry["text"].endswith("."), entry
        assert re.fullmatch(r"[a-z2/A-Z.#0-9-]+", entry["docs"]), entry
        assert entry["codes"]
