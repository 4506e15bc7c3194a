from __future__ import annotations

import time

import pytest

from metier.router.looks import holds_code


@pytest.mark.parametrize(
    "text",
    [
        "```\nanything\n```",
        "def total(items):\n    return sum(items)",
        "why is this empty?\n\nconst a = await fetch(url);\nconsole.log(a.b());",
        "<script>\n  let count = $state(0);\n</script>\n<button onclick={add}>{count}</button>",
        "#include <stdio.h>\nint main(void) { return 0; }",
        "SELECT name FROM people WHERE id = 3;",
        'Traceback (most recent call last):\n  File "a.py", line 3, in <module>',
        "public class Main {\n  public static void main(String[] args) {\n  }\n}",
        "from typing import List\n\n\ndef same(a: List[int]) -> bool:",
        "{#if user}\n  <p>hello</p>\n{/if}",
    ],
)
def test_code_is_seen(text: str) -> None:
    assert holds_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "How long do I boil an egg?",
        "Dear Sir,\n\nI write to you about the noise (again).\n\nYours,\nA. Person",
        "1. apples\n2. pears; ripe ones\n3. bread",
        "If it rains, return home. Otherwise stay.",
        "Which is it?\nA. Gorilla\nB. Human\nC. Chimpanzee\nD. Orangutan",
        "Import taxes are high; so what?",
        "Let me know (soon).",
        "运行中变压器温度最高的部分是\nA. 绕组\nB. 变压器油",
        "😀" * 500,
        "\u202eمرحبا بالعالم كيف حالك",
    ],
)
def test_prose_is_not_code(text: str) -> None:
    assert not holds_code(text)


@pytest.mark.parametrize(
    "piece", ["a", "(", "{", "<", " ", "\n", "x.y(", "return (", "@a", "def a()", "if("]
)
def test_hostile_text_costs_no_more_than_its_head_and_tail(piece: str) -> None:
    begun = time.process_time()
    holds_code(piece * (10_000_000 // len(piece)))
    assert time.process_time() - begun < 2.0
