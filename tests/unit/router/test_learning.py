from __future__ import annotations

import numpy as np
import pytest

from metier.errors import InputError
from metier.router.domains import MOST_BYTES, NEVER, DomainModel, Settings
from metier.router.learning import LEAST_QUESTIONS, calibration, fit_domains


def test_domains_are_told_apart_and_from_everything_else(model: DomainModel) -> None:
    for text, domain in (
        ("how long do I boil lentils so that they stay soft", "cooking"),
        ("which spice goes with beans for two people", "cooking"),
        ("why is my card pending in the app", "bank"),
        ("close the savings account please", "bank"),
    ):
        likeness = model.asked(text)
        assert (likeness.domain, likeness.sure) == (domain, True), likeness
    for text in (
        "Who painted the ceiling of this chapel?",
        "write a haiku about autumn",
        "what is the tallest mountain of Asia",
        "def total(items):\n    return sum(items)",
        "",
        "👍" * 100,
    ):
        assert not model.asked(text).sure, text


def test_one_domain_is_enough(questions: dict[str, list[str]]) -> None:
    model = fit_domains({"bank": questions["bank"]})
    assert model.asked("why is my loan pending since monday").sure
    assert not model.asked("which spice goes with a carp").sure
    assert model.asked("which spice goes with a carp").domain == "bank"


def test_about_the_share_that_was_asked_for_lies_below_the_threshold(model: DomainModel) -> None:
    for domain in model.domains:
        assert 0.3 < domain.threshold <= round(1 - 3 / 144, 4)
        assert domain.questions == 144
        assert domain.languages == ("en",)
        assert not domain.code


def test_neither_order_nor_copies_change_the_model(questions: dict[str, list[str]]) -> None:
    few = {name: texts[:40] for name, texts in questions.items()}
    turned = {name: [*few[name][::-1], few[name][0]] for name in sorted(few, reverse=True)}
    turned["bank"].append(few["bank"][1] + "!!")
    first, second = fit_domains(few), fit_domains(turned)
    assert [one.questions for one in second.domains] == [40, 40]
    assert first.digest == second.digest


def test_few_questions_fit_no_threshold(questions: dict[str, list[str]]) -> None:
    few = questions["cooking"][: LEAST_QUESTIONS - 1]
    model = fit_domains({"bank": questions["bank"], "cooking": few})
    likeness = model.asked(few[0])
    assert likeness.domain == "cooking"
    assert likeness.threshold == NEVER
    assert "too few" in likeness.against


def test_what_all_questions_share_is_asked_for() -> None:
    texts = [f"Question: why is the number {n} odd, {n * 7}?\nAnswer:" for n in range(150)]
    model = fit_domains({"numbers": texts})
    (domain,) = model.domains
    assert domain.marks.size
    assert domain.least_marks > 0.7
    assert model.asked("Question: why is the number 15 odd, 33?\nAnswer:").sure


def test_too_many_questions_are_drawn_from(questions: dict[str, list[str]]) -> None:
    many = [f"{text} {number}" for text in questions["bank"] for number in range(3)]
    model = fit_domains({"bank": many}, settings=Settings(most_questions=150))
    assert model.domains[0].questions == 150


def test_a_model_of_many_domains_stays_small() -> None:
    questions = {f"d{n}": [f"thing{n} {word}" for word in "abc"] for n in range(30)}
    model = fit_domains(questions, settings=Settings(buckets=1 << 17, folds=2))
    assert model.settings.buckets == 1 << 16
    assert len(model.to_bytes()) <= MOST_BYTES


@pytest.mark.parametrize(
    ("questions", "code"),
    [
        ({}, "bad_domains"),
        ({"": ["a question"]}, "bad_domains"),
        ({"x" * 201: ["a question"]}, "bad_domains"),
        ({"a\nb": ["a question"]}, "bad_domains"),
        ({"\ud83d": ["a question"]}, "bad_domains"),
        ({"a": []}, "no_questions"),
        ({"a": ["  ", "?!"]}, "no_questions"),
    ],
)
def test_what_cannot_be_fitted_is_said(questions: dict[str, list[str]], code: str) -> None:
    with pytest.raises(InputError) as caught:
        fit_domains(questions)
    assert caught.value.code == code


def test_calibration_finds_the_curve_that_made_the_outcomes() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 1)).astype(np.float32)
    chances = 1.0 / (1.0 + np.exp(-(2.0 * logits[:, 0] - 0.5)))
    classes = np.where(random.random(20_000) < chances, 0, 1).astype(np.int64)
    slope, offset = calibration(logits, classes, 8.0)
    assert slope == pytest.approx(2.0, abs=0.1)
    assert offset == pytest.approx(-0.5, abs=0.1)


def test_calibration_is_never_steeper_than_allowed() -> None:
    logits = np.array([[1.0, -1.0]] * 50 + [[-1.0, 1.0]] * 50, np.float32)
    classes = np.repeat(np.arange(2), 50)
    slope, _ = calibration(logits, classes, 3.0)
    assert slope == 3.0
