"""What the installed build computes on."""

from __future__ import annotations

import sys

import pytest

from metier.engines.llamacpp.devices import build, devices


def test_the_build_of_the_registry_uses_the_processor_only() -> None:
    assert devices() == ()
    assert build().startswith("xllamacpp 20")


def test_without_the_library_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert devices() == ()
