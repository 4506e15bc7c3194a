"""Server rendering: HTML for props, escaped; what throws, hangs or does not compile is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metier.coding import SourceFile
from metier.errors import InputError
from metier.sandbox import detect
from metier.tools import Workshop
from metier.tools.svelte.rendering import Renderer
from toolchain import needs, toolchains

pytestmark = needs("svelte@5")


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    scratch = tmp_path_factory.mktemp("scratch")
    made = Renderer(Workshop(toolchains(), detect, scratch), "svelte@5")
    yield made
    made.close()


def files(text: str) -> list[SourceFile]:
    return [SourceFile("Component.svelte", text)]


def test_props_arrive_and_are_escaped(renderer: Renderer) -> None:
    text = (
        "<script>\n\timport Bold from './Bold.svelte';\n\tlet { name } = $props();\n</script>\n"
        "<svelte:head><title>{name}</title></svelte:head>\n<Bold text={name} />"
    )
    bold = SourceFile("Bold.svelte", "<script>let { text } = $props();</script><b>{text}</b>")
    made = renderer.render([*files(text), bold], {"name": "<i>&"})
    assert made.ok
    assert "<b>&lt;i>&amp;</b>" in made.body
    assert "<title>&lt;i>&amp;</title>" in made.head


def test_what_throws_is_said(renderer: Renderer) -> None:
    made = renderer.render(files("<script>throw new TypeError('no');</script>"), {})
    assert not made.ok
    assert "no" in made.why


def test_what_does_not_compile_has_diagnostics(renderer: Renderer) -> None:
    made = renderer.render(files("<p>"), {})
    assert [item.code for item in made.diagnostics] == ["element_unclosed"]
    assert made.body == ""


def test_without_a_component_there_is_nothing_to_render(renderer: Renderer) -> None:
    with pytest.raises(InputError) as caught:
        renderer.render([SourceFile("a.js", "")], {})
    assert caught.value.code == "no_component"
