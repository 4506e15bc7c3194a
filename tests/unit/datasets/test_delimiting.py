"""Which delimiter, whether quoted, whether the first line names the columns."""

import pytest

from metier.datasets.delimiting import records, sniff
from metier.datasets.problems import Problems
from metier.errors import InputError


def head(*rows: str) -> list[str]:
    return [f"{row}\n" for row in rows]


def test_known_names_make_a_header_without_a_note():
    layout = sniff(head("Utterance;Intent", "hello, you;greet", "bye;part"), "data", ())
    assert (layout.delimiter, layout.header) == (";", True)
    assert layout.columns == ("Utterance", "Intent")
    assert layout.notes == ("Columns are separated by semicolons.",)


def test_a_label_that_comes_again_means_no_header():
    layout = sniff(
        head("spam\tyou won", "ham\tok then", "spam\tfree entry", "ham\tsee you"), "data", ()
    )
    assert not layout.header
    assert layout.columns == ("column 1", "column 2")
    assert "No header" in layout.notes[0]


def test_unknown_names_that_do_not_come_again_are_a_header_and_said_so():
    layout = sniff(head("v1,v2,,", "ham,see you,,", "spam,you won,,", "ham,ok,,"), "data", ())
    assert layout.header
    assert layout.columns == ("v1", "v2", "column 3", "column 4")
    assert "names of the columns" in layout.notes[0]


def test_a_name_that_the_caller_asks_for_makes_a_header():
    rows = head("foo bar baz qux quux,spam", "ham,spam")
    assert not sniff(rows, "data", ()).header
    assert sniff(rows, "data", ("foo bar baz qux quux",)).header


def test_quotation_marks_inside_tab_separated_texts_are_texts():
    rows = head("text\tlabel", '"Hello" she said\ta', 'he said "no"\tb', '"open\ta')
    layout = sniff(rows, "data", ())
    assert (layout.delimiter, layout.quoted) == ("\t", False)
    assert "part of the texts" in layout.notes[0]
    found = list(records(iter(rows), layout, Problems("data"), 1_000))
    assert found[0] == (2, ['"Hello" she said', "a"])
    assert found[2] == (4, ['"open', "a"])


def test_commas_in_texts_do_not_win_over_the_delimiter_that_fits():
    rows = head("text\tlabel", "one, two, three\ta", "four, five\tb", "six\ta")
    assert sniff(rows, "data", ()).delimiter == "\t"


def test_a_quote_that_never_closes_is_named_with_its_row():
    rows = head("text,label", '"fine, this",a', '"open,a', '"fine, that",b', '"fine, those",b')
    layout = sniff(rows, "data", ())
    with pytest.raises(InputError) as error:
        list(records(iter(rows), layout, Problems("data"), 1_000))
    assert error.value.code == "bad_quotes"


def test_a_head_that_ends_inside_a_quoted_field_is_still_quoted():
    rows = head("text,label", *['"one, two",a'] * 50, '"three')
    assert sniff(rows, "data", ()).quoted


def test_blank_lines_are_no_rows():
    rows = head("text,label", "", "one,a", "   ", "two,b")
    layout = sniff(rows, "data", ())
    problems = Problems("data")
    assert [number for number, _ in records(iter(rows), layout, problems, 1_000)] == [3, 5]
    assert not problems.count
