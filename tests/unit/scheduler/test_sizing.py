"""Context and slots from bytes: at least 4,096 where it fits, at most what was trained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import UnavailableError
from metier.generating import Loading
from metier.scheduler import Needs, Shape, scratch_bytes, sized
from metier.scheduler.sizing import gibibytes

GIB = 1 << 30
LLAMA = Shape(weights=5 * GIB, trained=131_072, cache=131_072, scratch=300 << 20)
"""The shape of an 8-billion-parameter model of four bits."""


def test_the_buffers_of_a_known_model() -> None:
    assert scratch_bytes(128_256, 4096, 14_336) == 512 * 4 * (128_256 + 6 * 4096 + 2 * 14_336)


def test_much_memory_gives_much_context_and_all_slots() -> None:
    found = sized(LLAMA, Loading(), 64 * GIB)
    assert (found.loading.num_ctx, found.loading.slots) == (8192, 4)
    assert found.needs.mapped == 5 * GIB
    assert found.needs.total <= 64 * GIB


def test_slots_are_given_up_before_the_least_context() -> None:
    found = sized(LLAMA, Loading(), 8 * GIB)
    assert found.loading.slots == 2
    assert found.loading.num_ctx is not None
    assert found.loading.num_ctx >= 4096


def test_less_than_the_least_where_no_more_fits() -> None:
    fixed = 5 * GIB + int(5 * GIB * 0.02) + (300 << 20) + (64 << 20)
    found = sized(LLAMA, Loading(), fixed + 1000 * 131_072)
    assert (found.loading.num_ctx, found.loading.slots) == (768, 1)


def test_a_context_that_is_asked_for_is_kept() -> None:
    assert sized(LLAMA, Loading(num_ctx=5000), 64 * GIB).loading.num_ctx == 5120
    assert sized(LLAMA, Loading(num_ctx=10**6), 64 * GIB).loading.num_ctx == 131_072
    assert sized(LLAMA, Loading(num_ctx=100), 64 * GIB).loading.num_ctx == 256
    short = Shape(weights=1, trained=1000, cache=8)
    assert sized(short, Loading(num_ctx=4096), GIB).loading.num_ctx == 768
    assert sized(short, Loading(), GIB).loading.num_ctx == 768
    assert sized(Shape(weights=1, trained=77, cache=8), Loading(), GIB).loading.num_ctx == 77


def test_a_context_without_room_names_both_numbers_and_what_fits() -> None:
    with pytest.raises(UnavailableError) as told:
        sized(LLAMA, Loading(num_ctx=65_536), 8 * GIB)
    error = told.value
    assert error.code == "no_memory"
    assert "13.5 GiB" in error.message
    assert "8.0 GiB are at hand" in error.message
    assert error.remedy is not None
    assert "num_ctx of at most" in error.remedy
    fits = int(error.remedy.split("at most ")[1].split(",")[0])
    assert sized(LLAMA, Loading(num_ctx=fits), 8 * GIB).loading.slots == 1


def test_weights_without_room_name_both_numbers() -> None:
    with pytest.raises(UnavailableError, match=r"4\.0 GiB are at hand") as told:
        sized(LLAMA, Loading(), 4 * GIB)
    assert told.value.remedy is not None
    assert "quantisation" in told.value.remedy


def test_weights_that_are_not_mapped_are_private() -> None:
    assert sized(LLAMA, Loading(use_mmap=False), 64 * GIB).needs.mapped == 0
    whole = sized(LLAMA, Loading(), 64 * GIB).needs.total
    assert sized(LLAMA, Loading(use_mmap=False), 64 * GIB).needs.total == whole


def test_a_model_without_a_cache_gets_what_it_was_trained_for() -> None:
    shape = Shape(weights=100 << 20, trained=512, slots=1)
    found = sized(shape, Loading(), GIB)
    assert (found.loading.num_ctx, found.loading.slots) == (512, 1)
    assert Needs(1, 2).total == 3


@given(
    weights=st.integers(1, 40 * GIB),
    trained=st.integers(0, 1 << 20),
    cache=st.integers(0, 1 << 20),
    room=st.integers(0, 80 * GIB),
    asked=st.one_of(st.none(), st.integers(1, 1 << 21)),
)
def test_what_is_given_fits(
    weights: int, trained: int, cache: int, room: int, asked: int | None
) -> None:
    shape = Shape(weights=weights, trained=trained, cache=cache)
    try:
        found = sized(shape, Loading(num_ctx=asked), room)
    except UnavailableError as error:
        assert error.details["needed_bytes"] > error.details["at_hand_bytes"]  # noqa: PT017
        return
    context = found.loading.num_ctx
    assert context is not None
    assert context > 0
    assert found.needs.total <= room
    assert context % 256 == 0 or context == trained
    if trained:
        assert context <= trained


def test_bytes_for_people() -> None:
    assert gibibytes(300 << 20) == "300 MiB"
    assert gibibytes(GIB * 3 // 2) == "1.5 GiB"
