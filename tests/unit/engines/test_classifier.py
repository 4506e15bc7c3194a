"""The text classifier: probabilities, abstention, batches and shared encoders."""

from __future__ import annotations

import numpy as np
import pytest

import made_up
from metier.engines.classifier import TextClassifier
from metier.engines.parts import Member, SpecialistFile, pack_hashed, pack_head
from metier.errors import InputError
from metier.features import FeatureSpec, hashed_counts
from metier.heads import LinearHead, inverse_document_frequency, weigh
from metier.training.fitting import fit_hinge, fit_whole

LABELS = tuple(sorted(made_up.SAID))


class Letters:
    """A deterministic encoder: counts of letters. Enough to see that vectors are used."""

    name, digest, dimension, size_bytes = "letters", "sha256:" + "0" * 64, 26, 0

    def encode(self, texts):
        rows = np.zeros((len(texts), 26), np.float32)
        for row, text in enumerate(texts):
            for letter in text.lower():
                if "a" <= letter <= "z":
                    rows[row, ord(letter) - 97] += 1
        return rows


def linear_parts():
    content = made_up.rows(40, noise=0.0)
    spec = FeatureSpec(1 << 12)
    counts = hashed_counts([row["text"] for row in content], spec)
    idf = inverse_document_frequency(counts).astype(np.float16).astype(np.float32)
    classes = np.array([LABELS.index(row["label"]) for row in content])
    head = fit_whole(fit_hinge, weigh(counts, idf), classes, 4, 0)
    member = Member(
        kind="linear",
        file="linear.safetensors",
        weight=3.0,
        buckets=spec.buckets,
        words=spec.words,
        characters=spec.characters,
    )
    return member, {"linear.safetensors": pack_hashed(idf, head)}


def load(*, encoder=None, **settings) -> TextClassifier:
    member, parts = linear_parts()
    members = [member]
    if encoder is not None:
        head = LinearHead(np.ones((26, 4), np.float32) * 0.01, np.zeros(4, np.float32))
        parts["head.safetensors"] = pack_head(head)
        members.append(Member(kind="encoder", file="head.safetensors", precision="fp32"))
        settings |= {"base": "letters", "base_digest": "x"}
    specialist = SpecialistFile(labels=LABELS, members=tuple(members), **settings)
    return TextClassifier.load(
        specialist, digest="sha256:1", read=parts.__getitem__, encoder_for=lambda _: encoder
    )


def test_it_answers_messages_it_has_not_seen() -> None:
    fresh = made_up.rows(30, seed=9, noise=0.0)
    predictions = load().predict([row["text"] for row in fresh])
    right = [guess.label == row["label"] for guess, row in zip(predictions, fresh, strict=True)]
    assert np.mean(right) > 0.95


def test_probabilities_are_ordered_and_add_up() -> None:
    (guess,) = load().predict(["my parcel is late"], top=4)
    scores = [score for _, score in guess.scores]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0, abs=1e-5)
    assert (guess.best, guess.probability) == guess.scores[0]


@pytest.mark.parametrize("top", [1, 2, 4, 99])
def test_as_many_scores_as_asked_for_and_there_are(top) -> None:
    (guess,) = load().predict(["my parcel is late"], top=top)
    assert len(guess.scores) == min(top, 4)


def test_a_batch_gives_what_single_texts_give() -> None:
    classifier = load()
    texts = [row["text"] for row in made_up.rows(10, seed=3)]
    for single, batched in zip(texts, classifier.predict(texts), strict=True):
        (alone,) = classifier.predict([single])
        assert alone.best == batched.best
        assert alone.probability == pytest.approx(batched.probability, abs=1e-5)


def test_it_abstains_below_its_threshold_and_still_says_its_best() -> None:
    (guess,) = load(abstain_below=0.999999).predict(["hm"])
    assert guess.abstained
    assert guess.label is None
    assert guess.best in LABELS
    assert not guess.out_of_scope


def test_low_energy_is_out_of_scope() -> None:
    (guess,) = load(energy_below=1e6).predict(["my parcel is late"])
    assert guess.out_of_scope
    assert guess.label is None


def test_members_over_vectors_use_the_encoder_they_are_given() -> None:
    assert not load().uses_encoder
    classifier = load(encoder=Letters())
    assert classifier.uses_encoder
    difference = classifier.logits(["aaaa"]) - load().logits(["aaaa"])
    np.testing.assert_allclose(difference, 0.04, atol=1e-5)


def test_odd_texts_are_answered() -> None:
    texts = ["", " ", "\x00", "\ud800", "x" * 1_000_000, "🙂" * 10, "‮abc"]
    assert len(load().predict(texts)) == len(texts)


def test_no_texts_no_answers() -> None:
    assert load().predict([]) == []


def test_something_that_is_no_text_is_named() -> None:
    with pytest.raises(InputError, match="Text 2 is a int"):
        load().predict(["a", 3])  # type: ignore[list-item]
