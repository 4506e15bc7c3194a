from __future__ import annotations

import pytest

from metier.retrieval.dialects import anchor, included, plainly, split_heading


def test_svelte_code_is_what_a_reader_sees() -> None:
    text = "\n".join(
        [
            "Intro.",
            "```js",
            "/// file: src/routes/+page.js",
            "// @errors: 2304",
            "declare const hidden: number;",
            "// ---cut---",
            "let a = ---1---+++2+++;",
            "---gone();---",
            "b--;",
            "// ---cut-after---",
            "never();",
            "```",
        ]
    )
    shown = plainly(text, "svelte")
    assert shown.split("\n") == [
        "Intro.",
        "```js",
        "// file: src/routes/+page.js",
        "let a = 2;",
        "b--;",
        "```",
    ]


def test_svelte_marks_become_words() -> None:
    text = "> [!NOTE] Mind this.\n\n> EXPORT_SNIPPET: x\n\n<!-- codeblock:start -->\n\nText."
    shown = plainly(text, "svelte")
    assert "> **Note:** Mind this." in shown
    assert "EXPORT" not in shown
    assert "codeblock" not in shown
    assert "Text." in shown


def test_a_playground_link_keeps_its_label_and_loses_its_program() -> None:
    text = f"A ([demo](/playground/untitled#H4s{'a' * 500}))."
    assert plainly(text, "svelte") == "A ([demo](/playground/untitled))."


def test_react_components_go_and_their_words_stay() -> None:
    text = "\n".join(
        [
            "<Intro>",
            "",
            "Says <CodeStep step={1}>this</CodeStep>.",
            "",
            "</Intro>",
            "",
            "<Pitfall>",
            "",
            "Not that.",
            "",
            "</Pitfall>",
            "",
            '<Diagram name="x" height={1}',
            '  alt="y">',
            "",
            "{/* a note to authors */}",
        ]
    )
    shown = plainly(text, "react")
    assert "Says this." in shown
    assert "**Pitfall:**" in shown
    assert not any(word in shown for word in ("Intro", "Diagram", "authors", "CodeStep"))


def test_a_react_sandbox_keeps_components_and_drops_styles_and_hidden_files() -> None:
    text = "\n".join(
        [
            "<Sandpack>",
            "```js src/App.js active",
            "export default 1;",
            "```",
            "```js src/data.js hidden",
            "export const secret = 1;",
            "```",
            "```css",
            "a { color: red }",
            "```",
            "</Sandpack>",
            "```css {1}",
            "b { color: blue }",
            "```",
        ]
    )
    shown = plainly(text, "react")
    assert "// src/App.js\nexport default 1;" in shown
    assert "secret" not in shown
    assert "red" not in shown
    assert "blue" in shown


@pytest.mark.parametrize("dialect", ["plain", "svelte", "react"])
def test_an_unclosed_fence_reaches_to_the_end(dialect: str) -> None:
    assert plainly("a\n```js\nb", dialect).split("\n")[:3] == ["a", "```js", "b"]  # type: ignore[arg-type]


def test_included_files_are_part_of_what_includes_them() -> None:
    texts = {"a/errors.md": "# E\n\n@include .gen/e.md", "a/.gen/e.md": "### one", "b.md": "B"}
    assert included(texts) == {"a/errors.md": "# E\n\n### one", "b.md": "B"}


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("`useState(x)` {/*usestate*/}", ("`useState(x)`", "usestate")),
        ("Plain {#its-name}", ("Plain", "its-name")),
        ("Plain", ("Plain", None)),
    ],
)
def test_a_heading_may_state_its_anchor(heading: str, expected: tuple[str, str | None]) -> None:
    assert split_heading(heading) == expected


@pytest.mark.parametrize(
    ("trail", "dialect", "expected"),
    [
        (("+page", "+page.server.js"), "svelte", "page-page.server.js"),
        (("Using URL data", "url"), "svelte", "Using-URL-data-url"),
        (("When not to use $effect",), "svelte", "When-not-to-use-$effect"),
        (
            ("Progressive enhancement", "use:enhance"),
            "svelte",
            "Progressive-enhancement-use:enhance",
        ),
        (("Above", "What's it for?"), "plain", "whats-it-for"),
        ((), "plain", ""),
    ],
)
def test_anchors_follow_the_site(trail: tuple[str, ...], dialect: str, expected: str) -> None:
    assert anchor(trail, dialect) == expected  # type: ignore[arg-type]
