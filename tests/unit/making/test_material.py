"""What the heads look at: remembered vectors, hashed rows, and the size of a table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from known_vectors import KnownVectors
from metier.heads import LinearHead
from metier.making import material
from metier.making.learners import hashed
from metier.making.material import (
    LARGEST_TABLE,
    HashedWords,
    RememberingEncoder,
    buckets_for,
    median_milliseconds,
)


def lengths(text: str) -> list[float]:
    return [len(text), sum(map(ord, text)) % 97 + 1, 1.0]


def remembering(pause=lambda done, number: None) -> tuple[RememberingEncoder, KnownVectors]:
    real = KnownVectors("lengths", lengths)
    return RememberingEncoder(real, pause), real


@given(st.lists(st.lists(st.text(max_size=6), max_size=12), max_size=4))
def test_it_says_what_the_real_one_says_in_the_same_order(batches) -> None:
    encoder, _ = remembering()
    plain = KnownVectors("lengths", lengths)
    for texts in batches:
        np.testing.assert_array_equal(encoder.encode(texts), plain.encode(texts))


def test_a_text_is_encoded_once_however_often_it_comes() -> None:
    encoder, real = remembering()
    encoder.encode(["b", "aa", "b"])
    encoder.encode(["aa", "b", "c"])
    assert [text for batch in real.asked for text in batch] == ["b", "aa", "c"]


def test_short_texts_go_together_so_that_no_padding_is_wasted() -> None:
    encoder, real = remembering()
    encoder.encode(["x" * 9, "y", "z" * 5])
    assert [len(text) for text in real.asked[0]] == [1, 5, 9]


def test_what_was_encoded_before_a_stop_is_not_half_remembered(monkeypatch) -> None:
    monkeypatch.setattr(material, "CHUNK", 2)
    texts = ["a", "bb", "ccc"]

    def stop(done: int, number: int) -> None:
        assert number == 3
        if done:
            raise KeyboardInterrupt

    encoder, real = remembering(stop)
    with pytest.raises(KeyboardInterrupt):
        encoder.encode(texts)
    assert real.asked == [["a", "bb"]]
    encoder = RememberingEncoder(real, lambda done, number: None)
    np.testing.assert_array_equal(encoder.encode(texts), real.encode(texts))


def test_memory_is_bounded_and_answers_are_right_beyond_it(monkeypatch) -> None:
    monkeypatch.setattr(material, "MOST_REMEMBERED", 3)
    encoder, real = remembering()
    encoder.encode(["a", "b"])
    many = ["b", "cc", "ddd", "a"]
    np.testing.assert_array_equal(encoder.encode(many), real.encode(many))
    real.asked.clear()
    encoder.encode(many)
    assert [text for batch in real.asked for text in batch] == ["cc", "ddd"]


def test_measuring_remembers_nothing() -> None:
    encoder, real = remembering()
    assert encoder.seconds_per_text(["a", "b"]) >= 0
    assert encoder.milliseconds_alone(["a", "b"]) >= 0
    assert encoder.seconds_per_text([]) >= 0
    real.asked.clear()
    encoder.encode(["a"])
    assert real.asked == [["a"]]


def test_it_passes_for_the_real_one() -> None:
    encoder, real = remembering()
    assert (encoder.name, encoder.digest) == (real.name, real.digest)
    assert (encoder.dimension, encoder.size_bytes) == (real.dimension, real.size_bytes)


@given(st.integers(min_value=1, max_value=480))
def test_the_weight_file_of_hashed_words_stays_within_a_megabyte(labels) -> None:
    buckets = buckets_for(labels)
    assert buckets & (buckets - 1) == 0
    assert buckets * (labels + 2) <= LARGEST_TABLE
    assert buckets == 1 << 18 or 2 * buckets * (labels + 2) > LARGEST_TABLE


def test_very_many_labels_keep_enough_buckets_to_tell_words_apart() -> None:
    assert buckets_for(10_000) == 1 << 11


@pytest.mark.parametrize("labels", [2, 3, 77, 150])
def test_the_bytes_that_are_promised_are_the_bytes_that_are_written(labels) -> None:
    words = HashedWords(["one word", "another"], labels)
    learner = hashed(words, labels)
    head = LinearHead(
        np.ones((words.spec.buckets, labels), np.float32), np.zeros(labels, np.float32)
    )
    written = len(learner.pack(head))
    assert learner.own_bytes == pytest.approx(written, abs=600)
    assert written <= LARGEST_TABLE + 600


def test_other_texts_are_weighed_by_the_training_texts() -> None:
    words = HashedWords(["the card", "the parcel", "the login"], 2)
    np.testing.assert_array_equal(words.of(["the card"]).toarray(), words.rows[:1].toarray())
    assert words.of([""]).nnz == 0
    assert words.idf.dtype == np.float32
    np.testing.assert_array_equal(words.idf, words.idf.astype(np.float16).astype(np.float32))


def test_the_median_leaves_the_first_call_out() -> None:
    calls: list[str] = []
    assert median_milliseconds(calls.append, ["a", "b"]) >= 0
    assert calls == ["a", "a", "b"]
    assert median_milliseconds(calls.append, []) == 0.0
