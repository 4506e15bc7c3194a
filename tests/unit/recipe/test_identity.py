"""What makes two recipes, and two builds, the same."""

from __future__ import annotations

from metier.recipe import ChatRecipe
from metier.recipe.identity import build_id, recipe_id

TEXT = """
format = 1
[specialist]
name = "helper"
task = "chat"
[base]
ref = "BASE"
[answer]
prompt = "Be brief."
"""


def test_another_base_is_the_same_recipe() -> None:
    one = ChatRecipe.from_toml(TEXT.replace("BASE", "remote:a"))
    other = ChatRecipe.from_toml(TEXT.replace("BASE", "remote:b"))
    assert recipe_id(one) == recipe_id(other)
    assert recipe_id(one) != recipe_id(ChatRecipe.from_toml(TEXT.replace("brief", "long")))


def test_every_part_of_a_build_counts() -> None:
    recipe = recipe_id(ChatRecipe.from_toml(TEXT))
    parts = {"base_digest": "a", "data": ("d",), "seed": 0, "toolchain": {"metier": "1"}}
    first = build_id(recipe, **parts)
    changes = ({"base_digest": None}, {"data": ()}, {"seed": 1}, {"toolchain": {}})
    assert len({first, *(build_id(recipe, **{**parts, **change}) for change in changes)}) == 5
