"""A vision encoder is run once in a process of its own, which may not take much."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

import tiny_vision
from metier.engines import visiontrial
from metier.engines.visiontrial import tried_dimension
from metier.errors import CorruptError, InputError, MetierError, UnavailableError


def no_sandbox() -> None:
    raise UnavailableError("None works here.", code="no_sandbox")


@pytest.fixture(params=["confined", "plain"])
def somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr(visiontrial, "detect", no_sandbox)


@pytest.mark.usefixtures("somewhere")
def test_a_sound_one_says_how_long_its_vectors_are(tmp_path: Path) -> None:
    assert tried_dimension(tiny_vision.folder(tmp_path / "eye")) == tiny_vision.WIDTH


@pytest.mark.usefixtures("somewhere")
def test_one_that_is_not_as_described_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CorruptError) as told:
        tried_dimension(tiny_vision.folder(tmp_path / "eye", size=64))
    assert told.value.code == "bad_graph"


@pytest.mark.usefixtures("somewhere")
def test_one_that_asks_for_gigabytes_takes_none_of_ours(tmp_path: Path) -> None:
    """64 GB are refused by the allocator, 6 GB by the limit."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for gigabytes in (64, 6):
        folder = tiny_vision.folder(tmp_path / f"eye-{gigabytes}")
        (folder / "model.onnx").write_bytes(tiny_vision.greedy(gigabytes))
        with pytest.raises((InputError, CorruptError)) as told:
            tried_dimension(folder)
        assert told.value.code in ("too_large", "bad_graph")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_one_that_takes_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiontrial, "SECONDS", 0.01)
    with pytest.raises(MetierError) as told:
        tried_dimension(tiny_vision.folder(tmp_path / "eye"))
    assert told.value.code == "too_large"
    assert "0 s" in told.value.message
