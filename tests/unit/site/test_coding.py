"""Answers, findings, repairs and passages as templates draw them."""

from __future__ import annotations

import pytest

from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply, Step
from metier.site import coding

WRONG = Diagnostic("syntax_error", "no", path="a.py", line=2, column=1, docs="javascript:alert(1)")
PASSAGE = Passage(
    "p", "text", "Loops", ("Loops", "For"), "loops.md", "notes", address="https://x/y"
)


def test_prose_and_code_come_in_turn() -> None:
    found = coding.pieces("Hello\n\n```svelte A.svelte\n<p>hi</p>\n```\n\nBye")
    assert [(piece["code"], piece["text"]) for piece in found] == [
        (False, "Hello"),
        (True, "<p>hi</p>"),
        (False, "Bye"),
    ]
    assert found[1]["info"] == "svelte A.svelte"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("````\n```\ninner\n```\n````", ["```\ninner\n```"]),
        ("```\nnever closed", ["never closed"]),
        ("~~~js\na\n~~~", ["a"]),
        ("```\n\n```", []),
        ("", []),
    ],
)
def test_fences_nest_and_may_stay_open(text, code) -> None:
    assert [piece["text"] for piece in coding.pieces(text) if piece["code"]] == code


def test_inline_runs_are_text_code_strong_and_links() -> None:
    runs = coding.inline("Use `$state` **now**, see [docs](https://x/y) or [this](../a.md).")
    assert [(run["kind"], run["text"]) for run in runs] == [
        ("text", "Use "),
        ("code", "$state"),
        ("text", " "),
        ("strong", "now"),
        ("text", ", see "),
        ("link", "docs"),
        ("text", " or "),
        ("text", "this"),
        ("text", "."),
    ]
    assert all(run["kind"] != "link" for run in coding.inline("[x](javascript:alert(1))"))


def test_findings_stand_at_their_lines() -> None:
    files = (SourceFile("a.py", "one\ntwo\n"), SourceFile("b.py", "x"))
    elsewhere = Diagnostic("config", "odd", severity="warning", path="tsconfig.json")
    first, second = coding.sheets(files, Checked(False, (WRONG, elsewhere)), {WRONG: (PASSAGE,)})
    assert (first["errors"], first["warnings"], second["errors"]) == (1, 1, 0)
    assert [note["code"] for note in first["first"]] == ["config"]
    assert first["lines"][1]["notes"][0]["passages"][0]["trail"] == "Loops › For"
    assert first["lines"][1]["notes"][0]["docs"] is None, "only web addresses are links"


def test_a_finding_beyond_the_file_is_not_lost() -> None:
    beyond = Diagnostic("eof", "ends", path="a.py", line=99)
    (sheet,) = coding.sheets((SourceFile("a.py", "one"),), Checked(False, (beyond,)), {})
    assert [note["code"] for note in sheet["first"]] == ["eof"]


def test_long_files_are_cut_and_say_so() -> None:
    text = "x\n" * (coding.MOST_LINES + 50)
    (sheet,) = coding.sheets((SourceFile("a.py", text),), Checked(True), {})
    assert len(sheet["lines"]) == coding.MOST_LINES
    assert sheet["cut"] > 0


def test_a_repair_is_a_diff_of_the_changed_files() -> None:
    before = (SourceFile("a.py", "one\ntwo\n"), SourceFile("b.py", "same"))
    after = Mended(
        (SourceFile("a.py", "one\n2\n"), before[1]), (("r", "Wrote 2."),), Checked(False, (WRONG,))
    )
    found = coding.repair(before, after)
    assert found is not None
    assert [diff["path"] for diff in found["diffs"]] == ["a.py"]
    rows = found["diffs"][0]["rows"]
    assert [(row["kind"], row["text"]) for row in rows] == [
        ("same", "one"),
        ("gone", "two"),
        ("new", "2"),
    ]
    assert found["left"] == 1
    assert coding.repair(before, None) is None


def test_distant_changes_are_parted() -> None:
    text = "\n".join(str(number) for number in range(40))
    after = text.replace("\n3\n", "\nthree\n").replace("\n30\n", "\nthirty\n")
    mended = Mended((SourceFile("a", after),), (), Checked(True))
    found = coding.repair((SourceFile("a", text),), mended)
    assert found is not None
    assert [row["kind"] for row in found["diffs"][0]["rows"]].count("skip") == 1


def test_a_long_passage_shows_its_beginning_first() -> None:
    long = Passage("p", "word " * 100 + "\n\n```\ncode\n```\n\n" + "more " * 200, "T", (), "t", "n")
    (found,) = coding.passages([long])
    assert found["longer"]
    assert len(found["lead"]) < len(found["pieces"])
    assert found["trail"] == "T"


def test_a_trace_is_one_line() -> None:
    reply = Reply(
        "x",
        passages=(PASSAGE,),
        checked=True,
        trace=(Step("generate", "a"), Step("repair", "b")),
        tokens_in=100,
        tokens_out=50,
        seconds=1.5,
        spent=0.01,
        base="remote:big",
    )
    line = coding.summary(reply)
    for word in ("1 passage", "1 draft", "1 repair", "passes", "150 tokens", "remote:big"):
        assert word in line
    assert "no base" in coding.summary(Reply("x"))


def test_an_answer_with_findings_has_its_code_beside_them() -> None:
    reply = Reply("x", files=(SourceFile("a.py", "1\n2"),), diagnostics=(WRONG,), checked=False)
    assert coding.answered(reply)["sheets"][0]["errors"] == 1
    assert coding.answered(Reply("x"))["sheets"] == []


def test_the_empty_box_shows_an_example_of_the_tool() -> None:
    assert coding.example(("svelte",))[0].endswith(".svelte")
    assert coding.example(("unheard",))[0] == "answer.txt"
