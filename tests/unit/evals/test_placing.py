"""Files of an answer under the names that a task asks for."""

import pytest

from metier.coding import SourceFile
from metier.evals.placing import placed


def paths(found: tuple[SourceFile, ...]) -> dict[str, str]:
    return {file.path: file.text for file in found}


@pytest.mark.parametrize(
    ("files", "writes", "expected"),
    [
        ({"A.svelte": "a"}, ["A.svelte"], {"A.svelte": "a"}),
        ({"src/lib/A.svelte": "a"}, ["A.svelte"], {"A.svelte": "a"}),
        ({"+page.svelte": "a"}, ["src/routes/+page.svelte"], {"src/routes/+page.svelte": "a"}),
        ({"Component.svelte": "a"}, ["A.svelte"], {"A.svelte": "a"}),
        (
            {"Component.svelte": "a", "x.js": "b"},
            ["A.svelte", "B.svelte"],
            {"A.svelte": "a", "x.js": "b"},
        ),
        (
            {"B.svelte": "b", "Other.svelte": "a"},
            ["A.svelte", "B.svelte"],
            {"B.svelte": "b", "A.svelte": "a"},
        ),
        (
            {"notes/+page.server.ts": "n", "+page.server.ts": "r"},
            ["src/routes/+page.server.ts", "src/routes/notes/+page.server.ts"],
            {"src/routes/notes/+page.server.ts": "n", "src/routes/+page.server.ts": "r"},
        ),
        ({"b/x.ts": "a"}, ["a/x.ts"], {"a/x.ts": "a"}),
    ],
)
def test_names(files: dict[str, str], writes: list[str], expected: dict[str, str]) -> None:
    given = tuple(SourceFile(path, text) for path, text in files.items())
    assert paths(placed(given, "", writes)) == expected


def test_the_longest_block_is_the_one_file_that_was_asked_for() -> None:
    text = "First:\n```ts\nshort\n```\nthen\n~~~ts\nlonger text\n~~~\n"
    assert placed((), text, ["src/hooks.server.ts"]) == (
        SourceFile("src/hooks.server.ts", "longer text\n"),
    )
    assert placed((), text, ["a.ts", "b.ts"]) == ()
    assert placed((), "no code", ["a.ts"]) == ()
