"""Candidates: what was drafted, what the tool says of it, which one is taken.

It runs checks, deterministic repairs and judgements, each once for equal files; it generates
nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from metier.answer.trace import Trace
from metier.coding import Behaviour, Checked, Judged, Mended, SourceFile, Tool
from metier.conversing import Draft
from metier.errors import MetierError
from metier.evals.placing import placed

Origin = Literal["draft", "mended", "repaired"]
Key = tuple[str, tuple[SourceFile, ...]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer.

    Attributes:
        number: 1-based, in the order of drafting.
        text: What a person would read.
        draft: What the base wrote.
        origin: As drafted, mended by the tool, or repaired by the base (and perhaps mended).
        tool: What checked it, ``None`` if nothing did.
        files: The code in it.
        checked: What the tool says; ``None`` if nothing was checked.
        judged: Whether it behaves; ``None`` if nothing was asked.
        applied: Deterministic repairs, as the tool names them.
    """

    number: int
    text: str
    draft: Draft
    origin: Origin = "draft"
    tool: Tool | None = None
    files: tuple[SourceFile, ...] = ()
    checked: Checked | None = None
    judged: Judged | None = None
    applied: tuple[tuple[str, str], ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing that was looked at is wrong with it."""
        if self.judged is not None:
            return self.judged.standing == "passed"
        return self.checked is None or self.checked.ok

    @property
    def rank(self) -> int:
        """0 passes, 1 compiles (or holds no code), 2 neither."""
        if self.judged is not None and self.judged.standing == "passed":
            return 0
        return 1 if self.checked is None or self.checked.ok else 2


def choose(candidates: Sequence[Candidate]) -> Candidate:
    """Passes before compiles before the first; of equals the earlier one."""
    return min(candidates, key=lambda candidate: (candidate.rank, candidate.number))


@dataclass
class Bench:
    """Where candidates are looked at. Equal files are checked, mended and judged once."""

    tools: tuple[Tool, ...]
    trace: Trace
    mend: bool = True
    behaviour: Behaviour | None = None
    _checked: dict[Key, Checked] = field(default_factory=dict)
    _mended: dict[Key, Mended | None] = field(default_factory=dict)
    _judged: dict[Key, Judged] = field(default_factory=dict)
    _off: set[str] = field(default_factory=set)

    def look(self, number: int, draft: Draft, *, origin: Origin = "draft") -> Candidate:
        """The candidate that a draft becomes: checked, mended if that helps, judged."""
        candidate = Candidate(number, draft.text, draft, origin)
        tool, files = self._tool_for(draft.text)
        if tool is None:
            return candidate
        checked = self._check(tool, files, number)
        if checked is None:
            return candidate
        candidate = replace(candidate, tool=tool, files=files, checked=checked)
        if not checked.ok and self.mend:
            candidate = self._mend(candidate, tool, checked)
        return self._judge(candidate, tool)

    def _tool_for(self, text: str) -> tuple[Tool | None, tuple[SourceFile, ...]]:
        """The tool that finds most code of its kind in the text."""
        best: tuple[Tool | None, tuple[SourceFile, ...]] = (None, ())
        most = 0
        for tool in self.tools:
            if tool.name in self._off:
                continue
            files = tuple(tool.files_of(text))
            size = sum(len(file.text) for file in files)
            if files and size > most:
                best, most = (tool, files), size
        return best[0], self._placed(best[1], text)

    def _placed(self, files: tuple[SourceFile, ...], text: str) -> tuple[SourceFile, ...]:
        """The files under the name that a behaviour mounts, where the answer is to bring it."""
        behaviour = self.behaviour
        if behaviour is None or not files or behaviour.entry in behaviour.given:
            return files
        return placed(files, text, (behaviour.entry,))

    def _check(self, tool: Tool, files: tuple[SourceFile, ...], number: int) -> Checked | None:
        key = (tool.name, files)
        if key in self._checked:
            found = self._checked[key]
            self.trace.add(
                "check", f"Candidate {number} is a copy of one that was checked.", copy=True
            )
            return found
        start = time.monotonic()
        try:
            found = tool.check(files)
        except MetierError as error:
            self._give_up(tool, error)
            return None
        self._checked[key] = found
        errors = len(found.errors)
        self.trace.add(
            "check",
            f"Candidate {number}: {tool.name} finds nothing wrong."
            if found.ok
            else f"Candidate {number}: {tool.name} finds {errors} "
            f"{'error' if errors == 1 else 'errors'}.",
            time.monotonic() - start,
            tool=tool.name,
            candidate=number,
            ok=found.ok,
            diagnostics=[item.as_dict() for item in found.diagnostics],
        )
        return found

    def _mend(self, candidate: Candidate, tool: Tool, checked: Checked) -> Candidate:
        key = (tool.name, candidate.files)
        if key not in self._mended:
            start = time.monotonic()
            try:
                mended = tool.repair(candidate.files, checked)
            except MetierError as error:
                self._give_up(tool, error)
                mended = None
            self._mended[key] = mended
            if mended is not None:
                outcome = "nothing is wrong now" if mended.checked.ok else "that is not enough"
                self.trace.add(
                    "repair",
                    f"{', '.join(name for name, _ in mended.applied)}: {outcome}.",
                    time.monotonic() - start,
                    by=tool.name,
                    candidate=candidate.number,
                    ok=mended.checked.ok,
                    applied=[list(rule) for rule in mended.applied],
                    diagnostics=[item.as_dict() for item in mended.checked.diagnostics],
                )
        found = self._mended[key]
        if found is None or not _better(found.checked, checked):
            return candidate
        return replace(
            candidate,
            text=spliced(candidate.text, candidate.files, found.files),
            origin="mended" if candidate.origin == "draft" else candidate.origin,
            files=found.files,
            checked=found.checked,
            applied=found.applied,
        )

    def _judge(self, candidate: Candidate, tool: Tool) -> Candidate:
        if self.behaviour is None or candidate.checked is None or not candidate.checked.ok:
            return candidate
        key = (tool.name, candidate.files)
        if key not in self._judged:
            start = time.monotonic()
            try:
                judged = tool.judge(candidate.files, self.behaviour)
            except MetierError as error:
                self.trace.add("note", f"Not judged: {error.message}", code=error.code)
                judged = Judged("unscored", why=error.message)
            self._judged[key] = judged
            self.trace.add(
                "check",
                f"Candidate {candidate.number} behaves."
                if judged.standing == "passed"
                else f"Candidate {candidate.number} {judged.standing}: {judged.why}",
                time.monotonic() - start,
                tool=tool.name,
                candidate=candidate.number,
                standing=judged.standing,
            )
        return replace(candidate, judged=self._judged[key])

    def _give_up(self, tool: Tool, error: MetierError) -> None:
        """The answer goes on unchecked, and says so: a missing toolchain is no reason to fail."""
        self._off.add(tool.name)
        remedy = f" {error.remedy}" if error.remedy else ""
        self.trace.add(
            "note", f"Not checked: {error.message}{remedy}", tool=tool.name, code=error.code
        )


def spliced(text: str, before: Sequence[SourceFile], after: Sequence[SourceFile]) -> str:
    """An answer's text with its files replaced by the mended ones, all else left as it was."""
    old = {file.path: file.text for file in before}
    for file in after:
        was = old.get(file.path)
        if was == file.text:
            continue
        if was and was in text:
            text = text.replace(was, file.text, 1)
        elif was and was.strip() and was.strip() in text:
            text = text.replace(was.strip(), file.text.strip(), 1)
        else:
            language = file.path.rpartition(".")[2]
            text = f"{text.rstrip()}\n\n`{file.path}`\n\n```{language}\n{file.text.rstrip()}\n```\n"
    return text


def _better(after: Checked, before: Checked) -> bool:
    return after.ok or len(after.errors) < len(before.errors)
