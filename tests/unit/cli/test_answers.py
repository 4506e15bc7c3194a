"""Labels as lines: one answer at length, several in a table, silence with its reason."""

from __future__ import annotations

from metier.cli.answers import one_answer, several_answers
from metier.messages import Prediction


def prediction(label: str | None, *, out: bool = False) -> Prediction:
    """An answer."""
    scores = (("hat", 0.7), ("shoe", 0.2))
    return Prediction(label, 0.7, "hat", label is None, out, None, scores)


def said(lines: list[object]) -> list[str]:
    """The lines without style."""
    return [" ".join(str(line).split()) for line in lines]


def test_one() -> None:
    assert said([*one_answer(prediction("hat"), 2)]) == ["hat 70.0 %", "shoe 20.0 %"]
    assert said([*one_answer(prediction(None), 1)])[0].startswith("No answer")
    assert said([*one_answer(prediction(None, out=True), 1)])[0].startswith("Out of scope")


def test_several() -> None:
    lines = several_answers(["a.png", "b.png"], [prediction("hat"), prediction(None)], 1)
    assert said([*lines]) == ["hat 70.0 % a.png", "no answer, not sure (hat) 70.0 % b.png"]
