"""The estimate: memory by the scheduler's rules, speed by what was measured, and how far off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metier.fitting import Here, ModelFacts, Speeds, estimate, of_prompting, valid
from metier.fitting.estimating import (
    OFF_BY_EXACT,
    OFF_BY_GUESSED,
    OFF_BY_OTHER_TYPE,
    TEXT_TOKENS,
)
from metier.generating import Loading
from metier.scheduler import Shape, sized

GB = 1_000_000_000
HERE = Here("a processor", "x86-64-v3", 4, 16 * GB, 12 * GB, 14 * GB)
SPEEDS = Speeds(
    "2026-11-23", "x86-64-v3", 4, "0.1", "e", {"Q4_K": 20e9, "Q8_0": 30e9}, 0.001, 50e9, 25e9,
    {"sha256:known": 0.3},
)  # fmt: skip
SHAPE = Shape(weights=4 * GB, trained=8192, cache=100_000, scratch=300_000_000)
MODEL = ModelFacts("llamacpp", True, SHAPE, read={"Q4_K": 4 * GB}, multiplied=7 * GB, exact=True)


def test_memory_is_what_the_scheduler_gives() -> None:
    fit = estimate(MODEL, HERE, None)
    assert fit.runs == "yes"
    assert fit.memory_bytes == sized(SHAPE, Loading(), HERE.room_now).needs.total
    assert fit.least_bytes < fit.memory_bytes
    assert fit.tokens_per_second is None
    assert "doctor --measure" in fit.said


def test_it_is_tight_while_others_hold_memory() -> None:
    fit = estimate(MODEL, replace(HERE, room_now=2 * GB), SPEEDS)
    assert fit.runs == "tight"
    assert fit.lacking_bytes == 0
    assert fit.tokens_per_second is not None


def test_what_lacks_is_counted_from_the_least() -> None:
    here = replace(HERE, room_now=3 * GB, room=3 * GB)
    fit = estimate(MODEL, here, SPEEDS)
    assert fit.runs == "no"
    assert fit.lacking_bytes == fit.least_bytes - 3 * GB
    assert fit.tokens_per_second is None
    assert "Other programs" in fit.why
    assert "too little" in estimate(MODEL, replace(here, memory_bytes=3 * GB), None).why


def test_a_token_reads_every_weight() -> None:
    fit = estimate(MODEL, HERE, SPEEDS)
    assert fit.tokens_per_second == pytest.approx(1 / (4 / 20 + 0.001))
    assert fit.off_by == OFF_BY_EXACT
    assert not fit.measured
    mixed = replace(MODEL, read={"Q4_K": 2 * GB, "Q8_0": 2 * GB})
    assert estimate(mixed, HERE, SPEEDS).tokens_per_second == pytest.approx(
        1 / (0.1 + 2 / 30 + 0.001)
    )


def test_a_guess_is_further_off_than_a_header_and_a_strange_type_further_still() -> None:
    assert estimate(replace(MODEL, exact=False), HERE, SPEEDS).off_by == OFF_BY_GUESSED
    strange = replace(MODEL, read={"IQ4_XS": 4 * GB})
    assert estimate(strange, HERE, SPEEDS).off_by == OFF_BY_OTHER_TYPE
    assert estimate(MODEL, HERE, replace(SPEEDS, spread=0.6)).off_by == pytest.approx(0.6)


def test_speeds_of_another_machine_are_not_told() -> None:
    for other in (replace(HERE, cpu_class="arm64"), replace(HERE, cores=8)):
        assert not valid(SPEEDS, other)
        assert estimate(MODEL, other, SPEEDS).tokens_per_second is None


def test_a_busy_machine_is_named() -> None:
    assert "other work" in estimate(MODEL, HERE, replace(SPEEDS, busy=2.0)).why


def test_what_does_not_write_takes_milliseconds() -> None:
    encoder = ModelFacts("encoder", False, resident=GB, multiplied=10_000_000, exact=True)
    fit = estimate(encoder, HERE, SPEEDS)
    assert fit.ms_per_text == pytest.approx(1000 * TEXT_TOKENS * 10_000_000 / 25e9)
    assert fit.memory_bytes == GB
    embedder = replace(MODEL, writes=False, multiplied=10_000_000)
    assert estimate(embedder, HERE, SPEEDS).ms_per_text == pytest.approx(
        1000 * TEXT_TOKENS * 10_000_000 / 50e9
    )
    assert estimate(replace(encoder, multiplied=0), HERE, SPEEDS).ms_per_text is None


def test_what_was_asked_itself_is_measured() -> None:
    known = ModelFacts("tables", False, resident=1000, system="sha256:known", ms_per_text=9.0)
    fit = estimate(known, HERE, SPEEDS)
    assert (fit.ms_per_text, fit.measured, fit.off_by) == (0.3, True, None)


def test_a_card_from_such_a_machine_counts() -> None:
    made = ModelFacts(
        "tables", False, resident=1000, ms_per_text=9.0, measured_on=("a processor", 4)
    )
    told = estimate(made, HERE, None)
    assert (told.ms_per_text, told.measured) == (9.0, False)
    assert told.said == "runs here, about 1.0 kB, about 9.0 ms per text"
    other = replace(made, measured_on=("another", 4))
    assert estimate(other, HERE, None).ms_per_text is None


def test_what_lacks_its_base_does_not_run() -> None:
    bare = ModelFacts("encoder", False, resident=1000, missing="its base minilm is not installed")
    fit = estimate(bare, HERE, SPEEDS)
    assert (fit.runs, fit.lacking_bytes, fit.ms_per_text) == ("no", 0, None)
    assert fit.said == "does not run here: its base minilm is not installed"


def test_nothing_known_is_unknown() -> None:
    assert estimate(ModelFacts("llamacpp", True), HERE, SPEEDS).runs == "unknown"
    fit = estimate(replace(MODEL, why_not="Metier has no engine for it yet."), HERE, SPEEDS)
    assert fit.runs == "unknown"
    assert fit.memory_bytes
    assert fit.tokens_per_second is None


def test_measuring_is_proposed_only_where_it_would_tell_something() -> None:
    pack = ModelFacts("tables", False, resident=1000)
    assert estimate(pack, HERE, None).said == "runs here, about 1.0 kB"
    assert "doctor --measure" in estimate(replace(pack, system="sha256:x"), HERE, None).said
    unknown = ModelFacts("encoder", False, resident=1000)
    assert "doctor --measure" in estimate(unknown, HERE, None).said
    assert "doctor --measure" not in estimate(unknown, HERE, SPEEDS).said


def test_a_chat_specialist_takes_what_its_base_takes() -> None:
    fit = estimate(of_prompting(9_000), HERE, None)
    assert (fit.runs, fit.memory_bytes, fit.ms_per_text, fit.measurable) == ("yes", 0, None, False)
    assert fit.said == "runs here over a base; memory and speed are the base's"
