"""A chat specialist is put together and claims nothing."""

from __future__ import annotations

from metier.making.chatting import UNMEASURED, make_chat
from metier.recipe import ChatRecipe
from metier.specialist import ChatFile

TEXT = """
format = 1
[specialist]
name = "helper"
task = "chat"
description = "Helps."
[[base.alternatives]]
ref = "big"
note = "not measured"
[answer]
prompt = "  Be brief.  "
tools = ["python"]
[eval]
names = ["python"]
"""


def made(text: str = TEXT):
    return make_chat(ChatRecipe.from_toml(text), today="2026-11-23")


def test_its_parts_are_names_and_a_prompt() -> None:
    parts = made().parts
    assert set(parts) == {"specialist.json", "prompt.md", "recipe.toml", "card.json"}
    assert parts["prompt.md"][1] == b"Be brief.\n"
    assert ChatFile.from_bytes(parts["specialist.json"][1]).tools == ("python",)
    assert ChatRecipe.from_toml(parts["recipe.toml"][1].decode()) == ChatRecipe.from_toml(TEXT)


def test_its_card_says_that_nothing_was_measured() -> None:
    card = made().card
    assert card.bases == (("big", "not measured"),)
    (row,) = card.rows
    assert (row.score, row.note) == (None, UNMEASURED)
    assert row.command == "metier eval helper --on python --base remote:NAME"


def test_the_same_recipe_gives_the_same_bytes_and_another_prompt_another_system() -> None:
    assert made().parts == made().parts
    assert made().card.system != made(TEXT.replace("brief", "kind")).card.system
    assert made().card.system == made(TEXT.replace("Helps", "Helps well")).card.system
