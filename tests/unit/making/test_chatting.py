from __future__ import annotations

import talking
from metier.making.chatting import UNMEASURED, make_chat
from metier.recipe import ChatRecipe
from metier.specialist import ChatFile

RECIPE = ChatRecipe.from_toml(talking.CHAT)


def test_the_parts_are_prompt_names_recipe_and_card() -> None:
    made = make_chat(RECIPE, today="2026-11-23")
    assert {path: role for path, (role, _) in made.parts.items()} == {
        "specialist.json": "weight-config",
        "prompt.md": "weight-config",
        "card.json": "doc",
        "recipe.toml": "doc",
    }
    assert made.parts["prompt.md"][1] == b"You write Python.\n"
    assert ChatFile.from_bytes(made.parts["specialist.json"][1]) == ChatFile.of(RECIPE)
    assert ChatRecipe.from_toml(made.parts["recipe.toml"][1].decode()) == RECIPE


def test_the_card_claims_nothing() -> None:
    card = make_chat(RECIPE, today="2026-11-23").card
    assert [(row.score, row.note) for row in card.rows] == [(None, UNMEASURED)]
    assert card.bases == (("some-model", "not measured"),)
    assert card.cost.cost_class == "that of its base"


def test_the_system_is_the_prompt_and_the_names_and_no_date() -> None:
    first = make_chat(RECIPE, today="2026-11-23").card
    assert make_chat(RECIPE, today="2026-12-24").card.system == first.system
    other = RECIPE.model_copy(
        update={"answer": RECIPE.answer.model_copy(update={"prompt": "Otherwise."})}
    )
    assert make_chat(other, today="2026-11-23").card.system != first.system


def test_a_long_prompt_stays_readable_in_the_recipe() -> None:
    answer = RECIPE.answer.model_copy(update={"prompt": "One.\nTwo.\n"})
    made = make_chat(RECIPE.model_copy(update={"answer": answer}), today="2026-11-23")
    assert b'"""\nOne.\nTwo.\n"""' in made.parts["recipe.toml"][1]
