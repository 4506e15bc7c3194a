from __future__ import annotations

import json

import pytest

from metier.errors import CorruptError
from metier.recipe import ChatRecipe
from metier.specialist import ChatFile, task_of

RECIPE = ChatRecipe.from_toml(
    '[specialist]\nname = "kit"\ntask = "chat"\ndomain = "svelte"\n[base]\nref = "remote:x"\n'
    '[answer]\nprompt = "Answer."\npacks = ["docs"]\ntools = ["svelte"]\n'
    'toolchains = ["svelte@5"]\nrepairs = 3\n[answer.sampling]\ntemperature = 0.2\n'
)


def test_it_is_what_the_recipe_says_without_the_prompt() -> None:
    file = ChatFile.of(RECIPE)
    again = ChatFile.from_bytes(file.to_bytes())
    assert again == file
    assert (again.domain, again.base, again.repairs) == ("svelte", "remote:x", 3)
    assert again.versions == {"svelte": "svelte@5"}
    assert again.sampling.temperature == 0.2
    assert b"Answer." not in file.to_bytes()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tools": ["../evil"]}, "tools.0"),
        ({"tools": ["a", "a"]}, "twice"),
        ({"toolchains": ["https://x"]}, "toolchains.0"),
        ({"candidates": 1_000_000}, "candidates"),
        ({"prompt": "/etc/passwd"}, "prompt"),
        ({"code": "print()"}, "code"),
        ({"lock": {}}, "lock"),
    ],
)
def test_an_artifact_names_and_brings_nothing(change: dict[str, object], told: str) -> None:
    bad = json.loads(ChatFile.of(RECIPE).to_bytes()) | change
    with pytest.raises(CorruptError, match=told) as caught:
        ChatFile.from_bytes(json.dumps(bad).encode())
    assert caught.value.code == "bad_specialist"


def test_the_task_is_read_without_trusting_the_rest() -> None:
    assert task_of(ChatFile.of(RECIPE).to_bytes()) == "chat"
    assert [task_of(data) for data in (b"{", b"[]", b'{"task": 3}', b"{}")] == [None] * 4
