"""Columns by name, else by what stands in them, else asked for."""

import json

import pytest

from metier.datasets.columns import choose
from metier.datasets.reading import open_table
from metier.errors import InputError


def table(*rows: dict):
    return open_table("\n".join(json.dumps(row) for row in rows).encode(), name="data.jsonl")


def rows(count: int = 20, **columns):
    """Rows whose columns are functions of the row's number."""
    return [{name: make(number) for name, make in columns.items()} for number in range(count)]


def sentence(number: int) -> str:
    return f"this is a rather long sentence with the number {number}"


@pytest.mark.parametrize(
    ("text", "label"),
    [("text", "label"), ("Utterance", "Intent"), ("message", "category"), ("query", "target")],
)
def test_by_name(text, label):
    chosen = choose(table(*rows(**{"id": str, text: sentence, label: lambda n: "ab"[n % 2]})))
    assert (chosen.text, chosen.label, chosen.notes) == (text, label, ())


def test_the_exact_name_wins_and_the_other_is_mentioned():
    chosen = choose(
        table(*rows(text=sentence, label=lambda n: n % 2, intent=lambda n: "ab"[n % 2]))
    )
    assert chosen.label == "label"
    assert "intent" in chosen.notes[0]


def test_by_content_with_a_note():
    chosen = choose(table(*rows(v1=lambda n: "ab"[n % 2], v2=sentence, v3=str)))
    assert (chosen.text, chosen.label) == ("v2", "v1")
    assert len(chosen.notes) == 2


def test_a_file_that_is_sorted_by_label_shows_one_label_at_its_head():
    chosen = choose(table(*rows(6_000, v1=lambda n: "ab"[n // 3_000], v2=sentence)))
    assert chosen.label == "v1"


def test_named_columns_override():
    made = rows(
        text=sentence, label=lambda n: n % 2, body=sentence, mood=lambda n: "ab"[n % 2], user=str
    )
    chosen = choose(table(*made), text="body", label="mood", group="user")
    assert (chosen.text, chosen.label, chosen.group) == ("body", "mood", "user")


@pytest.mark.parametrize(
    ("made", "code", "needed"),
    [
        (
            rows(intent=lambda n: n % 2, category=lambda n: n % 3, text=sentence),
            "ambiguous_columns",
            "--label",
        ),
        (rows(a=lambda n: n % 2, b=lambda n: n % 3, text=sentence), "ambiguous_columns", "--label"),
        (rows(title=sentence, body=sentence, label=lambda n: n % 2), "ambiguous_columns", "--text"),
        (rows(a=sentence, b=sentence, label=lambda n: n % 2), "ambiguous_columns", "--text"),
        (rows(text=sentence, other=sentence), "no_label_column", "--label"),
        (rows(text=sentence), "no_label_column", "--label"),
        (rows(label=lambda n: n % 2, number=int), "no_text_column", "--text"),
    ],
)
def test_what_cannot_be_told_is_asked_for_with_the_columns(made, code, needed):
    with pytest.raises(InputError) as error:
        choose(table(*made))
    assert error.value.code == code
    assert needed in error.value.remedy
    assert all(column in error.value.message for column in made[0])


def test_a_column_that_is_not_there():
    with pytest.raises(InputError) as error:
        choose(table(*rows(text=sentence, label=lambda n: n % 2)), label="mood")
    assert error.value.code == "no_such_column"
    assert "text, label" in error.value.message


def test_one_column_cannot_be_both():
    with pytest.raises(InputError) as error:
        choose(table(*rows(text=sentence, label=lambda n: n % 2)), text="label", label="label")
    assert error.value.code == "ambiguous_columns"


def test_group_date_and_split_by_name_and_content():
    made = rows(
        text=sentence,
        label=lambda n: n % 2,
        group=lambda n: n // 4,
        date=lambda n: "2026-01-01",
        split=lambda n: "train" if n % 5 else "test",
    )
    chosen = choose(table(*made))
    assert (chosen.group, chosen.date, chosen.split) == ("group", "date", "split")


def test_a_group_of_one_value_is_no_group():
    assert (
        choose(table(*rows(text=sentence, label=lambda n: n % 2, group=lambda n: "x"))).group
        is None
    )
