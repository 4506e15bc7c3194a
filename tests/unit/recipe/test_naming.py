from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from metier.recipe.naming import Commit, Named, PluginName, Sha256, ToolchainName


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Named, ["svelte-docs", "team/docs:2"], ["a b", "../a", "", "https://x/y"]),
        (PluginName, ["svelte", "my_tool-2"], ["Svelte", "a/b", "a.py", "a\n", ""]),
        (ToolchainName, ["svelte@5", "kit@2"], ["svelte", "svelte@next", "@5", "a@5/../x"]),
        (Sha256, ["0" * 64], ["0" * 63, "G" * 64]),
        (Commit, ["0" * 40, "a" * 64], ["0" * 7, "main"]),
    ],
)
def test_a_name_is_only_ever_a_name(kind: object, good: list[str], bad: list[str]) -> None:
    adapter = TypeAdapter(kind)
    for name in good:
        assert adapter.validate_python(name) == name
    for name in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(name)
