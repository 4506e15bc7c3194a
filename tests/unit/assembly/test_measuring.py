"""What an executed eval is handed: costs by class, and what a base may be."""

import pytest

from metier.assembly.measuring import cost_class


@pytest.mark.parametrize(
    ("price", "said_of_it"),
    [
        ((None, 1.0), "remote, price not known"),
        ((0.0, 0.0), "remote, free"),
        ((1.0, 5.0), "remote, about 3 per million tokens"),
        ((0.15, 0.6), "remote, about 0.3 per million tokens"),
        ((0.1, 0.1), "remote, about 0.1 per million tokens"),
        ((15.0, 75.0), "remote, about 30 per million tokens"),
    ],
)
def test_cost_classes_are_a_factor_of_three(
    price: tuple[float | None, float | None], said_of_it: str
) -> None:
    assert cost_class(*price) == said_of_it
