"""The published layouts, in small made-up files, become the rows that the rules promise."""

import json

import pytest

from metier.datasets.converters import UpstreamBytes, canonical_lines
from metier.errors import InputError


def rows(converter, *files):
    upstream = [UpstreamBytes(path, content) for path, content in files]
    return [json.loads(line) for line in canonical_lines(converter, upstream)]


def as_json(value):
    return json.dumps(value).encode()


def test_banking_takes_its_split_from_the_file_and_keeps_quoted_newlines():
    got = rows(
        "banking77-csv-v1",
        ("banking_data/train.csv", b'text,category\r\n"Where, ""now""?\nHere",lost\r\n'),
        ("banking_data/test.csv", "text,category\n£5 fee?,fee\n".encode()),
    )
    assert got == [
        {"text": 'Where, "now"?\nHere', "label": "lost", "split": "train"},
        {"text": "£5 fee?", "label": "fee", "split": "test"},
    ]


def test_clinc_names_its_splits_and_domains_in_the_order_of_the_file():
    full = {
        "oos_val": [["odd", "oos"]],
        "val": [["pay it", "pay_bill"]],
        "train": [["pay now", "pay_bill"]],
        "oos_test": [["odder", "oos"]],
    }
    got = rows(
        "clinc150-json-v1",
        ("data/data_full.json", as_json(full)),
        ("data/domains.json", as_json({"banking": ["pay_bill"]})),
    )
    assert [(row["text"], row["domain"], row["split"]) for row in got] == [
        ("odd", "oos", "valid"),
        ("pay it", "banking", "valid"),
        ("pay now", "banking", "train"),
        ("odder", "oos", "test"),
    ]


def test_snips_joins_pieces_and_moves_slots_with_the_stripped_text():
    pieces = [{"text": " at "}, {"text": "Ómer's ", "entity": "place"}]
    content = json.dumps({"Book": [{"data": pieces}]}, ensure_ascii=False).encode("latin-1")
    (row,) = rows("snips-json-v1", ("x/train_Book_full.json", content))
    assert row == {
        "text": "at Ómer's",
        "label": "Book",
        "slots": [{"slot": "place", "start": 3, "end": 9}],
        "split": "train",
    }
    assert row["text"][3:9] == "Ómer's"


def test_snips_validation_files_are_the_test():
    content = as_json({"Book": [{"data": [{"text": "a table"}]}]})
    (row,) = rows("snips-json-v1", ("x/validate_Book.json", content))
    assert row["split"] == "test"


def test_sms_splits_four_fifths_to_train_and_never_parts_copies():
    lines = [f"ham\tmessage number {number} \n" for number in range(2000)]
    lines += [f"spam\tMESSAGE   number {number}\n" for number in range(2000)]
    got = rows("sms-tsv-v1", ("data/sms.tsv", "".join(lines).encode()))
    first, second = got[:2000], got[2000:]
    assert [row["split"] for row in first] == [row["split"] for row in second]
    share = {name: sum(row["split"] == name for row in first) / 2000 for name in ("train", "test")}
    assert share["train"] == pytest.approx(0.8, abs=0.03)
    assert share["test"] == pytest.approx(0.1, abs=0.03)
    assert first[0]["text"] == "message number 0"
    # Their places are 79, 80, 89 and 90: the edges of the rule.
    edges = [first[number]["split"] for number in (44, 130, 119, 1)]
    assert edges == ["train", "valid", "valid", "test"]


def test_nlu_corpora_split_by_their_own_flag():
    sentences = [
        {"text": "a", "intent": "One", "training": True},
        {"text": "b", "intent": "Two", "training": False},
    ]
    got = rows("nlu-evaluation-json-v1", ("c.json", as_json({"sentences": sentences})))
    assert [row["split"] for row in got] == ["train", "test"]


@pytest.mark.parametrize(
    ("converter", "path", "content", "why"),
    [
        ("banking77-csv-v1", "train.csv", b"phrase,intent\na,b\n", "KeyError"),
        ("banking77-csv-v1", "train.csv", b"text,category\n\xff,b\n", "encoding"),
        ("clinc150-json-v1", "data_full.json", b"{}", "domains.json"),
        ("sms-tsv-v1", "sms.tsv", b"ham\tok\nno tab\n", "line 2"),
        ("snips-json-v1", "train_Book_full.json", b'{"Book": [{}]}', "data"),
        ("nlu-evaluation-json-v1", "c.json", b"{", "not JSON"),
        ("nlu-evaluation-json-v1", "c.json", b"[]", "TypeError"),
    ],
)
def test_a_file_that_is_something_else_is_named_with_the_reason(converter, path, content, why):
    with pytest.raises(InputError) as caught:
        rows(converter, (path, content))
    assert caught.value.code == "bad_upstream"
    assert why in caught.value.message
    assert caught.value.remedy
