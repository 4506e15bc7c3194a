"""A small version of the benchmark of equal systems: the verdict is right as often as it says."""

import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "benchmarks")
    for name in ("null_evals", "record"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import null_evals

    return null_evals


@pytest.mark.parametrize(
    ("clusters", "sizes", "discordant", "source"),
    [
        (25, "30", 0.4, "dirichlet"),
        (50, "1-30", 1.0, "graded"),
        (150, "1-30", 0.1, "copy"),
    ],
)
def test_equal_systems_seldom_win_or_lose(
    benchmark: ModuleType, clusters: int, sizes: str, discordant: float, source: str
) -> None:
    shape = benchmark.Shape(clusters, sizes, discordant, source)
    found = benchmark.null_rates(shape, 1_000, 17)
    assert found["dense"]
    # The bars of 2,000 runs, widened by one standard error of 1,000 runs at 5 % and 2.5 %.
    assert 0.023 <= found["win_or_loss"] <= 0.077
    assert min(found["WIN"], found["LOSS"]) >= 0.01
    assert max(found["WIN"], found["LOSS"]) <= 0.045


def test_taking_clustered_items_as_independent_is_what_goes_wrong(benchmark: ModuleType) -> None:
    found = benchmark.null_rates(benchmark.Shape(50, "10", 0.4, "dirichlet"), 300, 18)
    assert found["naive"] > 0.25
    assert found["win_or_loss"] < 0.09


def test_few_discordant_items_only_make_it_conservative(benchmark: ModuleType) -> None:
    for shape in (
        benchmark.Shape(50, "single", 0.1, "own"),
        benchmark.Shape(10, "1-30", 0.2, "dirichlet"),
    ):
        found = benchmark.null_rates(shape, 500, 19)
        assert not found["dense"]
        assert found["win_or_loss"] <= 0.05


def test_ten_clusters_can_win(benchmark: ModuleType) -> None:
    found = benchmark.null_rates(benchmark.Shape(10, "30", 0.4, "copy"), 1_000, 21)
    assert 0.02 <= found["win_or_loss"] <= 0.065


def test_the_interval_holds_a_true_difference(benchmark: ModuleType) -> None:
    for shape in (
        benchmark.Shape(300, "single", 0.2, "own", 0.05),
        benchmark.Shape(50, "1-30", 0.2, "dirichlet", 0.1),
        benchmark.Shape(500, "1-30", 0.02, "dirichlet", -0.01),
    ):
        found = benchmark.miss_rates(shape, 400, 20)
        assert found["missed"] <= 0.085
        assert found["above"] <= 0.055


def test_bars_are_what_they_say(benchmark: ModuleType) -> None:
    assert benchmark.keeps_bars(0.025, 0.025, dense=True)
    assert not benchmark.keeps_bars(0.01, 0.01, dense=True)
    assert benchmark.keeps_bars(0.0, 0.0, dense=False)
    assert not benchmark.keeps_bars(0.041, 0.01, dense=False)
    assert not benchmark.keeps_bars(0.036, 0.036, dense=False)
