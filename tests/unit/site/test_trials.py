"""What came of trying texts, in words."""

from __future__ import annotations

from metier.messages import Prediction
from metier.server.classifying import Trials
from metier.site import trials


def prediction(**more: bool) -> Prediction:
    withheld = more.get("abstained", False)
    scores = (("card", 0.9), ("rate", 0.1))
    return Prediction(
        None if withheld else "card", 0.9, "card", withheld, more.get("out", False), -1.0, scores
    )


def test_several_texts_are_told_with_the_servers_time() -> None:
    told = trials.several(Trials(("a", "b"), (prediction(), prediction(abstained=True)), 8.0))
    assert told is not None
    assert told["took"] == "2 texts in 8.0\u202fms on the server, 4.0\u202fms each"
    assert [row["label"] for row in told["rows"]] == ["card", None]
    assert told["rows"][1]["said"] == "It abstains: it is not sure enough."
    assert trials.several(None) is None


def test_out_of_scope_is_said_before_abstaining() -> None:
    said = trials.answer_words(prediction(abstained=True, out=True))["said"]
    assert said.startswith("Out of scope")
