"""Labels as lines of a terminal: one answer at length, several in a table.

It knows probabilities and abstentions in words; it asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from metier.cli.terminal import Line, aligned
from metier.cli.wording import percent
from metier.messages import Prediction


def one_answer(prediction: Prediction, top: int) -> list[Text]:
    """One answer: a sentence if it abstains, then the labels with their probabilities."""
    lines = []
    if prediction.out_of_scope:
        lines.append(Text("Out of scope: unlike what it was made for. Nearest labels:"))
    elif prediction.abstained:
        lines.append(Text("No answer: not sure enough. Nearest labels:"))
    rows: list[Sequence[Line]] = []
    for index, (label, probability) in enumerate(prediction.scores[:top]):
        style = "bold" if index == 0 and not prediction.abstained else "dim"
        rows.append([Text(label, style=style), percent(probability)])
    return [*lines, *aligned(rows, "lr", indent=2 if lines else 0)]


def several_answers(
    texts: Iterable[str], predictions: Sequence[Prediction], top: int
) -> list[Text]:
    """One line a question: its label, how sure, and what was asked."""
    rows: list[Sequence[Line]] = []
    for text, prediction in zip(texts, predictions, strict=True):
        label = prediction.label if prediction.label is not None else _silence(prediction)
        style = "bold" if prediction.label is not None else "dim"
        others = ", ".join(f"{other} {percent(share)}" for other, share in prediction.scores[1:top])
        cells: list[Line] = [Text(label, style=style), percent(prediction.probability)]
        if top > 1:
            cells.append(Text(others, style="dim"))
        rows.append([*cells, text])
    return aligned(rows, "lrll" if top > 1 else "lrl")


def _silence(prediction: Prediction) -> str:
    why = "out of scope" if prediction.out_of_scope else "not sure"
    return f"no answer, {why} ({prediction.best})"
