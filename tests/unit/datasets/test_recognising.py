"""Labelled texts from rows: columns found or named, and every fault of the data told."""

import json

import pytest

from metier.datasets.recognising import Limits, read_examples
from metier.errors import InputError


def lines(*rows: dict) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def pair(text, label, **more) -> dict:
    return {"text": text, "label": label, **more}


GOOD = [pair(f"{word} {number}", word) for number in range(5) for word in ("hello", "bye")]


def fault(data: bytes, **options) -> InputError:
    with pytest.raises(InputError) as error:
        read_examples(data, **options)
    assert error.value.remedy
    json.dumps(error.value.details)
    return error.value


def test_rows_become_examples_with_their_lines():
    other = pair("hi", "hello", group="h")
    dataset = read_examples(
        lines(*GOOD, other, pair("so long", "bye", group="g", date="2026-09-30"))
    )
    last = dataset.examples[-1]
    assert (last.text, last.label, last.row) == ("so long", "bye", 12)
    assert (last.group, last.date) == ("g", "2026-09-30")
    assert dataset.recognised.labels == (("bye", 6), ("hello", 6))
    assert json.dumps(dataset.recognised.as_dict())


def test_numbers_and_truth_values_are_labels_as_text():
    assert {
        e.label for e in read_examples(lines(*[pair(f"t{n}", n % 2) for n in range(6)])).examples
    } == {"0", "1"}
    assert {
        e.label
        for e in read_examples(lines(*[pair(f"t{n}", n % 2 == 0) for n in range(6)])).examples
    } == {"true", "false"}


def test_white_space_and_case_of_labels():
    dataset = read_examples(
        lines(*GOOD, pair("a", " hello"), pair("b", "Hello"), pair("c", "Hello"))
    )
    assert dict(dataset.recognised.labels) == {"hello": 6, "bye": 5, "Hello": 2}
    assert any("1 rows" in note for note in dataset.recognised.notes)
    assert any("'hello' and 'Hello'" in note for note in dataset.recognised.notes)


def test_a_given_split_is_taken_and_its_names_are_folded():
    rows = [pair(f"t{n}", "ab"[n % 2], split=["train", "Test", "dev"][n % 3]) for n in range(12)]
    dataset = read_examples(lines(*rows))
    assert dataset.splits is not None
    assert dict(dataset.recognised.splits) == {"train": 4, "test": 4, "valid": 4}
    assert [e.text for e in dataset.part("validation")] == ["t2", "t5", "t8", "t11"]


def test_a_fold_column_is_left_alone_unless_it_is_named():
    rows = [pair(f"t{n}", "ab"[n % 2], fold=str(n % 3)) for n in range(12)]
    assert read_examples(lines(*rows)).splits is None
    dataset = read_examples(lines(*rows), split="fold")
    assert len(dataset.part("0")) == 4


def test_a_million_labels_are_one_object_each():
    dataset = read_examples(lines(*[pair(f"t{n}", f"label {n % 2}") for n in range(100)]))
    assert len({id(example.label) for example in dataset.examples}) == 2


def test_empty_texts_name_their_rows():
    error = fault(
        lines(
            GOOD[0], pair("", "bye"), pair("  ", "bye"), {"label": "bye"}, pair(None, "bye"), *GOOD
        )
    )
    assert error.code == "empty_text"
    assert error.details["count"] == 4
    assert [problem["row"] for problem in error.details["problems"]] == [2, 3, 4, 5]


def test_empty_labels_name_their_rows():
    error = fault(lines(GOOD[0], pair("a", ""), pair("b", None), {"text": "c"}, *GOOD))
    assert (error.code, error.details["count"]) == ("empty_label", 3)


def test_texts_that_are_no_texts():
    error = fault(lines(*GOOD, pair(["a"], "bye"), pair(7, "bye"), pair({"x": 1}, "bye")))
    assert error.code == "mixed_types"
    whats = [problem["what"] for problem in error.details["problems"]]
    assert "a list" in whats[0]
    assert "a number" in whats[1]
    assert "an object" in whats[2]


def test_mixed_labels_name_the_rarer_kind():
    error = fault(lines(*GOOD, pair("x", 1), pair("y", 2), pair("z", ["bye"])))
    assert error.code == "mixed_types"
    assert {problem["row"] for problem in error.details["problems"]} == {11, 12, 13}
    many = fault(lines(*GOOD * 20, *[pair("x", 1)] * 50))
    assert many.details["count"] == 50
    assert len(many.details["problems"]) == 20


def test_half_of_a_surrogate_pair():
    error = fault(b'{"text": "a \\ud83d", "label": "bye"}\n' + lines(*GOOD))
    assert (error.code, error.details["problems"][0]["row"]) == ("broken_characters", 1)


def test_one_class():
    error = fault(lines(*[pair(f"t{n}", "only") for n in range(5)]))
    assert error.code == "one_class"
    assert "'only'" in error.message


def test_one_example_of_a_class_names_class_and_row():
    error = fault(lines(*GOOD, pair("a", "rare"), pair("b", "rarer")))
    assert error.code == "one_example"
    assert "'rare' (row 11)" in error.message
    assert [problem["row"] for problem in error.details["problems"]] == [11, 12]


def test_labels_that_are_texts():
    error = fault(lines(*[pair(f"t{n}", f"answer {n // 2 if n < 4 else n}") for n in range(30)]))
    assert error.code == "labels_are_text"
    error = fault(lines(*GOOD, pair("a", "long " * 100)))
    assert error.code == "labels_are_text"


def test_a_file_that_only_evaluates_may_hold_one_class():
    assert len(read_examples(lines(pair("a", "x")), trains=False).examples) == 1


@pytest.mark.parametrize("data", [b"[]", b"text,label\n"])
def test_no_rows(data):
    assert fault(data).code == "no_rows"


def test_nothing_but_broken_json_says_so():
    assert fault(b'{"text": "a", "label": "b",}\n{"text": }\n').code == "invalid_json"


def test_limits_bound_memory():
    assert fault(lines(*GOOD), limits=Limits(rows=5)).code == "too_large"
    assert "line 4" in fault(lines(*GOOD), limits=Limits(characters=20)).message


def test_a_dirty_csv_tells_all_of_its_problems_at_once():
    data = b"text,label\nhello,a\n,a\nx,y,z\nbye,\nciao,b\n"
    error = fault(data)
    assert [(p["row"], p["code"]) for p in error.details["problems"]] == [
        (3, "empty_text"),
        (4, "ragged_row"),
        (5, "empty_label"),
    ]


def test_dates_that_are_none_are_left_out_with_a_note():
    rows = [pair(f"t{n}", "ab"[n % 2], date="2026-01-01" if n else "yesterday") for n in range(6)]
    dataset = read_examples(lines(*rows))
    assert [example.date for example in dataset.examples[:2]] == [None, "2026-01-01"]
    assert any("1 dates" in note for note in dataset.recognised.notes)
