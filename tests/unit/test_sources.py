"""Where local sources lie: found by digest, and only a convenience."""

from __future__ import annotations

import json

import pytest

from metier.errors import StorageError
from metier.recipe import Recipe
from metier.sources import Sources

ONE, TWO = "1" * 64, "2" * 64


def recipe(**part) -> Recipe:
    return Recipe.model_validate({"specialist": {"name": "mine"}, "data": [part]})


def test_a_source_is_found_by_its_digest(tmp_path) -> None:
    sources = Sources(tmp_path / "sources.json")
    sources.add({ONE: "/here/one.csv"})
    sources.add({TWO: "/here/two.csv"})
    sources.add({})
    found = sources.find(recipe(kind="file", path="one.csv", rows_sha256=ONE))
    assert found.data[0].path == "/here/one.csv"
    found = sources.find(recipe(kind="file", path="two.csv", rows_sha256=TWO))
    assert found.data[0].path == "/here/two.csv"


def test_what_moved_is_found_where_it_was_seen_last(tmp_path) -> None:
    sources = Sources(tmp_path / "sources.json")
    sources.add({ONE: "/before.csv"})
    sources.add({ONE: "/after.csv"})
    found = sources.find(recipe(kind="file", path="a.csv", rows_sha256=ONE))
    assert found.data[0].path == "/after.csv"


def test_unknown_and_remote_sources_stay_as_they_are(tmp_path) -> None:
    sources = Sources(tmp_path / "sources.json")
    sources.add({ONE: "/here/one.csv"})
    unknown = recipe(kind="file", path="a.csv", rows_sha256=TWO)
    unsealed = recipe(kind="file", path="a.csv")
    git = recipe(kind="git", url="https://x", commit="a" * 40, path="a.csv", rows_sha256=ONE)
    for one in (unknown, unsealed, git):
        assert sources.find(one) == one


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"%s": 5}' % ONE.encode()])
def test_a_damaged_table_is_an_empty_one(tmp_path, content) -> None:
    path = tmp_path / "sources.json"
    path.write_bytes(content)
    one = recipe(kind="file", path="a.csv", rows_sha256=ONE)
    assert Sources(path).find(one) == one
    Sources(path).add({TWO: "/b.csv"})
    assert json.loads(path.read_text()) == {TWO: "/b.csv"}


def test_a_table_that_cannot_be_written_is_said(tmp_path) -> None:
    with pytest.raises(StorageError):
        Sources(tmp_path / "nowhere" / "sources.json").add({ONE: "/x"})
    assert list(tmp_path.iterdir()) == []
