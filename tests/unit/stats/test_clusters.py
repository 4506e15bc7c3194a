"""The clustered mean: agrees with textbook cases and with matrices written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from metier.stats.clusters import blended_design, clustered_mean


def test_independent_items_give_the_usual_standard_error() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.5, 0.25])
    found = clustered_mean(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.variance == pytest.approx(values.var(ddof=1) / values.size)
    assert found.freedom == pytest.approx(4.0)
    assert (found.n, found.clusters, found.worst_design) == (5, 5, 1.0)


def test_equal_clusters_give_the_standard_error_of_their_means() -> None:
    values = np.random.default_rng(3).normal(size=60)
    clusters = np.repeat(np.arange(12), 5)
    means = values.reshape(12, 5).mean(axis=1)
    found = clustered_mean(values, clusters)
    assert found.variance == pytest.approx(means.var(ddof=1) / 12)
    assert found.freedom == pytest.approx(11.0)
    assert found.worst_design == pytest.approx(5.0)


def test_copies_of_an_item_add_nothing() -> None:
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    copied = clustered_mean(np.repeat(values, 30), np.repeat(np.arange(6), 30))
    single = clustered_mean(values)
    assert copied.variance == pytest.approx(single.variance)
    assert copied.design == pytest.approx(30.0)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=9),
    seed=st.integers(0, 1_000),
)
def test_variance_and_freedom_equal_the_matrices_written_out(sizes: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    n = clusters.size
    values = generator.normal(size=n) + generator.normal(size=len(sizes))[clusters]
    found = clustered_mean(values, clusters)
    residuals = values - values.mean()
    projector = np.eye(n) - np.ones((n, n)) / n
    squares = float(residuals @ residuals)
    design = np.bincount(clusters, weights=residuals) @ np.bincount(clusters, weights=residuals)
    worst = float(np.square(sizes).sum() / n)
    correlation = 0.0 if worst <= 1 else np.clip((design / squares - 1) / (worst - 1), 0, 1)
    working = np.eye(n) * (1 - correlation) + correlation * (clusters[:, None] == clusters[None, :])
    rows = []
    variance = 0.0
    for cluster in range(len(sizes)):
        inside = clusters == cluster
        block = projector[np.ix_(inside, inside)]
        values_of, vectors = np.linalg.eigh(block)
        root = vectors @ np.diag(values_of**-0.5) @ vectors.T
        variance += float(np.ones(inside.sum()) @ root @ residuals[inside]) ** 2 / n**2
        rows.append(projector[:, inside] @ root @ np.ones(inside.sum()) / n)
    contrasts = np.array(rows)
    covariance = contrasts @ working @ contrasts.T
    freedom = np.trace(covariance) ** 2 / np.trace(covariance @ covariance)
    assert_allclose(found.variance, variance, rtol=1e-8)
    assert_allclose(found.freedom, freedom, rtol=1e-8)


def test_one_dominant_cluster_leaves_few_degrees_of_freedom() -> None:
    generator = np.random.default_rng(1)
    clusters = np.concatenate([np.zeros(100, dtype=int), np.arange(1, 31)])
    values = generator.normal(size=31)[clusters]
    assert clustered_mean(values, clusters).freedom < 3.0


def test_equal_values_have_no_variance() -> None:
    found = clustered_mean([0.1] * 7, list("aabbccc"))
    assert found.variance == 0.0
    assert found.design == 1.0


def test_a_single_cluster_has_no_freedom() -> None:
    found = clustered_mean([0.0, 1.0, 1.0], ["a", "a", "a"])
    assert (found.freedom, found.variance, found.clusters) == (0.0, 0.0, 1)


@pytest.mark.parametrize("values", [[], [[1.0]], [float("nan")], [float("inf"), 0.0]])
def test_values_must_be_a_row_of_finite_numbers(values: list[object]) -> None:
    with pytest.raises(ValueError, match="values must be"):
        clustered_mean(values)


def test_clusters_must_match() -> None:
    with pytest.raises(ValueError, match="2 clusters were given for 3 items"):
        clustered_mean([0.0, 1.0, 1.0], ["a", "b"])


def test_without_events_the_worst_is_assumed_and_with_many_the_data_speak() -> None:
    assert blended_design(1.0, 30.0, 0) == 30.0
    assert blended_design(1.0, 30.0, 1) == 15.5
    assert blended_design(5.0, 30.0, 10_000) == pytest.approx(5.0, abs=0.01)
    assert blended_design(0.2, 1.0, 50) == 1.0
    assert blended_design(0.2, 1.0, 1e9, least=0.0) == pytest.approx(0.2)
