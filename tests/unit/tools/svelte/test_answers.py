"""Files of answers as models write them: raw, fenced, named, cut off, thought aloud."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.coding import SourceFile
from metier.tools.svelte.answers import DEFAULT, files_of

PAGE = "<script>\n\tlet count = $state(0);\n</script>\n\n<p>{count}</p>"


def one(answer: str) -> str:
    (file,) = files_of(answer)
    assert file.path == DEFAULT
    return file.text.strip()


@pytest.mark.parametrize(
    "answer",
    [
        PAGE,
        f"\ufeff{PAGE}\r\n".replace("\n", "\r\n"),
        f"```svelte\n{PAGE}\n```",
        f"```\n{PAGE}\n```",
        f"~~~~html\n{PAGE}\n~~~~",
        f"Here it is:\n\n```svelte\n{PAGE}\n```\n\nIt counts.",
        f"<think>```js\nx\n```</think>\n```svelte\n{PAGE}\n```",
        f"```svelte\n{PAGE}",
        f"1. First:\n\n   ```svelte\n{PAGE}\n   ```",
        f"{PAGE}\n```\nThis counts.",
        f"```bash\nnpm i svelte\n```\n\n```svelte\n{PAGE}\n```\n\n```svelte\n<p>x</p>\n```",
    ],
)
def test_one_component_however_it_is_wrapped(answer: str) -> None:
    assert one(answer) == PAGE


@pytest.mark.parametrize(
    "answer", ["", "   \n", "I cannot do that.", "```bash\nls\n```", "```json\n{}\n```"]
)
def test_no_code_is_no_file(answer: str) -> None:
    assert files_of(answer) == ()


def test_svelte_options_start_a_component() -> None:
    text = f"<svelte:options runes={{true}} />\n\n{PAGE}"
    assert one(text) == text


@pytest.mark.parametrize(
    ("before", "info", "first"),
    [
        ("", "svelte src/routes/+page.svelte", ""),
        ("", 'svelte title="src/routes/+page.svelte"', ""),
        ("**`src/routes/+page.svelte`**\n\n", "svelte", ""),
        ("### src/routes/+page.svelte\n", "svelte", ""),
        ("", "svelte", "<!-- src/routes/+page.svelte -->\n"),
        ("", "svelte:src/routes/+page.svelte", ""),
    ],
)
def test_a_name_beside_a_block_is_its_name(before: str, info: str, first: str) -> None:
    (file,) = files_of(f"{before}```{info}\n{first}{PAGE}\n```\n")
    assert file.path == "src/routes/+page.svelte"


def test_several_files_keep_their_order_and_the_last_of_a_name() -> None:
    answer = (
        "```ts src/routes/blog/[slug]/+page.server.ts\nexport const load = 1;\n```\n"
        f"```svelte src/routes/blog/[slug]/+page.svelte\n{PAGE}\n```\n"
        "`src/lib/x.svelte.ts`:\n```ts\nexport const a = 1;\n```\n"
        "Better:\n\n```ts src/routes/blog/[slug]/+page.server.ts\nexport const load = 2;\n```\n"
    )
    assert [(file.path, file.text.strip()[:21]) for file in files_of(answer)] == [
        ("src/routes/blog/[slug]/+page.svelte", PAGE[:21].strip()),
        ("src/lib/x.svelte.ts", "export const a = 1;"),
        ("src/routes/blog/[slug]/+page.server.ts", "export const load = 2"),
    ]


def test_a_named_component_leaves_unnamed_examples_out() -> None:
    answer = f"```svelte App.svelte\n{PAGE}\n```\nUse it:\n```svelte\n<App />\n```\n"
    assert [file.path for file in files_of(answer)] == ["App.svelte"]


def test_a_name_of_another_language_is_not_taken() -> None:
    answer = f"Put this into App.svelte:\n```bash\nnpm i\n```\n\n```svelte\n{PAGE}\n```"
    assert [file.path for file in files_of(answer)] == [DEFAULT]


@given(st.text(alphabet="`~ab<>{}#\n\t svelte.+/", max_size=200))
def test_any_text_gives_files_with_paths(text: str) -> None:
    for file in files_of(text):
        assert isinstance(file, SourceFile)
        assert file.path
