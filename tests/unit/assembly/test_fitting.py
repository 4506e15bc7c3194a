"""Estimates for what is installed and what a catalogue names, on this machine."""

from __future__ import annotations

import time

import pytest

import local_models
import tiny_gguf
from metier.assembly import Metier
from metier.errors import NotFoundError
from metier.finding import Entry, Hit
from metier.settings import Settings

GB = 1_000_000_000


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    folder = tmp_path_factory.mktemp("fitting")
    opened = Metier.open(Settings(home=folder / "home", memory=4 * GB))
    opened.install_starters(lambda _: None)
    base = tiny_gguf.tiny_model(folder)
    local_models.install_local(opened.fleet, "tiny", base)
    return opened


def entry(size: int = GB, **more: object) -> Entry:
    facts = {"name": "a/b", "kind": "model", "task": "chat", "pull": "hf.co/a/b",
             "size_bytes": size, "quantization": "Q4_K_M", **more}  # fmt: skip
    return Entry.model_validate(facts)


def test_an_entry_fits_or_says_what_lacks(metier: Metier) -> None:
    assert metier.fit(entry()).runs == "yes"
    large = metier.fit(entry(9 * GB))
    assert large.runs == "no"
    assert large.lacking_bytes > 5 * GB
    assert large.said.startswith("needs ")


def test_a_local_model_has_the_schedulers_memory(metier: Metier) -> None:
    fit = metier.fit("tiny")
    assert fit.runs == "yes"
    assert fit.writes
    sheet = metier.models.sheet("tiny")
    assert fit.memory_bytes == pytest.approx(sheet.memory_bytes, rel=0.01)


def test_installed_things_fit_by_name_value_and_hit(metier: Metier) -> None:
    installed = metier.show("message-spam")
    fit = metier.fit("message-spam")
    assert fit.runs == "yes"
    assert not fit.measured
    assert fit.memory_bytes >= installed.size_bytes
    assert metier.fit(installed) == fit
    assert metier.fit(Hit(entry(), "here", installed="message-spam")) == fit
    assert metier.fit("sveltekit").runs == "yes"
    assert metier.fit(Hit(entry(), "curated")).runs == "yes"


def test_what_stands_over_a_base_that_is_not_here_does_not_run(metier: Metier) -> None:
    fit = metier.fit("banking-intents")
    if "all-minilm-l6-v2" in {item.name for item in metier.list()}:
        assert fit.runs == "yes"
    else:
        assert fit.said == "does not run here: its base all-minilm-l6-v2 is not installed"
    assert fit.lacking_bytes == 0


def test_a_name_that_is_not_here_is_said(metier: Metier) -> None:
    with pytest.raises(NotFoundError):
        metier.fit("nobody")


def test_a_thousand_entries_take_no_time(metier: Metier) -> None:
    entries = [entry(GB + number, name=f"a/{number}") for number in range(1000)]
    for one in entries:
        metier.fit(one)
    best = 9.0
    for _ in range(5):
        began = time.process_time()
        for one in entries:
            metier.fit(one)
        best = min(best, time.process_time() - began)
    assert best < 0.02  # about 1 ms on a quiet machine


def test_this_machine_is_told(metier: Metier) -> None:
    here = metier.fitting.here()
    assert here.cores >= 1
    assert here.cpu_class
    assert here.room <= 4 * GB
    assert metier.fitting.speeds() is None
