"""What this machine gives to models, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metier.cli.fitness import fit_words, machine_rows, speeds_lines
from metier.finding import Fit
from metier.fitting import Speeds

SPEEDS = Speeds(
    "2026-11-23T12:00:00+00:00", "x86-64-v3", 4, "0.1", "engine 1",
    {"Q4_K": 2e10, "Q8_0": 3e10}, ms_per_text={"sha256:ab": 0.2}, busy=1.5, seconds=12,
)  # fmt: skip


def test_speeds_are_told_with_what_they_rest_on() -> None:
    told = "\n".join(speeds_lines(SPEEDS))
    assert "measured 23 Nov 2026 in 12 s with engine 1" in told
    assert "Q4_K 20.0 GB/s" in told
    assert "1 GB of weights (Q4_K) writes about 20 tokens/s" in told
    assert "other work" in told


def test_a_slow_machine_is_not_told_that_it_writes_nothing() -> None:
    slow = replace(SPEEDS, bytes_per_second={"Q4_K": 4.2e8})
    assert "about 0.42 tokens/s" in "\n".join(speeds_lines(slow))


def test_the_least_is_told_where_it_differs() -> None:
    fit = Fit("yes", 2_000_000_000, least_bytes=1_000_000_000)
    assert fit_words(fit).endswith("at the least 1.00 GB")
    assert "least" not in fit_words(Fit("no", 1, 1, least_bytes=1))


def test_the_doctor_tells_machine_accelerators_and_speed(facade: Any) -> None:
    rows = {row[0]: row for row in machine_rows(facade)}
    assert set(rows) == {"instructions", "accelerators", "speed"}
    assert rows["speed"][1] == "missing"
    assert rows["speed"][3] == "metier doctor --measure"
    facade.fitting.measured = SPEEDS
    rows = {row[0]: row for row in machine_rows(facade)}
    assert "another kind of machine" in rows["speed"][2]


def test_doctor_measures_when_it_is_asked(metier: Any, facade: Any) -> None:
    outcome = metier("doctor", "--measure")
    assert outcome.code == 0
    assert "weights read while writing" in outcome.out
    assert metier("doctor", "--measure", "--json").json()["speeds"]["engine"] == "engine 1"
    assert metier("doctor", "--measure", "--install", "svelte@5").code == 2


def test_show_tells_the_fit(metier: Any) -> None:
    assert "runs here" in metier("show", "banking-intents").out
    assert metier("show", "all-minilm-l6-v2", "--json").json()["fit"]["runs"] == "yes"
