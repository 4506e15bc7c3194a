"""TOML into a recipe, or a message that names what is wrong."""

from __future__ import annotations

import pytest

from metier.errors import InputError
from metier.recipe import ChatRecipe
from metier.recipe.parsing import document_of, parsed


def test_a_document_is_read() -> None:
    assert document_of("a = 1", where="it") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = ", "not valid TOML"),
        ("format = 2", "format"),
        ('[specialist]\nname = "x"\ntask = "chat"', "answer"),
        ('[specialist]\nname = "x"\ntask = "chat"\n[answer]\nprompt = "p"\nx = 1', "answer.x"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(ChatRecipe, text, where="mine.toml")
    assert caught.value.code == "bad_recipe"
    assert "mine.toml" in caught.value.message
    assert words in caught.value.message
    assert caught.value.remedy
