"""Each fault of a row says where, what and how to mend it."""

import pytest

from metier.datasets import faults
from metier.datasets.reading import Row

ROW = Row(17, "line 17", {"text": ["a"], "label": "x" * 300})


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (faults.empty_text(ROW, "text"), "empty_text", "the text is empty (column text)"),
        (faults.empty_text(ROW, "body"), "empty_text", "the row has no body"),
        (faults.no_label(ROW, "label"), "empty_label", "the label is empty (column label)"),
        (faults.no_label(ROW, "mood"), "empty_label", "the row has no mood"),
        (faults.long_label(ROW, "label", "x" * 300, 200), "labels_are_text", "300 characters"),
        (faults.no_split(ROW, "set"), "empty_split", "column set is empty"),
        (faults.wrong_type(ROW, "text", "text", ["a"]), "mixed_types", "a list, not text"),
        (faults.wrong_type(ROW, "text", "text", {"a": 1}), "mixed_types", "an object, not text"),
        (faults.wrong_type(ROW, "text", "text", True), "mixed_types", "true or false, not text"),
        (faults.wrong_type(ROW, "text", "text", 1.5), "mixed_types", "a number, not text"),
        (faults.half_pair(ROW, "text"), "broken_characters", "surrogate"),
    ],
)
def test_a_fault_names_place_and_remedy(problem, code, words):
    assert (problem.code, problem.row, problem.place) == (code, 17, "line 17")
    assert words in problem.what
    assert problem.remedy.endswith(".")
    assert len(problem.what) < 160
