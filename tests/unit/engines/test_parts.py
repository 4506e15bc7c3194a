"""Parts: what was packed comes back, and what does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save

from metier.engines.parts import (
    Member,
    SpecialistFile,
    pack_hashed,
    pack_head,
    unpack,
)
from metier.errors import CorruptError
from metier.heads import LinearHead

LINEAR = Member(kind="linear", file="linear.safetensors", buckets=64, words=(1,), characters=(2, 3))
HEAD = Member(kind="encoder", file="head.safetensors", precision="fp32")


def head(features: int, labels: int = 3) -> LinearHead:
    chance = np.random.default_rng(0)
    return LinearHead(
        chance.normal(size=(features, labels)).astype(np.float32),
        chance.normal(size=labels).astype(np.float32),
    )


def test_a_head_over_vectors_comes_back_exactly() -> None:
    original = head(5)
    again, idf = unpack(HEAD, 3, lambda _: pack_head(original), 5)
    assert idf is None
    np.testing.assert_array_equal(again.weights, original.weights)
    np.testing.assert_array_equal(again.bias, original.bias)


def test_hashed_words_come_back_within_half_a_step() -> None:
    original, idf = head(64), np.linspace(1, 9, 64).astype(np.float32)
    again, weights = unpack(LINEAR, 3, lambda _: pack_hashed(idf, original), None)
    step = np.abs(original.weights).max(axis=0) / 127
    assert np.all(np.abs(again.weights - original.weights) <= step / 2 + 1e-6)
    assert weights is not None
    np.testing.assert_allclose(weights, idf, rtol=1e-3)


def test_a_table_of_77_labels_and_8192_buckets_is_below_a_megabyte() -> None:
    packed = pack_hashed(np.ones(8192, np.float32), head(8192, 77))
    assert len(packed) < 1_000_000


@pytest.mark.parametrize(
    ("tensors", "what"),
    [
        ({"weights": np.zeros((4, 3), np.float32)}, "bias"),
        ({"weights": np.zeros((5, 2), np.float32), "bias": np.zeros(3, np.float32)}, "weights"),
        ({"weights": np.zeros((5, 3), np.float64), "bias": np.zeros(3, np.float32)}, "weights"),
        (
            {"weights": np.full((5, 3), np.nan, np.float32), "bias": np.zeros(3, np.float32)},
            "finite",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(tensors, what) -> None:
    tensors.setdefault("weights", np.zeros((5, 3), np.float32))
    if what == "bias":
        tensors = {"weights": np.zeros((5, 3), np.float32)}
    with pytest.raises(CorruptError, match=what):
        unpack(HEAD, 3, lambda _: save(tensors), 5)


def test_bytes_that_are_no_safetensors_are_refused() -> None:
    with pytest.raises(CorruptError, match="not a safetensors"):
        unpack(HEAD, 3, lambda _: b"\x80\x04junk", 5)


def test_specialist_json_comes_back() -> None:
    original = SpecialistFile(labels=("a", "b"), members=(LINEAR,), abstain_below=0.4)
    assert SpecialistFile.from_bytes(original.to_bytes()) == original


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["a", "a"]},
        {"labels": []},
        {"out_of_scope_label": "a"},
        {"members": []},
        {"members": [{"kind": "encoder", "file": "head.safetensors", "precision": "fp32"}]},
        {"members": [{"kind": "linear", "file": "x", "buckets": 100, "words": [1]}]},
        {"members": [{"kind": "linear", "file": "x"}]},
        {"members": [{"kind": "linear", "file": "x", "buckets": 1 << 40, "words": [1]}]},
        {"abstain_below": 1.5},
        {"surprise": 1},
    ],
)
def test_an_inconsistent_specialist_is_refused(change) -> None:
    document = {
        "labels": ["a", "b"],
        "members": [{"kind": "linear", "file": "x", "buckets": 64, "words": [1]}],
        **change,
    }
    import json

    with pytest.raises(CorruptError) as caught:
        SpecialistFile.from_bytes(json.dumps(document).encode())
    assert caught.value.code == "bad_specialist"
