from __future__ import annotations

import pytest

from metier.errors import InputError
from metier.recipe import ChatRecipe, Recipe, SearchRecipe, read_recipe

CLASSIFY = '[specialist]\nname = "a"\n[[data]]\nkind = "file"\npath = "a.csv"\n'
CHAT = '[specialist]\nname = "a"\ntask = "chat"\n[answer]\nprompt = "Answer."\n'
SEARCH = '[specialist]\nname = "a"\ntask = "search"\n[[data]]\nkind = "dir"\npath = "docs"\n'


@pytest.mark.parametrize(
    ("text", "kind"), [(CLASSIFY, Recipe), (CHAT, ChatRecipe), (SEARCH, SearchRecipe)]
)
def test_the_task_decides(text: str, kind: type) -> None:
    assert type(read_recipe(text)) is kind


def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"specialist\.task is 'serach'.*'search'") as caught:
        read_recipe(SEARCH.replace('"search"', '"serach"'), where="pack.toml")
    assert caught.value.code == "bad_recipe"
    assert caught.value.message.startswith("pack.toml")


@pytest.mark.parametrize("text", ["specialist = 3", "[specialist]\ntask = 3", "", "[specialist"])
def test_what_is_no_recipe_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_recipe(text)
    assert caught.value.code == "bad_recipe"
    assert caught.value.remedy


def test_fields_of_another_task_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="split"):
        read_recipe(CHAT + "[split]\neval_share = 0.2\n")
    with pytest.raises(InputError, match="data"):
        read_recipe(CHAT + '[[data]]\nkind = "dir"\npath = "docs"\n')
    with pytest.raises(InputError, match="ladder"):
        read_recipe(SEARCH + "[ladder]\nseed = 1\n")
