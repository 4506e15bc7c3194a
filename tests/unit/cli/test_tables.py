"""The check of an executed eval as people read it; tables of bases are read in test_proving."""

from __future__ import annotations

from typing import Any

from metier.cli.tables import check_lines

FOUND: dict[str, Any] = {
    "name": "svelte",
    "title": "Svelte tasks",
    "dated": ["2026-11-23", "2026-11-23"],
    "tasks": 64,
    "by_cluster": {"state": 32, "load": 32},
    "mutants": 402,
    "by_toolchain": {"svelte@5": 40, "kit@2": 24},
    "judged": 466,
    "seconds": 143.0,
    "judge_ms": 452.6,
    "frozen": [],
    "survivors": [],
    "unjudged": [],
    "warnings": [],
    "sound": True,
    "missing": {},
}
WRONG = {
    "task": "cart",
    "toolchain": "svelte@5",
    "answer": "mutant 2",
    "why": "counts lines",
    "found": "passed",
}


def read(**changes: Any) -> str:
    return "\n".join(line.plain for line in check_lines({**FOUND, **changes}, 100))


def test_a_sound_eval_says_so() -> None:
    told = read()
    assert "64 in 2 clusters" in told
    assert "svelte@5 (40), kit@2 (24)" in told
    assert "Sound: every reference passes and every mutant fails." in told


def test_what_is_wrong_is_listed_with_its_reason() -> None:
    told = read(sound=False, survivors=[WRONG] * 12, warnings=["64 items show little."])
    assert "Mutants that pass: 12" in told
    assert "cart on svelte@5, mutant 2: counts lines" in told
    assert "and 2 more" in told
    assert "Warning: 64 items show little." in told
    assert "Not sound" in told


def test_a_missing_toolchain_is_named_with_its_command() -> None:
    told = read(missing={"react@19": 24})
    assert "Not tried, because not installed: react@19." in told
    assert "metier doctor --install react@19" in told
