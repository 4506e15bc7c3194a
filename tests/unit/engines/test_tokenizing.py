"""Any string becomes ids, at most so many, in a time that its length does not decide."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_bert
from metier.engines.tokenizing import TokenReader
from metier.errors import CorruptError

IDS = {token: number for number, token in enumerate(tiny_bert.VOCABULARY)}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_text(json.dumps(tiny_bert.make_tokenizer()))
    return path


def test_ids(tokenizer: Path) -> None:
    read = TokenReader(tokenizer, max_tokens=24).read(["The CARD", "", "payment"])
    words = [["the", "card"], [], ["pay", "##ment"]]
    assert read == [[IDS[token] for token in ("[CLS]", *text, "[SEP]")] for text in words]


def test_special_tokens_are_a_choice(tokenizer: Path) -> None:
    read = TokenReader(tokenizer, max_tokens=24, special=False).read(["the card", ""])
    assert read == [[IDS["the"], IDS["card"]], []]


def test_upstreams_own_cut_and_padding_do_not_count(tokenizer: Path) -> None:
    (ids,) = TokenReader(tokenizer, max_tokens=20).read(["late " * 100])
    assert ids == [IDS["[CLS]"], *[IDS["late"]] * 18, IDS["[SEP]"]]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters()))
def test_every_string_is_read(tokenizer: Path, text: str) -> None:
    (ids,) = TokenReader(tokenizer, max_tokens=16).read([text])
    assert 2 <= len(ids) <= 16
    assert all(0 <= number < len(IDS) for number in ids)


def test_surrogates_and_controls_read_as_nothing(tokenizer: Path) -> None:
    clean, *odd = TokenReader(tokenizer, max_tokens=24).read(
        ["lost card", "lost\ud800 card", "lost\x00 card", "lost \udfff\ufffd card"]
    )
    assert odd == [clean] * 3


@pytest.mark.parametrize("unit", ["a", " ", "late ", "é", "\ud800", "文"])
def test_a_megabyte_costs_no_more_than_a_page(tokenizer: Path, unit: str) -> None:
    reader = TokenReader(tokenizer, max_tokens=256)
    page, megabyte = unit * 8192, unit * 10**6
    begin = time.thread_time()
    assert reader.read([megabyte]) == reader.read([page])
    assert time.thread_time() - begin < 0.25


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"model": 3}'])
def test_what_is_not_a_tokenizer_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(CorruptError, match=r"tokenizer\.json") as caught:
        TokenReader(path, max_tokens=16)
    assert caught.value.code == "bad_tokenizer"


def test_tokens_are_counted_and_a_cut_is_told(tokenizer: Path) -> None:
    counted = TokenReader(tokenizer, max_tokens=5).counted
    assert counted(["the card", "late late late", "late late late late", ""]) == [
        (4, False),
        (5, False),
        (5, True),
        (2, False),
    ]
    assert counted(["a" + " " * 1000]) == [(counted(["a"])[0][0], True)]
