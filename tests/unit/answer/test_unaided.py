"""Without a base: citations, checks and repairs, the same every time, and where to get a base."""

from __future__ import annotations

from metier.answer import Means, Plan, answer, explain, unified
from metier.answer.unaided import cited
from metier.coding import Checked, Diagnostic, SourceFile
from metier.conversing import Turn
from small_tool import PythonParser, Shelf, code, passage

DOCS = Shelf(
    [
        passage(1, "A syntax error means that Python cannot read a line.\n\n```py\nx = 1\n```"),
        passage(2, "How to double a number."),
    ]
)
BASES = ("remote:mine: 81 % of svelte", "big-coder 7B: not measured")


def ask(text: str, **more: object):
    means = Means(None, DOCS, (PythonParser(),), BASES)
    return answer([Turn("user", text)], Plan(), means, **more)


def test_a_question_is_answered_with_citations() -> None:
    reply = ask("How do I double a number, please?")
    assert "How to double a number." in reply.text
    assert "https://example.com/2" in reply.text
    assert reply.passages[0].id == "p2"
    assert reply.base is None
    assert reply.checked is None
    assert reply.tokens_out == 0
    assert reply.text == ask("How do I double a number, please?").text


def test_it_says_which_bases_to_use() -> None:
    text = ask("How?").text
    assert text.index(BASES[0]) < text.index(BASES[1])
    none = answer([Turn("user", "How?")], Plan(), Means())
    assert "No base was named" in none.text


def test_pasted_code_is_checked_explained_and_mended() -> None:
    reply = ask("What is wrong?\n" + code("def f():\n    retrun 1"))
    assert reply.checked is False
    assert "`answer.py:2` error `syntax_error`" in reply.text
    assert "Python cannot read this." in reply.text
    assert "-    retrun 1\n+    return 1" in reply.text
    assert "Nothing is wrong after it." in reply.text
    assert reply.passages[0].id == "p1"
    assert [step.kind for step in reply.trace] == ["check", "repair"]


def test_good_code_is_said_to_be_good_and_the_question_is_looked_up() -> None:
    reply = ask("Is this how to double a number?\n" + code("x = 2 * 4"))
    assert "finds nothing wrong" in reply.text
    assert reply.checked is True
    assert reply.passages[0].id == "p2"


def test_without_a_toolchain_it_says_so_and_cites() -> None:
    means = Means(None, DOCS, (PythonParser(missing=True),))
    reply = answer([Turn("user", "double a number?" + code("x = (1"))], Plan(), means)
    assert "Not checked: There is no toolchain. Install it." in reply.text
    assert reply.passages


def test_nothing_is_found() -> None:
    assert "small-docs has nothing on this." in ask("zebra?").text


def test_it_is_streamed_too() -> None:
    pieces: list[str] = []
    reply = ask("double?", on_text=pieces.append)
    assert "".join(pieces) == reply.text


def test_equal_diagnostics_are_searched_for_once() -> None:
    docs = Shelf(DOCS.passages)
    wrong = Diagnostic("syntax_error", "cannot read")
    found = explain(Checked(False, (wrong, wrong)), docs)
    assert [item for item, _ in found] == [wrong, wrong]
    assert found[0][1][0].id == "p1"
    assert len(docs.queries) == 1
    assert explain(Checked(False, (wrong,)), None) == [(wrong, ())]


def test_a_change_as_a_diff() -> None:
    before = [SourceFile("a.py", "x\ny\n"), SourceFile("b.py", "z\n")]
    assert unified(before, before) == ""
    diff = unified(before, [SourceFile("a.py", "x\nw\n"), before[1]])
    assert diff.splitlines()[:2] == ["--- a/a.py", "+++ b/a.py"]
    assert "-y\n+w" in diff


def test_an_excerpt_leaves_no_fence_open() -> None:
    text = cited([passage(1, "See:\n```py\n" + "x = 1\n" * 300 + "```")])
    assert text.count("```") == 2
    assert "x = 1 …" in text or "…" in text
    assert "\x1b" not in cited([passage(1, "\x1b[31mred")])
