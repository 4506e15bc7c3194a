from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from metier.hub.extents import cut, merged, missing, total

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def members(extents: list[tuple[int, int]]) -> set[int]:
    return {byte for start, stop in extents for byte in range(start, stop)}


@given(PAIRS)
def test_merging_keeps_the_bytes_in_few_extents(pairs: list[tuple[int, int]]) -> None:
    found = merged(pairs)
    assert members(found) == members(pairs)
    assert all(first[1] < second[0] for first, second in pairwise(found))
    assert total(pairs) == len(members(pairs))


@given(PAIRS, st.integers(0, 70))
def test_what_is_missing_is_the_rest(pairs: list[tuple[int, int]], size: int) -> None:
    assert members(missing(pairs, size)) == set(range(size)) - members(pairs)


@given(PAIRS, st.integers(1, 9))
def test_pieces_are_short_and_complete(pairs: list[tuple[int, int]], length: int) -> None:
    pieces = cut(pairs, length)
    assert members(pieces) == members(pairs)
    assert all(0 < stop - start <= length for start, stop in pieces)
