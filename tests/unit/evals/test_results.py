"""Results: canonical bytes, a digest without timings, and damaged files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.errors import CorruptError, InputError, NotFoundError, StorageError
from metier.evals.results import (
    Result,
    ResultItem,
    Timings,
    answer_digest,
    read_result,
    timings_path,
    write_result,
)

SYSTEM = "sha256:" + "1" * 64
EVAL = "sha256:" + "2" * 64


def result(*items: ResultItem, **changes: object) -> Result:
    fields: dict[str, object] = {
        "system": SYSTEM,
        "system_name": "banking",
        "eval_fingerprint": EVAL,
        "scorer": "accuracy",
        "items": items or ITEMS,
        "toolchain": {"numpy": "2.4.6"},
        "timings": Timings("2026-11-12T10:00:00+00:00", {"a": 0.001, "b": 0.003, "c": 0.002}),
    }
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


ITEMS = (
    ResultItem("b", "b", 0.0, answer_digest("card")),
    ResultItem("a", "group:1", 1.0, answer_digest("transfer"), "2026-03-01", 12, 3),
    ResultItem("c", "c", "unscored"),
)


def test_the_file_is_short_and_sorted() -> None:
    lines = result().to_bytes().decode().splitlines()
    assert lines[0] == (
        f'{{"eval":"{EVAL}","format":"metier.result/1","items":3,"scorer":"accuracy",'
        f'"system":"{SYSTEM}","system_name":"banking","toolchain":{{"numpy":"2.4.6"}}}}'
    )
    assert lines[1] == (
        '{"answer":"'
        + answer_digest("transfer")
        + '","cluster":"group:1","date":"2026-03-01","id":"a","outcome":1,'
        '"tokens_in":12,"tokens_out":3}'
    )
    assert lines[3] == '{"id":"c","outcome":"unscored"}'


def test_the_digest_leaves_timings_out_and_nothing_else() -> None:
    one = result()
    assert one.digest == result(timings=None).digest
    assert one.digest == result(*reversed(ITEMS)).digest
    assert one == result(timings=None)
    for change in (
        {"system": EVAL},
        {"system_name": "other"},
        {"eval_fingerprint": SYSTEM},
        {"scorer": "other"},
        {"toolchain": {}},
        {"items": ITEMS[:2]},
        {"items": (*ITEMS[:2], ResultItem("c", "c", 0.0))},
    ):
        assert result(**change).digest != one.digest, change


def test_unscored_is_not_zero_and_abstained_is_not_unscored() -> None:
    found = result(
        ResultItem("a", "a", 0.0), ResultItem("b", "b", "unscored"), ResultItem("c", "c", 1.0, "x")
    )
    assert [item.id for item in found.scored] == ["a", "c"]
    assert [item.abstained for item in found.items] == [True, False, False]


outcomes = st.one_of(st.just("unscored"), st.floats(0, 1), st.sampled_from([0.0, 1.0]))
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            ResultItem,
            id=names,
            cluster=names,
            outcome=outcomes,
            answer=st.none() | names,
            date=st.none() | names,
            tokens_in=st.integers(0, 10**9),
            tokens_out=st.integers(0, 10**9),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda item: item.id,
    )
)
def test_a_file_gives_the_same_result(
    tmp_path_factory: pytest.TempPathFactory, items: list[ResultItem]
) -> None:
    path = tmp_path_factory.mktemp("results") / "general.jsonl"
    seconds = {item.id: 0.25 for item in items}
    written = result(*items, timings=Timings("2026-11-12", seconds, {"cores": 2}))
    write_result(path, written)
    found = read_result(path)
    assert found == written
    assert found.digest == written.digest
    assert found.timings == written.timings
    assert found.to_bytes() == path.read_bytes()


def test_timings_of_another_result_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "base.jsonl"
    write_result(path, result())
    assert timings_path(path).name == "base.timings.json"
    path.write_bytes(result(ITEMS[0]).to_bytes())
    assert read_result(path).timings is None
    timings_path(path).unlink()
    assert read_result(path).timings is None
    timings_path(path).write_bytes(b"{")
    with pytest.raises(StorageError, match=r"base\.timings\.json cannot be read"):
        read_result(path)


def test_the_median_time() -> None:
    assert Timings("", {"a": 0.001, "b": 0.003, "c": 0.002}).median_ms() == pytest.approx(2.0)
    assert Timings("", {"a": 0.001, "b": 0.002}).median_ms() == pytest.approx(1.5)
    assert Timings("", {"a": 0.0}).median_ms() is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"outcome":0}', b'"outcome":2}', "line 3: the outcome is not between 0 and 1"),
        (b'"outcome":0}', b'"outcome":"0"}', "line 3: the outcome is neither a number"),
        (b'"outcome":0}', b'"outcome":true}', "line 3: the outcome is neither a number"),
        (b'"outcome":0}', b'"outcome":1e999}', "line 3: the outcome is not between"),
        (b'"outcome":0}', b'"outcome":NaN}', "line 3: it is not JSON"),
        (b'"outcome":0}', b'"outcomes":0}', "line 3: unknown field 'outcomes'"),
        (b'"id":"b",', b"", "line 3: the id is missing"),
        (b'"tokens_in":12', b'"tokens_in":-1', "line 2: tokens are whole numbers"),
        (b'"date":"2026-03-01"', b'"date":7', "line 2: cluster, answer and date are text"),
        (b'"items":3', b'"items":4', "has 3 items, its header says 4"),
        (b'"id":"b"', b'"id":"a"', "the header is not complete"),
        (b"metier.result/1", b"metier.result/9", "line 1: not the header"),
        (b"sha256:1", b"sha256:x", "line 1: the header is not complete"),
        (b'"toolchain"', b'"tools"', "line 1: the header is not complete"),
    ],
)
def test_a_damaged_file_says_where(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    path = tmp_path / "general.jsonl"
    data = result().to_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    with pytest.raises(CorruptError) as caught:
        read_result(path)
    assert message in caught.value.message
    assert caught.value.code == "bad_result"
    assert caught.value.remedy


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_result(tmp_path / "gone.jsonl")


def test_items_need_ids_of_their_own() -> None:
    with pytest.raises(InputError, match="an id of its own"):
        result(ITEMS[0], ITEMS[0])
