"""Measured speeds: what is written is read again, and others are refused."""

from __future__ import annotations

import json

import pytest

from metier.fitting import Speeds

FOUND = Speeds(
    "2026-11-23T12:00:00+00:00", "x86-64-v3", 4, "0.1", "engine 1", {"Q8_0": 1e10}, 0.001, 3e10,
    None, {"sha256:ab": 0.3}, 0.1, 0.2, 11.0,
)  # fmt: skip


def test_speeds_survive_the_file() -> None:
    assert Speeds.of(json.loads(json.dumps(FOUND.to_dict()))) == FOUND


@pytest.mark.parametrize("wrong", [{}, {**FOUND.to_dict(), "cores": "many"}, []])
def test_others_are_refused(wrong: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Speeds.of(wrong)  # type: ignore[arg-type]
