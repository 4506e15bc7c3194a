"""Systems under test: what each of them answers, and that its digest says what it is."""

from __future__ import annotations

import numpy as np
import pytest

from metier.engines.systems import MajoritySystem, ZeroShotSystem, spoken


class Words:
    """An encoder of three known words."""

    name, digest, dimension, size_bytes = "words", "sha256:" + "0" * 64, 3, 0

    def encode(self, texts):
        known = {"card": 0, "parcel": 1, "password": 2}
        rows = np.full((len(texts), 3), 0.01, np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                if word in known:
                    rows[row, known[word]] = 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def system(**settings) -> ZeroShotSystem:
    encoder = Words()
    return ZeroShotSystem(
        name="words on label names",
        encoder=encoder,
        embed=encoder.encode,
        labels=("lost_card", "late_parcel"),
        **settings,
    )


def test_zero_shot_answers_the_nearest_label_name() -> None:
    answers = system().answer(["where is my card", "the parcel please"])
    assert [answer.text for answer in answers] == ["lost_card", "late_parcel"]


def test_zero_shot_can_say_none_of_these() -> None:
    answers = system(out_of_scope_label="none", similarity_below=0.9).answer(["my card", "hello"])
    assert [answer.text for answer in answers] == ["lost_card", "none"]


def test_the_majority_always_says_the_same() -> None:
    assert [answer.text for answer in MajoritySystem("a").answer(["x", "y"])] == ["a", "a"]
    assert MajoritySystem("a").digest != MajoritySystem("b").digest


def test_every_setting_changes_the_digest() -> None:
    digests = {
        system().digest,
        system(out_of_scope_label="none").digest,
        system(out_of_scope_label="none", similarity_below=0.5).digest,
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("card_arrival", "card arrival"),
        ("CardArrival", "Card Arrival"),
        ("card-arrival", "card arrival"),
        ("oos", "oos"),
        ("_", "_"),
        ("HTTPError", "HTTPError"),
    ],
)
def test_label_names_are_read_as_words(label, words) -> None:
    assert spoken(label) == words
