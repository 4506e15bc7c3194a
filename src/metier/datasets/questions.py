"""Questions with their answers from rows, and what a file of examples is: labels or answers.

It knows columns by their names and, where those leave it open, by how often a value repeats. It
does not know who will answer, nor when an answer is right. A row that is not good raises an error
that names it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from metier.datasets import names
from metier.datasets.problems import Problem, Problems
from metier.datasets.reading import Row, Table, open_table
from metier.datasets.recognising import FREE_TEXT_SHARE, Dataset, recognise
from metier.errors import InputError
from metier.messages import Example

QUESTION = ("question", "questions", "prompt", "instruction", "query", "problem", "input", "text")
"""Names of the column of questions, the surest first."""
ANSWER = (
    "answer", "answers", "expected", "reference", "solution", "response", "completion", "output",
    "target", "gold", "ideal",
)  # fmt: skip
"""Names of the column of answers, the surest first."""
SURE_ANSWERS = ("answer", "answers", "expected", "gold", "ideal")
LONGEST_ANSWER = 1_000
"""Characters of an answer that is compared; of a worked one only what follows ``####``."""
MOST = 100_000
"""Rows that are read."""
WORKED = "####"
"""What parts the working from the final answer in worked solutions."""

_UNCLEAR = frozenset(
    {"no_label_column", "no_text_column", "labels_are_text", "ambiguous_columns", "mixed_types"}
)
"""What is said of rows that are no labels."""

_NAME_THEM = "Call the columns 'text' and 'label', or 'question' and 'answer'."

Kind = Literal["labels", "answers"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file of examples was taken for, and its rows.

    Attributes:
        kind: ``labels``: each text has one of few labels; ``answers``: each question has its own
            answer.
        source: What people call it.
        format: ``jsonl``, ``json``, ``csv``, ``tsv`` or ``folder``.
        question: The column of the texts or questions.
        answer: The column of the labels or answers.
        group: The column of the groups, if any.
        examples: The rows; ``label`` holds the label or the answer.
        notes: What was assumed, for people.
    """

    kind: Kind
    source: str
    format: str
    question: str
    answer: str
    group: str | None
    examples: tuple[Example, ...]
    notes: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The different labels, sorted; none of a sheet of answers."""
        if self.kind == "answers":
            return ()
        return tuple(sorted({example.label for example in self.examples}))

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping, without the rows."""
        told = {key: value for key, value in asdict(self).items() if key != "examples"}
        return {**told, "rows": len(self.examples), "labels": list(self.labels)}


def read_sheet(source: Path | bytes, *, name: str | None = None) -> Sheet:
    """Read examples and say what they are.

    A column named ``answer`` beside a ``question`` or ``prompt`` means answers. Otherwise rows
    with a text and a label are labels, unless more than half of the labels occur once.

    Args:
        source: A file, a folder of texts, or the bytes of an uploaded file.
        name: What people call it.

    Raises:
        NotFoundError: No such file.
        InputError: What is wrong, in which row, and how to mend it.
    """
    table = open_table(source, name=name)
    found = _pair(table)
    if found is not None and names.folded(found[1]) in SURE_ANSWERS:
        return _answers(table, *found)
    try:
        dataset = recognise(table, trains=False)
    except InputError as error:
        if found is not None and error.code in _UNCLEAR:
            return _answers(table, *found)
        if error.code in _UNCLEAR:
            raise InputError(
                error.message, code=error.code, remedy=_NAME_THEM, details=error.details
            ) from error
        raise
    labels = {example.label for example in dataset.examples}
    if found is not None and len(labels) > max(1, FREE_TEXT_SHARE * len(dataset.examples)):
        return _answers(table, *found)
    return _labels(dataset)


def _pair(table: Table) -> tuple[str, str] | None:
    """The columns of questions and answers, if their names say so."""
    question = next(
        (one for word in QUESTION for one in names.matching(table.columns, (word,))), ""
    )
    answer = next((one for word in ANSWER for one in names.matching(table.columns, (word,))), "")
    return (question, answer) if question and answer and question != answer else None


def _labels(dataset: Dataset) -> Sheet:
    known = dataset.recognised
    held_out = dataset.part("test") or dataset.part("valid")
    notes = list(known.notes)
    if held_out and len(held_out) < len(dataset.examples):
        notes.append(f"Only the {len(held_out):,} rows that are marked as held out are asked.")
    return Sheet(
        kind="labels",
        source=known.source,
        format=known.format,
        question=known.text,
        answer=known.label,
        group=known.group,
        examples=tuple(held_out or dataset.examples),
        notes=tuple(notes),
    )


def _answers(table: Table, question: str, answer: str) -> Sheet:
    problems = Problems(table.name)
    group = next(iter(names.matching(table.columns, names.GROUP)), None)
    examples: list[Example] = []
    worked = 0
    for row in table.rows(problems):
        if len(examples) >= MOST:
            raise InputError(
                f"{table.name} has more than {MOST:,} rows.",
                code="too_large",
                remedy="Pass a random sample: a few hundred tell candidates apart.",
            )
        told = _told(row.values.get(answer))
        worked += WORKED in told
        said = told.rpartition(WORKED)[2].strip()
        asked = _told(row.values.get(question))
        why = _wrong(asked, said, question, answer)
        if why is not None:
            problems.add(_problem(row, why))
            continue
        label = _told(row.values.get(group)) if group is not None else ""
        examples.append(Example(asked, said, label or None, None, row.number))
    problems.raise_if_any()
    if not examples:
        raise InputError(
            f"{table.name} has no rows.",
            code="no_rows",
            remedy='Pass rows like {"question": "…", "answer": "…"}.',
        )
    notes = list(table.notes)
    if worked:
        notes.append(f"Of {worked:,} worked answers what follows {WORKED} is the answer.")
    return Sheet(
        "answers", table.name, table.format, question, answer, group, tuple(examples), tuple(notes)
    )


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _wrong(asked: str, said: str, question: str, answer: str) -> str | None:
    """What is wrong with a row, or ``None``."""
    if not asked:
        return f"the question (column {question}) is empty"
    if not said:
        return f"the answer (column {answer}) is empty"
    if len(said) > LONGEST_ANSWER:
        return f"the answer (column {answer}) has {len(said):,} characters"
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in asked + said):
        return "it holds half of a surrogate pair"
    return None


def _problem(row: Row, what: str) -> Problem:
    return Problem(
        code="bad_answer",
        row=row.number,
        place=row.place,
        what=what,
        remedy=f"Give every row a question and an answer of at most {LONGEST_ANSWER:,} characters.",
    )
