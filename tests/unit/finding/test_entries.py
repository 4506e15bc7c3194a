"""Entries of a catalogue: what they take, refuse and write."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from metier.finding import Claim, Entry, Source

PAGE = Source(address="https://example.org/card", read="2026-11-01")


def entry(**more: object) -> Entry:
    return Entry.model_validate({"name": "a/b", "kind": "model", "task": "chat", **more})


def test_an_entry_keeps_its_bytes() -> None:
    claim = Claim(metric="pass@1", value=70.1, unit="%", on="own 204 questions", source=PAGE)
    made = entry(claims=(claim,), sources={"licence": PAGE}, licence="MIT")
    assert Entry.model_validate_json(made.to_bytes()) == made
    assert made.to_bytes() == Entry.model_validate_json(made.to_bytes()).to_bytes()


def test_what_is_not_said_is_not_written() -> None:
    assert b"context" not in entry().to_bytes()


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "other"}, {"name": ""}, {"size_bytes": -1}, {"stars": 5}, {"task": "x" * 301}],
)
def test_wrong_entries_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        entry(**wrong)


@pytest.mark.parametrize(
    ("address", "read"),
    [("http://example.org/", "2026-11-01"), ("https://example.org/", "yesterday"), ("x", "")],
)
def test_a_source_is_a_page_and_a_day(address: str, read: str) -> None:
    with pytest.raises(ValidationError):
        Source(address=address, read=read)
