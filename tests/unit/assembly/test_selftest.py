"""The self-benchmark of a home: what is measured, kept, read again and void elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.assembly import Metier
from metier.assembly.selftest import SelfTest, multiplied_by
from metier.errors import InputError, UnavailableError
from metier.fitting import Here
from metier.settings import Settings

HERE = Here("a processor", "x86-64-v3", 1, 1 << 34, 1 << 33, 1 << 33)


def no_engine(_residence: Any) -> Any:
    raise UnavailableError("There is no sandbox here.", code="no_sandbox")


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    opened = Metier.open(Settings(home=tmp_path))
    opened.install_starters(lambda _: None)
    return opened


def test_specialists_are_asked_and_the_file_is_kept(metier: Metier, tmp_path: Path) -> None:
    test = SelfTest(tmp_path / "speeds.json", metier.fleet, metier._answering, no_engine)
    assert test.speeds() is None
    found = test.measure(HERE, cancelled=lambda: False)
    # Those over an encoder answer only where its package is installed.
    assert found.ms_per_text
    assert set(found.ms_per_text) <= {str(item.system) for item in metier.list()}
    assert all(0 < value < 1000 for value in found.ms_per_text.values())
    assert found.bytes_per_second == {}
    assert (found.cpu_class, found.cores) == ("x86-64-v3", 1)
    assert test.speeds() == found
    again = SelfTest(tmp_path / "speeds.json", metier.fleet, metier._answering, no_engine)
    assert again.speeds() == found


def test_a_damaged_file_is_as_none(metier: Metier, tmp_path: Path) -> None:
    file = tmp_path / "speeds.json"
    test = SelfTest(file, metier.fleet, metier._answering, no_engine)
    for damaged in ("", "[]", '{"date": 1}'):
        file.write_text(damaged, "utf-8")
        assert test.speeds() is None


def test_without_anything_to_measure_the_reason_is_raised(tmp_path: Path) -> None:
    empty = Metier.open(Settings(home=tmp_path))
    test = SelfTest(tmp_path / "speeds.json", empty.fleet, empty._answering, no_engine)
    with pytest.raises(UnavailableError):
        test.measure(HERE, cancelled=lambda: False)
    assert not (tmp_path / "speeds.json").exists()


def test_it_can_be_given_up_and_keeps_nothing(metier: Metier, tmp_path: Path) -> None:
    test = SelfTest(tmp_path / "speeds.json", metier.fleet, metier._answering, no_engine)
    with pytest.raises(InputError):
        test.measure(HERE, cancelled=lambda: True)
    assert test.speeds() is None


def test_an_encoders_layers_are_counted(metier: Metier) -> None:
    bases = [item for item in metier.list() if item.manifest.part("base.json") is not None]
    for base in bases:  # none where its package is not installed
        assert multiplied_by(metier.fleet, base) == 6 * (4 * 384 * 384 + 2 * 384 * 1536)
    assert multiplied_by(metier.fleet, metier.show("banking-intents")) == 0
