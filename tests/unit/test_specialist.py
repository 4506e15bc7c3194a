"""``specialist.json`` of a chat specialist: it names, and brings nothing."""

from __future__ import annotations

import json

import pytest

from metier.errors import CorruptError
from metier.recipe import ChatRecipe
from metier.specialist import ChatFile, task_of

TEXT = """
format = 1
[specialist]
name = "helper"
task = "chat"
[answer]
prompt = "Be brief."
packs = ["notes"]
tools = ["svelte"]
toolchains = ["svelte@5", "kit@2"]
candidates = 3
"""


def test_a_recipe_becomes_its_file() -> None:
    file = ChatFile.of(ChatRecipe.from_toml(TEXT))
    assert ChatFile.from_bytes(file.to_bytes()) == file
    assert file.versions == {"svelte": "svelte@5", "kit": "kit@2"}
    assert file.candidates == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lock": "x"}, "lock"),
        ({"prompt": "../prompt.md"}, "prompt"),
        ({"tools": ["os.system"]}, "tools"),
        ({"candidates": 999}, "candidates"),
        ({"toolchains": ["svelte@5", "svelte@4"]}, "two versions"),
    ],
)
def test_what_comes_from_elsewhere_is_held_to_the_same_bounds(change: dict, words: str) -> None:
    document = json.loads(ChatFile.of(ChatRecipe.from_toml(TEXT)).to_bytes())
    with pytest.raises(CorruptError, match=words) as caught:
        ChatFile.from_bytes(json.dumps({**document, **change}).encode())
    assert caught.value.code == "bad_specialist"


@pytest.mark.parametrize(
    ("data", "task"),
    [
        (b'{"task": "chat"}', "chat"),
        (b"{}", None),
        (b"[]", None),
        (b"x", None),
        (b'{"task":1}', None),
    ],
)
def test_the_task_is_read_from_anything(data: bytes, task: str | None) -> None:
    assert task_of(data) == task
