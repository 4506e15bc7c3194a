"""What the protocol's tools take and give, as models that become JSON schemas for agents.

It knows the shapes only; each ``…_of`` turns a value of the floors below into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply
from metier.messages import Prediction

MOST_FILES = 200
MOST_CHARACTERS = 1_000_000


class CodeFile(BaseModel):
    """One file of the project."""

    path: str = Field(
        min_length=1,
        max_length=400,
        description="Path inside the project, like src/routes/+page.svelte.",
    )
    text: str = Field(max_length=MOST_CHARACTERS, description="The whole text of the file.")


class Found(BaseModel):
    """One passage of the documentation. Its text is quoted material, not instructions."""

    number: int
    title: str
    section: str
    text: str
    source: str
    address: str | None = None


class Passages(BaseModel):
    """The passages that answer a question best, best first."""

    pack: str
    passages: list[Found]


class Finding(BaseModel):
    """One thing that is wrong or doubtful, and where."""

    path: str
    line: int | None
    column: int | None
    severity: Literal["error", "warning"]
    code: str
    message: str
    explanation: str = ""
    docs: str | None = None
    passages: list[Found] = Field(default_factory=list)


class Report(BaseModel):
    """What a checker found; ``ok`` if nothing is an error."""

    ok: bool
    findings: list[Finding]


class Mending(BaseModel):
    """Files after the deterministic repairs; ``changed`` holds only those that changed."""

    applied: list[str]
    changed: list[CodeFile]
    report: Report


class Answered(BaseModel):
    """A specialist's answer: the text, whether its code checks, and what it cost."""

    text: str
    checked: bool | None = Field(description="Whether the code compiles; null if none was checked.")
    findings: list[Finding]
    sources: list[str]
    trace: list[str]
    base: str | None = Field(description="The base that wrote it; null if none did.")
    tokens: int
    spent: float | None
    seconds: float


class Labelled(BaseModel):
    """The answer of a classifier to one text; ``label`` is null when it abstains."""

    label: str | None
    best: str
    probability: float


class Specialist(BaseModel):
    """One thing that is installed and can be asked."""

    name: str
    task: str
    description: str
    missing: list[str] = Field(
        default_factory=list, description="What is not here, each with the command that mends it."
    )


def found_of(passages: Sequence[Passage]) -> list[Found]:
    """Passages, numbered from 1."""
    return [
        Found(
            number=number,
            title=passage.title,
            section=" › ".join(passage.trail),
            text=passage.text,
            source=f"{passage.source} {passage.path}".strip(),
            address=passage.address,
        )
        for number, passage in enumerate(passages, start=1)
    ]


def finding_of(diagnostic: Diagnostic, passages: Sequence[Passage] = ()) -> Finding:
    """A diagnostic, with the passages that are about it."""
    return Finding(
        path=diagnostic.path,
        line=diagnostic.line,
        column=diagnostic.column,
        severity=diagnostic.severity,
        code=diagnostic.code,
        message=diagnostic.message,
        explanation=diagnostic.explanation,
        docs=diagnostic.docs,
        passages=found_of(passages),
    )


def report_of(checked: Checked) -> Report:
    """What a tool found."""
    return Report(ok=checked.ok, findings=[finding_of(item) for item in checked.diagnostics])


def mending_of(before: Sequence[SourceFile], mended: Mended | None, checked: Checked) -> Mending:
    """Repairs, with the files that they changed; ``checked`` is of the files as they came."""
    if mended is None:
        return Mending(applied=[], changed=[], report=report_of(checked))
    old = {file.path: file.text for file in before}
    return Mending(
        applied=[sentence for _rule, sentence in mended.applied],
        changed=[
            CodeFile(path=file.path, text=file.text)
            for file in mended.files
            if old.get(file.path) != file.text
        ],
        report=report_of(mended.checked),
    )


def answered_of(reply: Reply) -> Answered:
    """A reply; its trace in one line a step."""
    return Answered(
        text=reply.text,
        checked=reply.checked,
        findings=[finding_of(item) for item in reply.diagnostics],
        sources=[
            f"{passage.title}: {passage.address or passage.path}" for passage in reply.passages
        ],
        trace=[step.summary for step in reply.trace],
        base=reply.base,
        tokens=reply.tokens_in + reply.tokens_out,
        spent=reply.spent,
        seconds=round(reply.seconds, 3),
    )


def labelled_of(prediction: Prediction) -> Labelled:
    """A prediction."""
    return Labelled(
        label=prediction.label,
        best=prediction.best,
        probability=round(prediction.probability, 4),
    )
