from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from metier import messages
from metier.messages import Answer, Example, Prediction, Progress, silent

VALUES = [
    Example(text="x", label="a"),
    Prediction("a", 0.9, "a", False, False, None, (("a", 0.9),)),
    Answer(text=None, error="timed out"),
    Progress(stage="data", message="Read 10 rows."),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_travels_cannot_be_changed_on_the_way(value: object) -> None:
    name = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")


def test_an_unscored_outcome_is_not_a_number() -> None:
    assert "unscored" in str(messages.Outcome)


def test_silence_takes_any_progress() -> None:
    silent(Progress(stage="done", message="Done.", fraction=1.0))


def test_the_shapes_load_no_arrays() -> None:
    program = "import sys, metier.messages; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
