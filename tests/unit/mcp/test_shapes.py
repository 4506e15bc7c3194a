"""Values of the floors below as what agents receive."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply, Step
from metier.mcp import shapes
from metier.messages import Prediction

WRONG = Diagnostic("TS1", "no", path="a.ts", line=1, column=2, explanation="because")
PASSAGE = Passage("p", "text", "Loops", ("Loops", "For"), "loops.md", "notes", address="http://x")


def test_passages_are_numbered_with_section_and_source() -> None:
    (found,) = shapes.found_of([PASSAGE])
    assert (found.number, found.section, found.source) == (1, "Loops › For", "notes loops.md")


def test_a_report_keeps_place_and_explanation() -> None:
    report = shapes.report_of(Checked(False, (WRONG,)))
    assert report.ok is False
    assert (report.findings[0].line, report.findings[0].explanation) == (1, "because")


def test_mending_holds_only_changed_files() -> None:
    before = [SourceFile("a", "1"), SourceFile("b", "2")]
    files = (SourceFile("a", "1"), SourceFile("b", "3"))
    after = Mended(files, (("r", "Wrote 3."),), Checked(True))
    found = shapes.mending_of(before, after, Checked(False, (WRONG,)))
    assert [file.path for file in found.changed] == ["b"]
    assert found.applied == ["Wrote 3."]
    assert found.report.ok


def test_without_a_repair_the_report_is_of_the_files_as_they_came() -> None:
    found = shapes.mending_of([SourceFile("a", "1")], None, Checked(False, (WRONG,)))
    assert found.changed == []
    assert found.report.ok is False


def test_an_answer_names_its_sources_and_steps() -> None:
    reply = Reply(
        "text", passages=(PASSAGE,), trace=(Step("check", "fine"),), tokens_in=2, tokens_out=3
    )
    found = shapes.answered_of(reply)
    assert found.sources == ["Loops: http://x"]
    assert found.trace == ["fine"]
    assert found.tokens == 5


def test_a_label_may_be_null() -> None:
    found = shapes.labelled_of(Prediction(None, 0.25, "spam", True, False, None, ()))
    assert (found.label, found.best, found.probability) == (None, "spam", 0.25)


def test_a_file_has_a_path_and_a_limit() -> None:
    with pytest.raises(ValidationError):
        shapes.CodeFile(path="", text="x")
    with pytest.raises(ValidationError):
        shapes.CodeFile(path="a", text="x" * (shapes.MOST_CHARACTERS + 1))
