from __future__ import annotations

import pytest

from metier.card import Cost
from metier.errors import InputError
from metier.router.costs import class_name, most_rank, rank

GB = 10**9
IN_ORDER = (
    Cost(size_bytes=1000),
    Cost(size_bytes=3 * GB),
    Cost(size_bytes=3 * GB, shared_bytes=2 * GB),
    Cost(size_bytes=16 * GB),
    Cost(size_bytes=17 * GB),
    Cost(size_bytes=200 * GB),
    Cost(cost_class="remote", price_per_million_tokens=0.0),
    Cost(cost_class="remote", price_per_million_tokens=0.1),
    Cost(cost_class="remote", price_per_million_tokens=0.4),
    Cost(cost_class="remote", price_per_million_tokens=3.0),
    Cost(cost_class="remote"),
)


def test_classes_have_an_order() -> None:
    ranks = [rank(cost) for cost in IN_ORDER]
    assert ranks == sorted(set(ranks))


def test_a_class_reads_as_it_is_written() -> None:
    names = [class_name(cost) for cost in IN_ORDER]
    assert names[:6] == ["1 GB", "4 GB", "8 GB", "16 GB", "32 GB", "this machine"]
    assert names[6:] == ["remote 0", "remote 0.11", "remote 0.33", "remote 3", "remote"]
    assert [most_rank(name) for name in names] == [rank(cost) for cost in IN_ORDER]


def test_prices_within_a_factor_of_three_are_one_class() -> None:
    def priced(price: float) -> int:
        return rank(Cost(price_per_million_tokens=price))

    assert priced(0.25) == priced(0.5)
    assert priced(0.25) < priced(0.8)


@pytest.mark.parametrize("said", ["8GB", "up to 8 GB", "this machine, up to 8 GB", "here: 8 gb"])
def test_people_write_it_in_several_ways(said: str) -> None:
    assert most_rank(said) == rank(Cost(size_bytes=8 * GB))


@pytest.mark.parametrize("said", ["", "cheap", "8 TB", "remote: -1", "GB", "9" * 5000 + " GB"])
def test_what_is_no_class_is_refused(said: str) -> None:
    with pytest.raises(InputError) as caught:
        most_rank(said)
    assert caught.value.code == "bad_cost_class"
