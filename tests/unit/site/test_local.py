"""A local model as values."""

from __future__ import annotations

from metier.generating import ModelDetails, ModelListing, ModelSheet, RunningModel
from metier.site.local import abilities, facts

LISTING = ModelListing("tiny", "0" * 64, 1000, "2026-01-01", "generate")
KNOWN = ModelListing(
    "tiny",
    "0" * 64,
    1000,
    "2026-01-01",
    "generate",
    details=ModelDetails("gguf", "qwen2", ("qwen2",), 247_500_000, "Q8_0", 32_768, 896),
    capabilities=("completion", "tools", "classify"),
)


def test_what_is_not_known_is_left_out():
    assert facts(ModelSheet(LISTING), None) == []
    assert abilities(ModelSheet(LISTING)) == []


def test_what_is_known_is_said_in_words():
    sheet = ModelSheet(KNOWN, parameters={"seed": 1}, context=4096, memory_bytes=300_000_000)
    known = dict(facts(sheet, None))
    assert known["context"] == "4,096 tokens here, trained for 32,768"
    assert known["parameters"] == "247,500,000"
    assert known["in memory now"].startswith("no")
    assert known["settings"] == "seed 1"
    running = RunningModel(KNOWN, 310_000_000, 4096, None)
    assert "with 4,096 tokens of context" in dict(facts(sheet, running))["in memory now"]
    assert abilities(sheet) == ["writes", "calls tools"]
