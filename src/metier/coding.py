"""The shapes of code work: files, diagnostics, repairs, behaviour, judgements.

It knows what a tool says of an answer and what an eval asks of a tool; it knows no language, no
process and no model. Tools produce these values, ``answer``, ``evals`` and the doors read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Severity = Literal["error", "warning"]
Stage = Literal["extract", "compile", "types", "load", "behaviour"]
Standing = Literal["passed", "failed", "unscored"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of an answer: its path inside the project (``+page.svelte``) and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is wrong (or doubtful) where.

    Attributes:
        code: The tool's own stable code (``rune_invalid_placement``, ``TS2322``).
        message: The tool's sentence.
        severity: Errors stop an answer, warnings do not.
        path: The file.
        line: 1-based line, or ``None`` if the whole file is meant.
        column: 1-based column, or ``None``.
        end_line: Where it ends, or ``None``.
        end_column: Column after its last character, or ``None``.
        explanation: Our sentence for people: why, and what to do instead; empty if we have none.
        docs: Address of the section of the documentation, or ``None``.
    """

    code: str
    message: str
    severity: Severity = "error"
    path: str = ""
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    explanation: str = ""
    docs: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable, without empty fields."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a tool found in files that it only read (parsed, compiled, type-checked).

    ``ok`` is whether no diagnostic is an error.
    """

    ok: bool
    diagnostics: tuple[Diagnostic, ...] = ()
    seconds: float = 0.0

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that stop the answer."""
        return tuple(item for item in self.diagnostics if item.severity == "error")


@dataclass(frozen=True, slots=True)
class Mended:
    """Files after deterministic repairs.

    Attributes:
        files: All files, changed or not.
        applied: Names of the rules that changed something, in order, with a sentence each.
        checked: What the tool says of the files now.
    """

    files: tuple[SourceFile, ...]
    applied: tuple[tuple[str, str], ...]
    checked: Checked


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an answer must do, as data: the tool executes it, the verdict is computed outside.

    Attributes:
        kind: The harness: ``dom``, ``module``, ``python`` … as the tool documents.
        entry: The file that is mounted or loaded.
        given: Files that stand beside the answer (never overwriting it), path to text.
        steps: What to do and what to expect, in order; see ``docs/formats/task.md``.
        options: What else the harness needs (a test file's text, a seed).
    """

    kind: str
    entry: str
    given: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on an executed answer.

    Attributes:
        standing: ``unscored`` means that the judge failed, not the answer.
        stage: Where it stopped, or ``None`` if it passed.
        why: A sentence: what was expected where, and what was found; empty if it passed.
        step: 1-based number of the step that failed, or ``None``.
        seconds: Wall seconds of the judgement.
        diagnostics: From the compile, if there were any.
    """

    standing: Standing
    stage: Stage | None = None
    why: str = ""
    step: int | None = None
    seconds: float = 0.0
    diagnostics: tuple[Diagnostic, ...] = ()


class Tool(Protocol):
    """What checks, repairs and judges answers in one language or framework.

    Entry points of the group ``metier.tools`` name a function that makes one:
    ``open_tool(workshop: Workshop) -> Tool``.
    """

    @property
    def name(self) -> str:
        """``svelte``, ``react``, ``python``, ``javascript``."""

    @property
    def digest(self) -> str:
        """``sha256:…`` over everything that can change a verdict: tool and toolchain."""

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        """The files in a model's answer (fenced blocks, or the whole text if it is code)."""

    def check(self, files: Sequence[SourceFile]) -> Checked:
        """Read the files without executing them; raises UnavailableError without a toolchain."""

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        """Deterministic repairs, or ``None`` if no rule applies."""

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        """Execute the files once, sandboxed, and say whether they behave.

        Raises:
            UnavailableError: No toolchain (``no_toolchain``) or no sandbox (``no_sandbox``).
        """

    def close(self) -> None:
        """End every process it started."""
