from __future__ import annotations

import pytest

from metier.tools.blocks import blocks_of, plain_text


def test_blocks_have_language_name_text_and_what_stood_before() -> None:
    text = "First:\n```py main.py\nx = 1\n```\nand\n~~~JS\ny\n~~~\n"
    first, second = blocks_of(text, "py|js")
    assert (first.language, first.path, first.text, first.before) == (
        *("py", "main.py", "x = 1\n", "First:\n"),
    )
    assert (second.language, second.path, second.text) == ("js", None, "y\n")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('```python title="a/b.py"\nx\n```', "a/b.py"),
        ("```python:a.py\nx\n```", "a.py"),
        ("```a.py\nx\n```", "a.py"),
        ("```py\n# a.py\nx\n```", "a.py"),
        ("```py\n# file: a.py\nx\n```", "a.py"),
        ("### `a.py`\n```py\nx\n```", "a.py"),
        ("**a.py**:\n\n```py\nx\n```", "a.py"),
        ("a.py and b.py\n```py\nx\n```", None),
        (f"{'In the long run ' * 10} a.py\n```py\nx\n```", None),
        ("```py\nx = 'a.py'\n```", None),
    ],
)
def test_names_of_files(text: str, path: str | None) -> None:
    (block,) = blocks_of(text, "py")
    assert block.path == path


def test_fences_close_with_their_own_kind_and_length() -> None:
    (block,) = blocks_of("````py\n```\nx\n```\n````\n", "py")
    assert block.text == "```\nx\n```\n"
    (block,) = blocks_of("```py\nx\n~~~\ny\n", "py")
    assert block.text == "x\n~~~\ny\n"
    (block,) = blocks_of("> ```py\n> x\n> ```\n", "py")
    assert block.text == "x\n"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("<think>hm</think>\nyes", "yes"),
        ("hm\n</think>\n\nyes", "yes"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\ufeffx", "x"),
        ("```html\n</think>\n```", "```html\n</think>\n```"),
    ],
)
def test_thoughts_and_line_ends_are_taken_out(answer: str, text: str) -> None:
    assert plain_text(answer) == text
