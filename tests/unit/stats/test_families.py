"""Many comparisons at once."""

import pytest

from metier.stats import groups, holm


def test_holm_is_the_step_down_of_bonferroni() -> None:
    # Worked by hand: 4 * .01, then 3 * .03 raised to it, then 2 * .04 and 1 * .05, never falling.
    assert holm([0.01, 0.04, 0.03, 0.05]) == pytest.approx([0.04, 0.09, 0.09, 0.09])
    assert holm([0.5]) == [0.5]
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([1.5])


def test_groups_are_what_cannot_be_told_apart_from_their_first() -> None:
    told = {(0, 2), (1, 3), (0, 3)}
    assert groups(4, lambda one, two: (one, two) in told) == [1, 1, 2, 2]
    assert groups(3, lambda _one, _two: False) == [1, 1, 1]
    assert groups(3, lambda _one, _two: True) == [1, 2, 3]
    assert groups(0, lambda _one, _two: True) == []
    # The second is apart from the first, the third from neither: it stays with the first.
    assert groups(3, lambda one, two: (one, two) == (0, 1)) == [1, 2, 1]
