from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.tools.python.inside.values import BrokenValueError, Decoder, Encoder, FoundMatch


def refuse(value: Any, _: Any) -> list[Any]:
    raise TypeError(type(value).__name__)


def sent(value: Any) -> Any:
    """The value after its way through a line of JSON."""
    encoder = Encoder(refuse)
    line = json.dumps([encoder.write(value), encoder.nodes])
    reference, nodes = json.loads(line)
    return Decoder(nodes, refuse).read(reference)


SAMPLES: list[Any] = [
    *(None, True, False, 0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 10**5000, 1.5, -0.0, 1e300),
    *(math.inf, -math.inf, 1 + 2j, complex(math.inf, -0.0), "", "ü\ud800\0", b"\xff\0"),
    *([], [1, [2, [3]]], (), (1, (2,)), set(), {1, (2, 3)}, frozenset({1, frozenset({2})}), {}),
    *({1: "a", (1, 2): [3], None: {}}, {"b": 1, "a": 2}, bytearray(b"xy"), deque([1, 2], 5)),
    *(Counter("abca"), OrderedDict([("b", 1), ("a", 2)]), defaultdict(list, {1: [2]})),
    *(Decimal("1.10"), Decimal("NaN").copy_abs(), Fraction(-3, 7), date(2026, 1, 2)),
    *(time(1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 6), datetime.now(UTC)),
    *(timedelta(-1, 2, 3), range(1, 10**30, 3), Path("a/b"), re.compile("a+", re.IGNORECASE)),
    *(int, list, ValueError, Counter, len, sorted, Ellipsis, NotImplemented),
]


@pytest.mark.parametrize("value", SAMPLES, ids=range(len(SAMPLES)))
def test_a_value_arrives_as_it_was(value: Any) -> None:
    found = sent(value)
    assert type(found) is type(value)
    assert found == value or repr(found) == repr(value)


def test_nan_and_zero_keep_their_kind() -> None:
    found = sent([math.nan, -0.0, 1, 1.0, True])
    assert math.isnan(found[0])
    assert math.copysign(1, found[1]) == -1
    assert [type(one) for one in found[2:]] == [int, float, bool]


def test_ordered_counted_and_bounded_kinds_keep_what_is_theirs() -> None:
    found = sent(
        {"order": OrderedDict(b=1, a=2), "deque": deque([1], 3), "factory": defaultdict(int)}
    )
    assert list(found["order"]) == ["b", "a"]
    assert found["deque"].maxlen == 3
    assert found["factory"]["new"] == 0


def test_views_of_a_dictionary_are_views() -> None:
    keys, values, items = sent(({"a": 1}.keys(), {"a": [1]}.values(), {"a": 1}.items()))
    assert keys == {"a"}
    assert list(values) == [[1]]
    assert items == {("a", 1)}


def test_one_object_stays_one_object() -> None:
    inner = [1]
    found = sent([inner, inner, (inner,)])
    assert found[0] is found[1] is found[2][0]


def test_a_cycle_arrives() -> None:
    loop: list[Any] = [1]
    loop.append({"self": (loop,)})
    found = sent(loop)
    assert found[1]["self"][0] is found


@pytest.mark.parametrize("kind", [list, tuple])
def test_nesting_has_no_limit(kind: Any) -> None:
    deep: Any = kind()
    depth = sys.getrecursionlimit() * 20
    for _ in range(depth):
        deep = kind([deep])
    found, count = sent(deep), 0
    while found:
        found, count = found[0], count + 1
    assert count == depth


def test_a_match_keeps_its_groups() -> None:
    match = re.search(r"(?P<year>\d+)-(x)?", "in 2026-")
    assert match is not None
    found = sent(match)
    assert isinstance(found, FoundMatch)
    for ask in ("group()", "group(1)", "group('year', 1)", "groups()", "groups('-')", "span()"):
        assert eval(f"found.{ask}") == eval(f"match.{ask}"), ask
    assert (found.start(1), found.end("year"), found[1]) == (3, 7, "2026")
    assert found.groupdict() == match.groupdict()
    with pytest.raises(KeyError):
        found.group("month")


@pytest.mark.parametrize("value", [object(), lambda: 1, sys, open])
def test_the_rest_is_lent(value: Any) -> None:
    with pytest.raises(TypeError):
        sent(value)


def test_arguments_travel_back_as_themselves() -> None:
    first, second = [1], {"a": 2}
    encoder = Encoder(refuse, [first, (1,), second])
    assert encoder.write([second, first]) == [0]
    assert encoder.nodes == [["list", [["a", 2], ["a", 0]]]]
    found = Decoder(encoder.nodes, refuse, [first, (1,), second]).read([0])
    assert found[0] is second
    assert found[1] is first


def test_a_container_takes_other_contents() -> None:
    for before, after in (
        ([1, 2], [3]),
        ({1: 2}, {3: [4]}),
        ({1}, {2, 3}),
        (deque([1]), deque([2])),
        (bytearray(b"a"), bytearray(b"bc")),
        (defaultdict(int, a=1), defaultdict(int, b=2)),
    ):
        encoder = Encoder(refuse)
        node = encoder.contents(after)
        Decoder(encoder.nodes, refuse).fill(before, node)
        assert before == after


BROKEN: list[tuple[Any, Any]] = [
    ([["tuple", [[0]]]], [0]),
    ([["tuple", [[1]]], ["tuple", [[0]]]], [0]),
    ([["set", [[1]]], ["list", []]], [0]),
    ([["nonsense", []]], [0]),
    ([], [5]),
    ([], ["i", "xyz"]),
    ([], ["n", "eval"]),
    ([], ["Fraction", "1", "0"]),
    ([], ["re", "(", 0]),
    ([["dict", [1]]], [0]),
    ([["list"]], [0]),
    ([["match", []]], [0]),
    ("abc", [0]),
    ([], ["d"]),
]


@pytest.mark.parametrize(("nodes", "reference"), BROKEN)
def test_a_broken_table_is_one_kind_of_error(nodes: Any, reference: Any) -> None:
    def borrow(reference: Any, read: Any) -> Any:
        return reference[7]

    with pytest.raises(BrokenValueError):
        Decoder(nodes, borrow).read(reference)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers() | st.text() | st.tuples(st.integers()), inner)
        | st.sets(st.integers() | st.text())
    ),
)


@given(VALUES)
def test_any_plain_value_arrives(value: Any) -> None:
    found = sent(value)
    assert found == value
    assert repr(found) == repr(value) or isinstance(value, set) or "{" in repr(value)
