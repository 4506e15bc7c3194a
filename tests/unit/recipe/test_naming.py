"""Names are names: no path, no address, no code."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from metier.recipe.naming import Commit, Named, PluginName, Sha256, ToolchainName


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (Named, "svelte-docs"),
        (PluginName, "svelte"),
        (ToolchainName, "svelte@5"),
        (Sha256, "0" * 64),
        (Commit, "a" * 40),
    ],
)
def test_good_names_pass(kind: type, good: str) -> None:
    assert TypeAdapter(kind).validate_python(good) == good


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (Named, "../etc/passwd"),
        (PluginName, "os.system"),
        (PluginName, "Svelte"),
        (ToolchainName, "svelte"),
        (ToolchainName, "svelte@5.1"),
        (ToolchainName, "../svelte@5"),
        (Sha256, "0" * 63),
        (Commit, "main"),
    ],
)
def test_everything_else_is_refused(kind: type, bad: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(bad)
