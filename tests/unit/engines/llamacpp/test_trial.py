"""The trial finds each trap when its guard is left out, and passes when all are there."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from metier.engines.llamacpp import LocalWorker
from metier.engines.llamacpp.trial import MOST_NATS, apart
from metier.errors import UnavailableError
from metier.generating import Residence

Open = Callable[..., LocalWorker]


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize(
    ("trap", "step"),
    [("host_cache", "sha256:2 on prompt 1"), ("short_list", "no adapter on prompt 1")],
)
def test_a_trap_that_is_open_is_found(
    trap: str, step: str, parallel: int, open_one: Open, residence: Residence
) -> None:
    with pytest.raises(UnavailableError) as caught:
        open_one(residence, traps=(trap,), parallel=parallel)
    assert caught.value.code == "engine_failed"
    assert "mixes up adapters" in caught.value.message
    assert caught.value.details["nats"] > 5 * MOST_NATS
    assert caught.value.details["sequence"][-1] == step


@pytest.mark.parametrize("parallel", [1, 4])
def test_closed_traps_pass(parallel: int, open_one: Open, residence: Residence) -> None:
    began = time.monotonic()
    assert open_one(residence, parallel=parallel).alive
    assert time.monotonic() - began < 20


def test_how_far_distributions_are_apart() -> None:
    assert apart({1: -0.5, 2: -1.0}, {1: -0.5, 2: -1.25}) == 0.25
    assert apart({1: -0.5, 3: -1.0}, {1: -0.5, 2: -1.5}) == 0.5
    assert apart({1: -0.5}, {1: -0.5}) == 0.0
    assert apart({}, {1: -0.5}) == apart({}, {}) == float("inf")
