"""Documents: every value that commands hand over becomes JSON types, and nothing else does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from metier.card import Verdict
from metier.cli.documents import to_document
from metier.reference import Digest, Reference


@dataclass
class Facts:
    verdict: Verdict
    where: Path


def test_every_value_that_commands_hand_over_is_json(make: Any) -> None:
    value = {
        "card": make.card(),
        "digest": Digest("ab" * 32),
        "reference": Reference("x"),
        "facts": (Facts(Verdict.WIN, Path("a/b")),),
        "moment": datetime(2026, 11, 12, tzinfo=UTC),
        3: {"set"},
        "none": None,
    }
    document = json.loads(json.dumps(to_document(value)))
    assert document["digest"] == "sha256:" + "ab" * 32
    assert document["reference"] == "x:latest"
    assert document["facts"] == [{"verdict": "WIN", "where": "a/b"}]
    assert document["moment"] == "2026-11-12T00:00:00+00:00"
    assert document["3"] == ["set"]
    assert document["card"]["name"] == "banking-intents"


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON for complex"):
        to_document([1j])
