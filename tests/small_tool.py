"""A small real tool, a small real pack: Python's own parser checks, words in common find.

They stand behind the same protocols as the big ones, so that what uses them is tested without a
toolchain.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from metier.coding import Behaviour, Checked, Diagnostic, Judged, Mended, SourceFile
from metier.conversing import Passage
from metier.errors import UnavailableError

FENCE = re.compile(r"```python\n(.*?)```", re.S)


@dataclass
class PythonParser:
    """Checks that Python parses; mends ``retrun``; judges by evaluating one expression.

    ``calls`` counts what it did; ``missing`` makes it a tool without its toolchain.
    """

    name: str = "parser"
    digest: str = "sha256:" + "0" * 64
    missing: bool = False
    calls: list[str] = field(default_factory=list)

    def files_of(self, answer: str) -> tuple[SourceFile, ...]:
        return tuple(
            SourceFile(f"answer{number or ''}.py", text)
            for number, text in enumerate(FENCE.findall(answer))
        )

    def check(self, files: Sequence[SourceFile]) -> Checked:
        self.calls.append("check")
        if self.missing:
            raise UnavailableError(
                "There is no toolchain.", code="no_toolchain", remedy="Install it."
            )
        found = []
        for file in files:
            try:
                ast.parse(file.text)
            except SyntaxError as error:
                found.append(
                    Diagnostic(
                        "syntax_error",
                        error.msg,
                        path=file.path,
                        line=error.lineno,
                        explanation="Python cannot read this.",
                    )
                )
        return Checked(not found, tuple(found))

    def repair(self, files: Sequence[SourceFile], checked: Checked) -> Mended | None:
        self.calls.append("repair")
        mended = tuple(
            SourceFile(file.path, file.text.replace("retrun", "return")) for file in files
        )
        if mended == tuple(files):
            return None
        return Mended(mended, (("spelling", "Wrote return."),), self.check(mended))

    def judge(self, files: Sequence[SourceFile], behaviour: Behaviour) -> Judged:
        self.calls.append("judge")
        names: dict = {}
        exec(files[0].text, names)
        expected = behaviour.options["expected"]
        found = eval(str(behaviour.options["call"]), names)
        if found == expected:
            return Judged("passed")
        return Judged("failed", "behaviour", f"expected {expected}, found {found}", 1)

    def close(self) -> None:
        """It started nothing."""


@dataclass
class Shelf:
    """A pack of passages that are found by words in common; ``queries`` are those it was asked."""

    passages: Sequence[Passage]
    name: str = "small-docs"
    digest: str = "sha256:" + "1" * 64
    queries: list[str] = field(default_factory=list)
    broken: bool = False

    def search(self, query: str, *, top: int = 5) -> list[Passage]:
        self.queries.append(query)
        if self.broken:
            raise UnavailableError("The pack is gone.", code="no_pack")
        words = set(re.findall(r"\w+", query.lower()))
        scored = [
            (len(words & set(re.findall(r"\w+", passage.text.lower()))), -number, passage)
            for number, passage in enumerate(self.passages)
        ]
        return [passage for score, _, passage in sorted(scored, reverse=True)[:top] if score]


def passage(number: int, text: str) -> Passage:
    """A passage of the small pack."""
    return Passage(
        id=f"p{number}",
        text=text,
        title="Guide",
        trail=("Guide", f"Section {number}"),
        path=f"guide/{number}.md",
        source="small 1.0",
        address=f"https://example.com/{number}",
    )


def code(body: str, before: str = "Here it is.") -> str:
    """An answer with code in it."""
    return f"{before}\n\n```python\n{body}\n```\n"
