"""What a tool found: the place, the line with a mark, why, the documents, and the repair."""

from __future__ import annotations

import pytest

from metier.cli.diagnosing import (
    diagnostic_documents,
    diff_lines,
    found_lines,
    mended_lines,
)
from metier.cli.terminal import UNICODE
from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage

FILE = SourceFile("A.svelte", "<script>\n\tlet $a = 1;\n</script>\n")
ERROR = Diagnostic(
    code="dollar", message="No dollar.", path="A.svelte", line=2, column=6, end_line=2,
    end_column=8, explanation="Names do not start with $.", docs="https://x/dollar",
)  # fmt: skip
WARNING = Diagnostic(code="unused", message="Not used.", severity="warning", path="A.svelte")
ABOUT = Passage("a", "text", "Runes", ("Runes",), "runes.md", "docs", "https://x/runes", "svelte@5")


def told(*items: Diagnostic) -> list[str]:
    explained = [(item, (ABOUT,)) for item in items]
    return [line.plain for line in found_lines([FILE], explained, 80, UNICODE)]


def test_the_place_the_line_and_the_reason() -> None:
    assert told(ERROR) == [
        "A.svelte  1 error",
        "",
        "  2:6     error  dollar",
        "          No dollar.",
        "     2 │   let $a = 1;",
        "       │       ^^",
        "          Names do not start with $.",
        "          https://x/dollar",
        "",
        "About it in the documents",
        "[1] Runes  svelte@5  https://x/runes",
    ]


def test_a_passage_about_two_things_is_named_once() -> None:
    lines = told(ERROR, WARNING)
    assert lines[0] == "A.svelte  1 error, 1 warning"
    assert sum(line.startswith("[") for line in lines) == 1


def test_a_sound_file_says_so() -> None:
    assert [line.plain for line in found_lines([FILE], [], 80, UNICODE)] == [
        "A.svelte  nothing is wrong"
    ]


def test_what_belongs_to_no_file_is_shown_too() -> None:
    lines = told(Diagnostic(code="config", message="No config.", path="svelte.config.js"))
    assert any("No config." in line for line in lines)


@pytest.mark.parametrize(
    ("ok", "sentence"), [(True, "Nothing is wrong after it."), (False, "1 error left after it.")]
)
def test_a_repair_is_named_shown_and_judged(ok: bool, sentence: str) -> None:
    checked = Checked(ok, () if ok else (ERROR,))
    mended = Mended((FILE,), (("rule", "Took out a dollar."),), checked)
    lines = [line.plain for line in mended_lines(mended, "-a\n+b", 80)]
    assert lines[0] == "Repair"
    assert "- Took out a dollar." in lines
    assert lines[-1] == sentence


def test_a_diff_has_colours_and_keeps_its_signs() -> None:
    lines = diff_lines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-\told\n+\tnew\n same")
    assert [line.style for line in lines] == ["bold", "bold", "dim cyan", "red", "green", ""]
    assert lines[3].plain == "-  old"


def test_diagnostics_are_documents() -> None:
    (document,) = diagnostic_documents([(ERROR, (ABOUT,))])
    assert document["code"] == "dollar"
    assert document["passages"][0]["address"] == "https://x/runes"  # type: ignore[index]
