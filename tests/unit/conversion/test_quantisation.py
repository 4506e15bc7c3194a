"""Integers stay near what they stand for and never overflow; scales do not depend on the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import tiny_bert
from metier.conversion.calibration import Ranges
from metier.conversion.quantisation import (
    EXACT_CHANNELS,
    build_int8,
    quantise_rows,
    quantise_weight,
    smoothing_factors,
)
from metier.conversion.upstream import read_upstream

WEIGHTS = array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
    lambda shape: arrays(
        np.float32, (shape[0], 2 * shape[1]), elements=st.floats(-100, 100, width=32)
    )
)


@given(WEIGHTS)
def test_no_pair_of_weights_overflows_16_bits(weight: np.ndarray) -> None:
    integers, scales = quantise_weight(weight)
    wide = integers.astype(np.int64)
    assert np.abs(wide).max() <= 127
    assert 255 * np.abs(wide[:, 0::2] + wide[:, 1::2]).max() < 2**15
    assert (np.abs(integers * scales[:, None] - weight) <= scales[:, None] * 0.5001).all()


@given(WEIGHTS)
def test_rows_come_back(rows: np.ndarray) -> None:
    integers, scales = quantise_rows(rows)
    assert (np.abs(integers * scales[:, None] - rows) <= scales[:, None] * 0.5001).all()


def test_zeros_stay_zeros() -> None:
    for quantise in (quantise_rows, quantise_weight):
        integers, scales = quantise(np.zeros((2, 4), np.float32))
        assert not integers.any()
        assert np.isfinite(scales).all()


def test_smoothing_narrows_the_widest_channel() -> None:
    random = np.random.default_rng(3)
    weight = random.normal(size=(16, 8)).astype(np.float32)
    largest = np.float32([1, 1, 1, 1, 1, 1, 1, 30])
    factors = smoothing_factors(Ranges(-largest, largest), [weight])
    smooth = largest / factors
    assert smooth.max() / smooth.min() < 6
    assert abs(np.log(factors).mean()) < 1e-6


def test_the_graph_needs_no_other_file_and_no_dynamic_scale(tmp_path: Path) -> None:
    model = build_int8(read_upstream(tiny_bert.make_folder(tmp_path)))
    assert not any(constant.external_data for constant in model.graph.initializer)
    operators = {node.op_type for node in model.graph.node}
    assert "MatMulIntegerToFloat" in operators
    assert not operators & {"DynamicQuantizeLinear", "DynamicQuantizeMatMul"}
    exact = [one for one in model.graph.initializer if one.name.endswith(".exact")]
    assert [list(one.dims) for one in exact] == [[EXACT_CHANNELS]] * tiny_bert.LAYERS
