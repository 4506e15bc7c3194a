"""Rows come out of files as they stand in them, each with the line on which it starts."""

import contextlib
import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.datasets.reading import open_table
from metier.errors import InputError, NotFoundError


def rows_of(data: bytes, **options):
    return [(row.number, dict(row.values)) for row in open_table(data, **options).rows()]


def test_json_lines_keep_their_line_numbers_over_blank_lines():
    data = b'{"text": "a", "label": 1}\n\n  \n{"text": "b", "label": 2}'
    table = open_table(data)
    assert (table.format, table.columns) == ("jsonl", ("text", "label"))
    assert [(row.number, row.place) for row in table.rows()] == [(1, "line 1"), (4, "line 4")]


def test_a_table_can_be_read_twice():
    table = open_table(b'{"text": "a"}\n{"text": "b"}\n')
    assert len(list(table.rows())) == len(list(table.rows())) == 2


def test_invalid_json_names_the_line_and_the_character():
    table = open_table(b'{"text": "a"}\n{"text": b}\n[1]\n{"text": "c"}\n')
    with pytest.raises(InputError) as error:
        list(table.rows())
    assert error.value.code == "invalid_json"
    assert "line 2" in error.value.message
    assert "character 10" in error.value.message
    assert [problem["row"] for problem in error.value.details["problems"]] == [2, 3]


@pytest.mark.parametrize(
    "line",
    ['{"text": "a", "text": "b"}', '{"text": NaN}', "[" * 100_000, '{"text": 1' + "0" * 5000],
)
def test_json_that_python_would_accept_or_choke_on_is_refused(line):
    table = open_table(b'{"text": "a"}\n' + line.encode() + b"\n")
    with pytest.raises(InputError, match="line 2"):
        list(table.rows())


def test_json_array_counts_lines_of_a_pretty_printed_file():
    rows = [{"text": f"text {number}", "label": "a\nb"} for number in range(5_000)]
    data = json.dumps(rows, indent=2).encode()
    found = rows_of(data)
    assert [values for _, values in found] == rows
    lines = data.split(b"\n")
    assert all(lines[number - 1] == b"  {" for number, _ in found)


def test_json_array_on_one_line_may_be_longer_than_a_row_may():
    rows = [{"text": "x" * 50, "label": "a"}] * 200
    assert len(rows_of(json.dumps(rows).encode(), max_row=100)) == 200


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'[{"text": "a"} {"text": "b"}]', "comma"),
        (b'[{"text": "a"}', "expected"),
        (b'[{"text": "a"}] x', "after the closing"),
        (b'[{"text": "a"}, {"text": tru}]', "valid JSON"),
        (b'[\n{"text": "a"},\n{"text": "b', "line 3"),
    ],
)
def test_a_broken_json_array_says_where(data, message):
    with pytest.raises(InputError, match=message) as error:
        rows_of(data)
    assert error.value.code == "invalid_json"


def test_an_array_element_that_is_no_object_is_a_problem_of_its_line():
    with pytest.raises(InputError) as error:
        rows_of(b'[{"text": "a"},\n "b",\n {"text": "c"}]')
    assert error.value.details["problems"][0]["row"] == 2


def test_one_json_object_is_not_rows():
    with pytest.raises(InputError) as error:
        open_table(b'{\n "train": []\n}', name="data.json")
    assert error.value.code == "not_rows"


def test_csv_with_quoted_newlines_counts_lines_not_rows():
    data = b'text,label\r\n"one\r\ntwo, ""three""",a\r\nfour,b\r\n'
    assert rows_of(data) == [
        (2, {"text": 'one\r\ntwo, "three"', "label": "a"}),
        (4, {"text": "four", "label": "b"}),
    ]


@pytest.mark.parametrize(
    ("mark", "form"), [(",", "csv"), ("\t", "tsv"), (";", "csv"), ("|", "csv")]
)
def test_delimiters_are_told_apart(mark, form):
    data = f"text{mark}label\nhello there{mark}a\ngood bye, friend{mark}b\n"
    if mark == ",":
        data = data.replace("good bye, friend", '"good bye, friend"')
    table = open_table(data.encode())
    assert (table.delimiter, table.format) == (mark, form)
    assert [row.values["text"] for row in table.rows()] == ["hello there", "good bye, friend"]


def test_old_macintosh_line_ends():
    assert rows_of(b"text,label\rhello,a\rbye,b\r") == [
        (2, {"text": "hello", "label": "a"}),
        (3, {"text": "bye", "label": "b"}),
    ]


def test_other_unicode_line_separators_are_characters_of_a_text():
    text = "one\u2028two\x0bthree\x85four"
    assert rows_of(json.dumps({"text": text}, ensure_ascii=False).encode()) == [(1, {"text": text})]
    assert rows_of(f"text,label\n{text},a\nb,a\n".encode())[0][1]["text"] == text


def test_ragged_rows_are_all_named_and_counted():
    lines = ["text,label"] + ["fine,a"] * 100 + ["one, two,a"] * 30 + ["short"]
    with pytest.raises(InputError) as error:
        rows_of("\n".join(lines).encode())
    assert error.value.code == "ragged_row"
    assert "line 102" in error.value.message
    assert error.value.details["count"] == 31
    assert [problem["row"] for problem in error.value.details["problems"]] == list(range(102, 122))
    assert "quotation marks" in error.value.remedy


def test_gzip_is_unpacked_and_a_damaged_one_is_refused():
    packed = gzip.compress(b"text,label\nhello,a\nbye,b\n")
    assert len(rows_of(packed)) == 2
    with pytest.raises(InputError, match="damaged gzip"):
        rows_of(packed[:-12])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b" \n\n ", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"PK\x03\x04 and so on", "binary_file"),
        (b"\x89PNG\r\n\x1a\n", "binary_file"),
        (bytes(range(256)) * 10, "binary_file"),
        (b"just one column\nof text\n", "one_column"),
        (b"text,text\na,b\n", "duplicate_columns"),
        (b"text,label\nhello\0,a\n" + b"fine,a\n" * 50, "nul_byte"),
    ],
)
def test_what_is_no_table_says_what_it_is(data, code):
    with pytest.raises(InputError) as error:
        rows_of(data)
    assert error.value.code == code
    assert error.value.remedy


def test_a_missing_file_and_an_unreadable_one(tmp_path):
    with pytest.raises(NotFoundError):
        open_table(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    "data",
    [
        b"text,label\nhello,a\n" + b"x" * 5_000,
        b'text,label\nhello,a\n"' + b"never closed on and on\n" * 500,
        b'{"text": "' + b"x" * 5_000 + b'"}',
        b'[{"text": "' + b"x" * 5_000 + b'"}]',
        b'[{"text": "' + b"x" * 500_000,
    ],
)
def test_a_row_over_the_cap_is_refused_with_its_line(data):
    with pytest.raises(InputError) as error:
        rows_of(data, max_row=1_000)
    assert error.value.code in ("row_too_long", "bad_quotes")
    expected = 3 if data.startswith(b"text") else 1
    assert f"line {expected}:" in error.value.message


def test_a_quotation_mark_inside_a_quoted_field_must_be_doubled():
    data = b'text,label\n"fine, this",a\n"not "fine", this",b\n"also, fine",b\n'
    with pytest.raises(InputError) as error:
        rows_of(data)
    assert error.value.code == "bad_quotes"
    assert "line 3" in error.value.message


MEASURE = """
import resource, sys
from pathlib import Path
from metier.datasets.reading import open_table
from metier.errors import MetierError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    count = sum(1 for _ in open_table(Path(sys.argv[1])).rows())
except MetierError as error:
    count = error.code
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(count, (after - before) // 1024)
"""


def measured(path: Path) -> tuple[str, int]:
    """What reading the file in a process of its own gives, and how many MB it took."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    count, megabytes = done.stdout.split()
    return count, int(megabytes)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_million_rows_stream_in_flat_memory(tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    if ending == "csv":
        block = "".join(
            f'"question {number}, about a thing",label{number % 20}\n' for number in range(1000)
        )
        head = "text,label\n"
    else:
        block = "".join(
            f'{{"text": "question {n}", "label": "label{n % 20}"}}\n' for n in range(1000)
        )
        head = ""
    path.write_text(head + block * 1000)
    count, megabytes = measured(path)
    assert count == "1000000"
    assert megabytes < 25


def test_a_line_of_200_megabytes_is_refused_in_bounded_memory(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"text,label\nhello,a\n")
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    assert measured(path)[0] == "row_too_long"
    assert measured(path)[1] < 25


FIELD = st.text(
    st.one_of(st.characters(blacklist_categories=("Cs", "Cc")), st.sampled_from("\n\r\t\"',;|")),
    min_size=1,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(FIELD, FIELD), min_size=3, max_size=12), st.sampled_from(",;\t|"))
def test_what_csv_writes_comes_back(pairs, mark):
    target = io.StringIO()
    writer = csv.writer(target, delimiter=mark, quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "label"])
    writer.writerows(pairs)
    found = [values for _, values in rows_of(target.getvalue().encode())]
    assert found == [{"text": text, "label": label} for text, label in pairs]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(FIELD, FIELD, min_size=1), min_size=1, max_size=8), st.booleans())
def test_what_json_writes_comes_back(rows, lines):
    if lines:
        data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    else:
        data = json.dumps(rows, ensure_ascii=False, indent=1)
    assert [values for _, values in rows_of(data.encode())] == rows


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=400))
def test_no_bytes_raise_anything_but_an_input_error(data):
    # Anything else that is raised fails the test; that every error has a remedy is told above.
    with contextlib.suppress(InputError):
        rows_of(data)
