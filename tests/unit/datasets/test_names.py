"""The names that people give to columns and splits."""

import pytest

from metier.datasets import names


@pytest.mark.parametrize("name", ["Text", " label ", "Group-ID", "created at", "SPLIT", "Intent"])
def test_known_names_are_compared_folded(name):
    assert names.known(name)


@pytest.mark.parametrize("name", ["v1", "", "where is my card", "spam"])
def test_other_words_are_not_names(name):
    assert not names.known(name)


@pytest.mark.parametrize(
    ("value", "split"),
    [("Train", "train"), ("dev", "valid"), (" validation", "valid"), ("eval", "test"), ("0", None)],
)
def test_split_values(value, split):
    assert names.split_name(value) == split
