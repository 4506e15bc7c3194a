"""Power and size of an eval, against the published table and each other."""

import numpy as np
import pytest

from metier.stats import mcnemar_p
from metier.stats.power import detectable_difference, needed_items, power, widening


@pytest.mark.parametrize(
    ("discordant", "difference", "items"),
    [(0.05, 0.02, 973), (0.1, 0.02, 1_954), (0.2, 0.03, 1_736), (0.3, 0.05, 934), (0.3, 0.1, 228)],
)
def test_needed_items_are_the_table(discordant: float, difference: float, items: int) -> None:
    assert needed_items(difference, discordant) == pytest.approx(items, abs=1)


@pytest.mark.parametrize(
    ("discordant", "n", "points"),
    [(0.05, 300, 3.6), (0.1, 1_000, 2.8), (0.2, 3_000, 2.3), (0.3, 300, 8.75)],
)
def test_detectable_differences_are_the_table(discordant: float, n: int, points: float) -> None:
    assert detectable_difference(n, discordant) * 100 == pytest.approx(points, abs=0.06)


def test_the_three_agree() -> None:
    n = needed_items(0.03, 0.2)
    assert power(n, 0.03, 0.2) == pytest.approx(0.8, abs=1e-3)
    assert detectable_difference(n, 0.2) == pytest.approx(0.03, abs=1e-4)
    assert needed_items(0.03, 0.2, design=3.0) == pytest.approx(3 * n, abs=3)
    assert power(3 * n, 0.03, 0.2, design=3.0) == pytest.approx(0.8, abs=1e-3)
    assert power(n, -0.03, 0.2) == power(n, 0.03, 0.2)


def test_power_is_what_a_simulation_finds() -> None:
    generator = np.random.default_rng(8)
    counts = generator.multinomial(600, [0.125, 0.075, 0.8], size=2_000)
    found = np.mean([mcnemar_p(int(win), int(loss)) < 0.05 for win, loss, _ in counts])
    # The exact test is a little weaker than the normal approximation says.
    assert power(600, 0.05, 0.2) - 0.06 <= found <= power(600, 0.05, 0.2) + 0.02


def test_six_discordant_items_are_always_needed() -> None:
    assert needed_items(0.05, 0.05) >= 120
    assert detectable_difference(50, 0.1) == 1.0
    assert detectable_difference(65, 0.1) == 1.0
    assert detectable_difference(80, 0.1) <= 0.1


@pytest.mark.parametrize(("difference", "discordant"), [(0.2, 0.1), (0.1, 1.2)])
def test_impossible_shares_are_refused(difference: float, discordant: float) -> None:
    with pytest.raises(ValueError, match="discordant"):
        power(100, difference, discordant)


def test_no_items_show_no_difference() -> None:
    with pytest.raises(ValueError, match="difference of 0"):
        needed_items(0.0, 0.1)
    with pytest.raises(ValueError, match="positive"):
        power(0, 0.1, 0.2)
    assert power(10, 0.0, 0.0) == 0.0
    assert power(10, 1.0, 1.0) == 1.0
    assert widening() == pytest.approx(1.4294, abs=1e-3)
