"""Sealed evals: ids, fingerprint, the file, and every way a file can be wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.errors import InputError, NotFoundError, StorageError
from metier.evals.items import (
    MAX_LINE_BYTES,
    Eval,
    EvalItem,
    read_eval,
    read_lines,
    seal,
    write_eval,
    write_whole,
)
from metier.messages import Example

EXAMPLES = [
    Example("my card was swallowed", "card_swallowed", row=1),
    Example("wo ist mein Geld?", "transfer", group="passage 7", date="2026-03-01", row=2),
    Example("where is my money", "transfer", group="passage 7", row=3),
]


def test_sealing_keeps_order_groups_and_dates() -> None:
    sealed = seal(EXAMPLES)
    assert [item.text for item in sealed.items] == [example.text for example in EXAMPLES]
    assert sealed.items[0].cluster == sealed.items[0].id
    assert sealed.items[1].cluster == sealed.items[2].cluster == "group:passage 7"
    assert sealed.items[1].date == "2026-03-01"
    assert sealed.labels == ("card_swallowed", "transfer")


def test_an_id_depends_on_text_and_row_only() -> None:
    sealed = seal(EXAMPLES)
    relabelled = seal([replace(example, label="other") for example in EXAMPLES])
    assert [item.id for item in sealed.items] == [item.id for item in relabelled.items]
    moved = seal([replace(example, row=example.row + 1) for example in EXAMPLES])
    assert not {item.id for item in sealed.items} & {item.id for item in moved.items}


def test_repeated_texts_in_other_rows_are_other_items() -> None:
    sealed = seal([Example("same", "a"), Example("same", "a"), Example("same", "b")])
    assert len({item.id for item in sealed.items}) == 3


def test_a_long_group_becomes_a_short_cluster() -> None:
    long = "g" * 5_000
    sealed = seal([Example("a", "x", group=long), Example("b", "x", group=long + "h")])
    assert sealed.items[0].cluster != sealed.items[1].cluster
    assert len(sealed.items[0].cluster) < 100


def test_the_fingerprint_changes_with_everything_but_the_order() -> None:
    sealed = seal(EXAMPLES)
    turned = Eval(tuple(reversed(sealed.items)))
    assert turned.fingerprint == sealed.fingerprint
    first, *others = sealed.items
    for change in (
        {"id": "another"},
        {"text": first.text + "."},
        {"label": "other"},
        {"cluster": "shared"},
        {"date": "2026-01-01"},
    ):
        changed = Eval((replace(first, **change), *others))
        assert changed.fingerprint != sealed.fingerprint, change
    other_scorer = Eval(sealed.items, scorer='accuracy{"out_of_scope":"oos"}')
    assert other_scorer.fingerprint != sealed.fingerprint
    assert Eval(sealed.items[:2]).fingerprint != sealed.fingerprint


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(texts, texts, st.none() | texts), min_size=1, max_size=8))
def test_a_file_gives_the_same_eval(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str | None]]
) -> None:
    path = tmp_path_factory.mktemp("evals") / "eval.jsonl"
    sealed = seal([Example(text, label, group=group) for text, label, group in rows])
    write_eval(path, sealed)
    found = read_eval(path)
    assert found == sealed
    assert found.fingerprint == sealed.fingerprint
    assert found.to_bytes() == path.read_bytes()


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    write_eval(path, seal(EXAMPLES))
    path.write_bytes(path.read_bytes().replace(b"swallowed", b"devoured"))
    with pytest.raises(InputError, match="changed after it was sealed") as caught:
        read_eval(path)
    assert caught.value.code == "bad_eval"
    assert caught.value.remedy


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file .*gone\.jsonl"):
        read_eval(tmp_path / "gone.jsonl")
    with pytest.raises(StorageError, match="cannot be read"):
        read_eval(tmp_path)


HEADER = '{"format":"metier.eval/1","scorer":"accuracy"}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: not the header"),
        ('{"id":"a","text":"t","label":"l"}', "line 1: not the header"),
        (f"{HEADER}\n", "has no items"),
        (f'{HEADER}\n{{"id":"a","text":"t"}}', "line 2: it lacks 'label'"),
        (f'{HEADER}\n\n{{"id":"a","text":7,"label":"l"}}', "line 3: its text is empty or not"),
        (f'{HEADER}\n{{"id":"a","text":"","label":"l"}}', "line 2: its text is empty or not"),
        (f'{HEADER}\n{{"id":"a","text":"t","label":"l","lable":"x"}}', "unknown field 'lable'"),
        (f'{HEADER}\n{{"id":"a","text":"t","label":"l","date":"soon"}}', "line 2: its date is"),
        (f'{HEADER}\n{{"id":"a","text":"t","label":"l","date":5}}', "line 2: its date is"),
        (f'{HEADER}\n{{"id":"a","text":"t","label":"l"', "line 2: it is not JSON"),
        (f'{HEADER}\n{{"id":"a","text":"t","label":NaN}}', "line 2: it is not JSON"),
        (f"{HEADER}\n[1,2]", "line 2: it is not a JSON object"),
        (f"{HEADER}\n{'[' * 100_000}", "line 2: it is not JSON"),
        (f'{HEADER}\n{{"id":"a","text":"\\ud800","label":"l"}}', "half of a surrogate pair"),
        (f'{HEADER}\n{{"id":"a","text":"t","label":"{"l" * 1_001}"}}', "longer than 1,000"),
        (
            f'{HEADER}\n{{"id":"a","text":"t","label":"l"}}\n{{"id":"a","text":"u","label":"l"}}',
            "Items 1 and 2 have the same id 'a'",
        ),
    ],
)
def test_a_wrong_file_says_where_and_why(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "eval.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError) as caught:
        read_eval(path)
    assert message in caught.value.message
    assert caught.value.remedy


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    path.write_bytes(HEADER.encode() + b'\n{"id":"a","text":"caf\xe9","label":"l"}\n')
    with pytest.raises(InputError, match="line 2: it is not JSON in UTF-8"):
        read_eval(path)


def test_a_line_without_end_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    with path.open("wb") as file:
        file.write(HEADER.encode() + b'\n{"id":"')
        file.truncate(MAX_LINE_BYTES + 10_000)
    with pytest.raises(InputError, match="line 2: it is longer than 8,000,000 bytes"):
        read_eval(path)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a":1}\n\n{"b":2}\r\n{"c":3}', "utf-8")
    assert [number for number, _ in read_lines(path, 100)] == [1, 3, 4]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    write_whole(path, b"old")
    with pytest.raises(StorageError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "eval.jsonl", b"new")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_header_counts_the_items(tmp_path: Path) -> None:
    path = tmp_path / "eval.jsonl"
    write_eval(path, seal(EXAMPLES))
    header = json.loads(path.read_bytes().splitlines()[0])
    assert header["items"] == 3
    assert header["fingerprint"].startswith("sha256:")


def test_an_item_made_by_hand_is_checked() -> None:
    with pytest.raises(InputError, match="item 1: its label is empty"):
        Eval((EvalItem("a", "text", "", "a"),))


def test_an_example_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(InputError, match="item 2: its text holds half of a surrogate pair"):
        seal([Example("fine", "a"), Example("broken \ud83d", "a")])
