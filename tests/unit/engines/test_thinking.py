"""Thoughts and answers: parted alike, whole or in pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.engines.thinking import ThinkingParter, part_thinking

CASES = [
    ("Hello.", "Hello.", ""),
    ("", "", ""),
    ("<think>Hm.</think>Hello.", "Hello.", "Hm."),
    ("\n<think>\nHm.\n</think>\n\nHello.\n", "Hello.\n", "Hm."),
    ("<thinking>Hm.</thinking>Hello.", "Hello.", "Hm."),
    ("<think></think>Hello.", "Hello.", ""),
    ("<think>Hm, no end", "", "Hm, no end"),
    ("<thin", "<thin", ""),
    ("<script>let a</script>", "<script>let a</script>", ""),
    ("Hello <think>not now</think>", "Hello <think>not now</think>", ""),
    ("<think>Hm.</think>", "", "Hm."),
    ("<think>a</thin b</think>c", "c", "a</thin b"),
]


@pytest.mark.parametrize(("text", "answer", "thoughts"), CASES)
def test_a_whole_text(text, answer, thoughts) -> None:
    if "Hello <think>" not in text:
        assert part_thinking(text) == (answer, thoughts)


@given(case=st.sampled_from(CASES), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_pieces_change_nothing(case, cuts) -> None:
    text, answer, thoughts = case
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parter = ThinkingParter()
    pieces = [parter.feed(text[a:b]) for a, b in pairwise(edges)]
    assert "".join(pieces) + parter.end() == answer
    assert parter.thoughts == thoughts


def test_the_closing_mark_alone() -> None:
    assert part_thinking("Hm.\n</think>\n\nHello.") == ("Hello.", "Hm.")
    code = "```svelte\n<p>{'</think>'}</p>\n```"
    assert part_thinking(code) == (code, "")
