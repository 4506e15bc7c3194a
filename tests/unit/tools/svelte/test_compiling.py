"""The warm compiler: places, several errors, hostile files, runes where nobody compiles them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.coding import SourceFile
from metier.tools import Workshop
from metier.tools.svelte import compiling
from metier.tools.svelte.compiling import MOST_CHARACTERS, Compiler, unusable
from toolchain import needs, toolchains

pytestmark = needs("svelte@5", "svelte@4")
SCRIPT = Path(compiling.__file__).parent / "compiling.mjs"


def opened(toolchain: str) -> Compiler:
    return Compiler(Workshop(toolchains(), lambda: None, Path()), toolchain, SCRIPT)


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    made = opened("svelte@5")
    yield made
    made.close()


def codes(compiler: Compiler, text: str, path: str = "A.svelte") -> list[str]:
    return [item.code for item in compiler.diagnostics(SourceFile(path, text))]


def test_places_are_one_based_and_count_characters(compiler: Compiler) -> None:
    text = "<p>😀</p>\r\n<script>\r\n\tlet 😀;\r\n</script>"
    (found,) = compiler.diagnostics(SourceFile("A.svelte", text))
    assert (found.line, found.column) == (3, 6)
    (found,) = compiler.diagnostics(SourceFile("A.svelte", "<p>😀😀{@nothing}</p>"))
    assert (found.line, found.column) == (1, 8)
    (found,) = compiler.diagnostics(SourceFile("A.svelte", "\ufeff<p>\n<b>x</p>"))
    assert (found.line, found.column) == (2, 1)


def test_every_error_is_told_not_only_the_first(compiler: Compiler) -> None:
    text = (
        "<script>\n\timport { $state } from 'svelte';\n\texport let name;\n\tlet $count = 0;\n"
        "\t$: doubled = count * 2;\n</script>\n<button onclick={() => name++}>{doubled}</button>"
    )
    found = compiler.diagnostics(SourceFile("A.svelte", f"<svelte:options runes />\n{text}"))
    assert [(item.code, item.line) for item in found if item.severity == "error"] == [
        ("dollar_prefix_invalid", 3),
        ("dollar_prefix_invalid", 5),
        ("legacy_export_invalid", 4),
        ("legacy_reactive_statement_invalid", 6),
    ]


def test_what_a_blanked_declaration_would_cause_is_no_error(compiler: Compiler) -> None:
    text = "<script>\n\tlet text = $state(1, 2);\n</script>\n<input bind:value={text} />"
    assert codes(compiler, text) == ["rune_invalid_arguments_length"]


def test_places_in_a_module_with_types_are_its_own(compiler: Compiler) -> None:
    text = "let b: number = 1;\nlet a = $state(0, 1);"
    (found,) = compiler.diagnostics(SourceFile("a.svelte.ts", text))
    assert (found.line, found.column) == (2, 9)


def test_warnings_leave_a_file_sound(compiler: Compiler) -> None:
    found = compiler.diagnostics(SourceFile("A.svelte", "<img src='x'>"))
    assert {item.severity for item in found} == {"warning"}
    assert all(item.docs for item in found)


def test_types_need_no_preprocessor(compiler: Compiler) -> None:
    text = '<script lang="ts">\n\tlet { a }: { a: number } = $props();\n</script>\n{a as number}'
    assert codes(compiler, text) == []


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.svelte.js", "export const a = $state({ n: 0 });", []),
        ("a.svelte.ts", "export const a: { n: number } = $state({ n: 0 });", []),
        ("a.svelte.ts", "type A = 1;\nexport default class B { n = $state<A>(1); }", []),
        ("a.svelte.ts", "export default { a: 1 as number };", []),
        ("a.svelte.ts", "let a = $state(0, 1);", ["rune_invalid_arguments_length"]),
        ("a.svelte.js", "export let a = $state(0); a = 1;", ["state_invalid_export"]),
        ("a.js", "export let a = $state(0);", ["rune_outside_svelte"]),
        ("a.ts", "// $state(0)\nconst $statement = 1; const b = store.$state(1);", []),
        ("a.css", "$state(", []),
        ("README", "<p", []),
    ],
)
def test_modules(compiler: Compiler, path: str, text: str, expected: list[str]) -> None:
    assert codes(compiler, text, path) == expected


def test_svelte_4_has_its_own_rules() -> None:
    old = opened("svelte@4")
    try:
        assert codes(old, "<script>export let a; $: b = a * 2;</script>{b}") == []
        (found,) = old.diagnostics(SourceFile("A.svelte", "<p>\n  {#if}</p>"))
        assert (found.line, found.severity) == (2, "error")
        assert old.mended(SourceFile("A.svelte", "<p>"))[1] == []
    finally:
        old.close()


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../A.svelte", "a/../../A.svelte", "a\0.svelte", "..\\A.svelte"]
)
def test_paths_outside_a_project_are_refused(compiler: Compiler, path: str) -> None:
    assert codes(compiler, "<p>x</p>", path) == ["bad_path"]


def test_files_that_are_no_text_or_too_large_are_not_compiled(compiler: Compiler) -> None:
    assert codes(compiler, "<p>\0</p>") == ["not_text"]
    assert codes(compiler, "x" * (MOST_CHARACTERS + 1)) == ["file_too_large"]
    assert unusable(SourceFile("A.svelte", "x" * MOST_CHARACTERS)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff",
        " " * 900_000,
        "x" * 900_000,
        "<p>x</p>\n" * 20_000,
        "<div>" * 30_000,
        "{#if a}" * 5_000,
        "{" * 50_000,
        "<script>" + "(" * 30_000 + "</script>",
        "<script>" + "a+" * 40_000 + "a</script>",
        "<style>" + "a{" * 20_000 + "</style>",
        "<p class='" + "x " * 100_000,
        "<a " + "b " * 50_000 + ">",
        "\ud800",
        "\u2028\u2029\u0085",
        "<script>/" + "a*" * 20_000 + "/</script>",
    ],
    ids=range(16),
)
def test_a_hostile_file_gives_diagnostics_and_the_next_one_is_compiled(
    compiler: Compiler, text: str
) -> None:
    compiler.diagnostics(SourceFile("A.svelte", text))
    compiler.mended(SourceFile("A.svelte", text))
    assert codes(compiler, "<p>x</p>") == []


@settings(max_examples=60)
@given(text=st.text(alphabet="<>{}/#@:$=()\n ab'\"`script", max_size=60))
def test_any_text_is_compiled_or_told(text: str) -> None:
    for found in SHARED.diagnostics(SourceFile("A.svelte", text)):
        assert found.code not in ("compiler_died", "compiler_time")
        assert found.line is None or found.line >= 1
    made, rules = SHARED.mended(SourceFile("A.svelte", text))
    assert bool(rules) is (made.text != text)


SHARED = opened("svelte@5")


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield
    SHARED.close()
