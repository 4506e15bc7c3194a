from __future__ import annotations

import dataclasses
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import CorruptError
from metier.router.domains import DomainModel, cut, marks_held

START = len(b"metier domains 1\n")


def altered(data: bytes, **changes: object) -> bytes:
    """The bytes of a model with some fields of its header replaced."""
    (length,) = struct.unpack_from("<I", data, START)
    header = json.loads(data[START + 4 : START + 4 + length]) | changes
    new = json.dumps(header).encode()
    return data[:START] + struct.pack("<I", len(new)) + new + data[START + 4 + length :]


def test_a_model_is_its_bytes(model: DomainModel) -> None:
    again = DomainModel.from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    assert again.digest == model.digest
    assert again.names == ("bank", "cooking")
    text = "fry onions in butter for two people"
    assert again.asked(text) == model.asked(text)


def test_the_digest_covers_what_decides(model: DomainModel) -> None:
    bank, cooking = model.domains
    other = dataclasses.replace(bank, threshold=0.1)
    digests = {
        model.digest,
        dataclasses.replace(model, domains=(other, cooking)).digest,
        dataclasses.replace(model, slope=1.0).digest,
        dataclasses.replace(model, bias=model.bias + 1).digest,
        dataclasses.replace(model, settings=dataclasses.replace(model.settings, cut=500)).digest,
    }
    assert len(digests) == 5


def test_scores_are_probabilities_and_margins_differences(model: DomainModel) -> None:
    likeness = model.asked("why is the fee pending at the branch")
    assert 0.0 <= likeness.score <= 1.0
    assert -1.0 <= likeness.margin <= likeness.score
    chances = model.chances("why is the fee pending at the branch")
    assert chances[0] == (likeness.domain, likeness.score)
    assert [score for _, score in chances] == sorted((s for _, s in chances), reverse=True)


def test_a_foreign_language_and_code_are_no_domains_of_english_prose(model: DomainModel) -> None:
    text = "why is my card pending in the app"
    assert model.asked(text, language="en").sure
    assert "is in de" in model.asked(text, language="de").against
    assert "holds code" in model.asked(text, code=True).against


def test_case_and_spaces_change_nothing(model: DomainModel) -> None:
    text = "Why is my card pending in the app"
    assert model.asked(text) == model.asked(text.upper()) == model.asked(f"  {text}\n\n".lower())
    assert model.asked(text) == model.asked(text.replace(" ", "   "))


def test_head_and_tail_are_read() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 4) == "ab fg"
    assert len(cut("x" * 10_000_000, 2_000)) == 2_001


def test_marks_are_counted_among_sorted_buckets() -> None:
    marks = np.array([2, 5, 9], np.int32)
    assert marks_held(marks, np.array([1, 2, 3, 9], np.int32)) == pytest.approx(2 / 3)
    assert marks_held(marks, np.array([], np.int32)) == 0.0
    assert marks_held(marks, np.array([1], np.int32)) == 0.0


@given(st.text(max_size=300))
def test_any_text_has_an_answer(model: DomainModel, text: str) -> None:
    likeness = model.asked(text)
    assert likeness.domain in model.names
    assert likeness == model.asked(text)


@pytest.mark.parametrize(
    "text",
    ["a " * 5_000_000, "\u202e" * 1_000_000, "😀" * 1_000_000, "\ud83d" * 1_000, "\0" * 10_000],
    ids=["10 MB", "right to left", "emoji", "half pairs", "zeros"],
)
def test_hostile_text_is_answered(model: DomainModel, text: str) -> None:
    assert not model.asked(text).sure


@pytest.mark.parametrize(
    "changes",
    [
        {"domains": []},
        {"domains": 3},
        {"domains": [{"name": "a"}]},
        {"settings": {}},
        {"settings": 1},
        {"slope": "x"},
        {"slope": float("nan")},
        {"offset": float("inf")},
        {"slope": None},
    ],
)
def test_a_changed_header_is_refused(model: DomainModel, changes: dict[str, object]) -> None:
    with pytest.raises(CorruptError) as caught:
        DomainModel.from_bytes(altered(model.to_bytes(), **changes))
    assert caught.value.code == "bad_router"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 7),
        ("threshold", float("nan")),
        ("least_marks", -1),
        ("name", ""),
        ("name", 5),
        ("name", "cooking"),
        ("marks", -1),
        ("marks", 10**30),
        ("languages", 4),
        ("languages", [5]),
    ],
)
def test_a_changed_domain_is_refused(model: DomainModel, field: str, value: object) -> None:
    data = model.to_bytes()
    (length,) = struct.unpack_from("<I", data, START)
    domains = json.loads(data[START + 4 : START + 4 + length])["domains"]
    domains[0][field] = value
    with pytest.raises(CorruptError):
        DomainModel.from_bytes(altered(data, domains=domains))


@pytest.mark.parametrize(
    ("name", "value"),
    [("buckets", 10**30), ("buckets", 3), ("buckets", 1.5), ("cut", 0), ("words", [7]),
     ("characters", 2), ("cut", 10**9), ("folds", "5"), ("more", 1)],
)  # fmt: skip
def test_changed_settings_are_refused(model: DomainModel, name: str, value: object) -> None:
    settings = dataclasses.asdict(model.settings) | {name: value}
    with pytest.raises(CorruptError):
        DomainModel.from_bytes(altered(model.to_bytes(), settings=settings))


def test_cut_and_foreign_bytes_are_refused(model: DomainModel) -> None:
    data = model.to_bytes()
    deep = b"metier domains 1\n" + struct.pack("<I", 200_000) + b"[" * 200_000
    for bad in (
        b"", b"PK\x03\x04", data[:-1], data + b"\0", data[:30], deep, b"x" * 6_000_000,
        data[:START] + b"\xff\xff\xff\xff" + data[START + 4 :],
    ):  # fmt: skip
        with pytest.raises(CorruptError):
            DomainModel.from_bytes(bad)


@given(st.data())
def test_no_flipped_byte_is_more_than_refused(model: DomainModel, data: st.DataObject) -> None:
    whole = bytearray(model.to_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    try:
        read = DomainModel.from_bytes(bytes(whole))
    except CorruptError:
        return
    assert read.asked("fry onions").domain in read.names
