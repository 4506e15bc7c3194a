from __future__ import annotations

import pytest

from metier.errors import InputError
from metier.recipe.chatting import Alternative
from metier.recipe.parsing import document_of, parsed, validated


def test_toml_becomes_a_kind() -> None:
    assert parsed(Alternative, 'ref = "m"', where="x") == Alternative(ref="m")
    assert document_of("a = 1", where="x") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [("ref =", "not valid TOML"), ("", "ref"), ('ref = ""', "ref"), ('reff = "m"', "ref")],
)
def test_what_is_wrong_is_named_with_where(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        parsed(Alternative, text, where="bases.toml")
    assert caught.value.message.startswith("bases.toml")
    assert caught.value.code == "bad_recipe"
    assert caught.value.remedy


def test_a_document_may_come_from_elsewhere() -> None:
    with pytest.raises(InputError, match="note"):
        validated(Alternative, {"ref": "m", "note": 3}, where="x")
