from __future__ import annotations

from metier.recipe import ChatRecipe, SearchRecipe
from metier.recipe.identity import build_id, recipe_id

CHAT = '[specialist]\nname = "a"\ntask = "chat"\n[answer]\nprompt = "Answer."\n'
SEARCH = '[specialist]\nname = "a"\ntask = "search"\n[[data]]\nkind = "dir"\npath = "docs"\n'


def test_two_tasks_are_two_recipes() -> None:
    first = recipe_id(ChatRecipe.from_toml(CHAT))
    assert first == ChatRecipe.from_toml(CHAT).recipe_id
    assert first != recipe_id(SearchRecipe.from_toml(SEARCH))


def test_a_build_is_recipe_base_data_seed_and_toolchain() -> None:
    recipe = recipe_id(ChatRecipe.from_toml(CHAT))
    facts: dict[str, object] = {
        "base_digest": "x", "data": ("a",), "seed": 0, "toolchain": {"numpy": "2"},
    }  # fmt: skip
    first = build_id(recipe, **facts)  # type: ignore[arg-type]
    changes = ({"base_digest": None}, {"data": ()}, {"seed": 1}, {"toolchain": {"numpy": "3"}})
    others = {build_id(recipe, **{**facts, **change}) for change in changes}  # type: ignore[arg-type]
    assert len(others | {first}) == 5
