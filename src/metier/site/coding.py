"""Answers, findings, repairs and passages as values that templates draw.

It knows how code and its findings stand beside each other, how a text with fenced code falls into
pieces, and how a trace is folded to a line. It writes no HTML; templates escape all of it.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from metier.card import ChatCard, SearchCard
from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply
from metier.site import words
from metier.site.values import Item, Offered

MOST_LINES = 4000
MOST_FINDINGS = 200
MOST_PASSAGE = 6000
LEAD = 700
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\n`]*)$")
_INLINE = re.compile(r"`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]+)\]\(([^)\s]+)\)|\[(\d{1,2})\]")
_SIGNS = {"error": ("✕", "error"), "warning": ("!", "warning")}
Explained = Mapping[Diagnostic, Sequence[Passage]]


_EXAMPLES = {
    "svelte": ("Counter.svelte", "<script>\n  export let count = 0;\n</script>"),
    "react": ("Counter.tsx", "export default function Counter() { … }"),
    "python": ("answer.py", "def add(a, b)\n    return a + b"),
}


def example(tools: Sequence[str]) -> tuple[str, str]:
    """A file's name and a line or two, for the empty box of a specialist with these tools."""
    return next((_EXAMPLES[tool] for tool in tools if tool in _EXAMPLES), ("answer.txt", ""))


def facts(card: ChatCard) -> list[str]:
    """What it does, in a few words each."""
    said = [card.domain]
    if card.packs:
        said.append(f"reads {words.listed(card.packs)}")
    if card.tools:
        said.append(f"checks with {words.listed(card.tools)}")
    if card.toolchains:
        said.append(f"for {words.listed(card.toolchains)}")
    return said


def headline(bases: Sequence[Offered]) -> str:
    """What is proved: the best base that was measured here, or that none was."""
    best = next((base for base in bases if base.here and not base.command), None)
    return best.note if best is not None else "Not measured: it takes a base, and none was."


def entry(item: Item) -> dict[str, Any]:
    """A line of the fleet's page for a chat specialist or a pack."""
    card = item.card
    name = item.reference.familiar
    row = {"name": name, "description": card.description if card else ""}
    if isinstance(card, SearchCard):
        said = [f"{words.count(card.passages)} passages"]
        said += sorted({source.version for source in card.sources if source.version})
        return {**row, "facts": said, "act": "Search", "said": "found by words and meaning"}
    if isinstance(card, ChatCard):
        return {**row, "facts": facts(card), "act": "Ask or check", "said": "writes with any base"}
    return {**row, "facts": [], "act": "Open", "said": ""}


def pieces(text: str) -> list[dict[str, Any]]:
    """Prose and fenced code in turn: ``{"code": bool, "text": …, "info": …}``.

    A fence that is never closed goes to the end.
    """
    found: list[dict[str, Any]] = []
    held: list[str] = []
    fence: str | None = None
    info = ""

    def put(code: bool) -> None:
        body = "\n".join(held) if code else "\n".join(held).strip("\n")
        if body.strip():
            found.append({"code": code, "text": body, "info": info if code else ""})
        held.clear()

    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence is None and mark:
            put(code=False)
            fence, info = mark[1], mark[2].strip()
        elif fence is not None and line.strip() == fence[0] * max(len(fence), len(line.strip())):
            put(code=True)
            fence = None
        else:
            held.append(line)
    put(code=fence is not None)
    return found


def paragraphs(text: str) -> list[str]:
    """Prose parted at blank lines."""
    return [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]


def inline(text: str, cited: int = 0) -> list[dict[str, str]]:
    """Prose in runs: ``kind`` is ``text``, ``code``, ``strong``, ``cite`` or ``link`` (``to``).

    ``[2]`` is a citation where ``cited`` passages stand below and two is not too many.
    """
    runs: list[dict[str, str]] = []
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            runs.append({"kind": "text", "text": text[end : match.start()]})
        code, strong, shown, to, number = match.groups()
        address = _address(to)
        if code is not None:
            runs.append({"kind": "code", "text": code})
        elif strong is not None:
            runs.append({"kind": "strong", "text": strong})
        elif address is not None:
            runs.append({"kind": "link", "text": shown, "to": address})
        elif number is not None and 1 <= int(number) <= cited:
            runs.append({"kind": "cite", "text": str(int(number))})
        else:
            runs.append({"kind": "text", "text": shown if number is None else match[0]})
        end = match.end()
    if end < len(text):
        runs.append({"kind": "text", "text": text[end:]})
    return runs


def sheets(
    files: Sequence[SourceFile], checked: Checked | None, explained: Explained
) -> list[dict[str, Any]]:
    """Each file with its lines, and the findings at their lines.

    Findings without a line, or of a file that is not there, stand before the first line of the
    first file.
    """
    found = list(checked.diagnostics[:MOST_FINDINGS]) if checked is not None else []
    paths = {file.path for file in files}
    result = []
    for number, file in enumerate(files):
        own = [
            item
            for item in found
            if item.path == file.path or (number == 0 and item.path not in paths)
        ]
        lines = file.text.splitlines()[:MOST_LINES]
        notes: dict[int, list[dict[str, Any]]] = {}
        for item in own:
            at = item.line if item.line is not None and 1 <= item.line <= len(lines) else 0
            notes.setdefault(at, []).append(_finding(item, explained.get(item, ())))
        result.append(
            {
                "path": file.path,
                "first": notes.get(0, []),
                "lines": [
                    {"number": at, "text": line, "notes": notes.get(at, [])}
                    for at, line in enumerate(lines, start=1)
                ],
                "cut": max(0, file.text.count("\n") + 1 - MOST_LINES),
                "errors": sum(item.severity == "error" for item in own),
                "warnings": sum(item.severity == "warning" for item in own),
            }
        )
    return result


def repair(files: Sequence[SourceFile], mended: Mended | None) -> dict[str, Any] | None:
    """What a repair did, as a diff a file, and what is left; ``None`` without one."""
    if mended is None:
        return None
    before = {file.path: file.text for file in files}
    changed = [file for file in mended.files if before.get(file.path) != file.text]
    return {
        "applied": [sentence for _rule, sentence in mended.applied],
        "diffs": [
            {"path": file.path, "rows": _diff(before.get(file.path, ""), file.text)}
            for file in changed
        ],
        "files": mended.files,
        "left": sum(item.severity == "error" for item in mended.checked.diagnostics),
    }


def passages(found: Sequence[Passage]) -> list[dict[str, Any]]:
    """Passages, numbered from 1, each with its trail, source, address and pieces."""
    return [
        {
            "number": number,
            "trail": " › ".join(passage.trail) or passage.title,
            "version": passage.version,
            "source": passage.source,
            "path": passage.path,
            "address": _address(passage.address),
            "lead": _lead(passage.text),
            "pieces": pieces(passage.text[:MOST_PASSAGE]),
            "longer": len(passage.text) > LEAD,
            "cut": len(passage.text) > MOST_PASSAGE,
        }
        for number, passage in enumerate(found, start=1)
    ]


def answered(reply: Reply) -> dict[str, Any]:
    """An answer: its pieces, what was read, what is wrong, its trace."""
    return {
        "pieces": pieces(reply.text),
        "passages": passages(reply.passages),
        "sheets": sheets(reply.files, Checked(not reply.diagnostics, reply.diagnostics), {})
        if reply.diagnostics
        else [],
        "text": reply.text,
        "files": reply.files,
        "checked": reply.checked,
        "base": reply.base,
        "summary": summary(reply),
        "steps": [
            {
                "kind": step.kind,
                "summary": step.summary,
                "took": words.milliseconds(step.seconds * 1000),
            }
            for step in reply.trace
        ],
    }


def summary(reply: Reply) -> str:
    """A trace in one line."""
    kinds = Counter(step.kind for step in reply.trace)
    said = [words.plural(len(reply.passages), "passage")]
    if kinds["generate"]:
        said.append(words.plural(kinds["generate"], "draft"))
    if kinds["repair"]:
        said.append(words.plural(kinds["repair"], "repair"))
    if reply.checked is not None:
        said.append("passes its check" if reply.checked else "does not pass its check")
    tokens = reply.tokens_in + reply.tokens_out
    if tokens:
        said.append(f"{words.count(tokens)} tokens")
    if reply.spent:
        said.append(f"{reply.spent:.4f} spent")
    said.append(words.duration(reply.seconds))
    said.append(reply.base or "no base")
    return " · ".join(said)


def _lead(text: str) -> list[dict[str, Any]]:
    """The pieces of a text up to about ``LEAD`` characters, one at least."""
    found: list[dict[str, Any]] = []
    length = 0
    for piece in pieces(text[:MOST_PASSAGE]):
        length += len(piece["text"])
        if found and length > LEAD:
            break
        found.append(piece)
    return found


def _finding(item: Diagnostic, about: Sequence[Passage]) -> dict[str, Any]:
    sign, word = _SIGNS[item.severity]
    return {
        "sign": sign,
        "word": word,
        "code": item.code,
        "message": item.message,
        "explanation": item.explanation,
        "docs": _address(item.docs),
        "column": item.column,
        "passages": passages(about[:3]),
    }


def _address(address: str | None) -> str | None:
    """A link that may be followed; anything but http and https is not one."""
    return address if address and address.startswith(("https://", "http://")) else None


def _diff(before: str, after: str) -> list[dict[str, str]]:
    """Rows of a unified diff: kind ``same``, ``gone``, ``new`` or ``skip``, and the text."""
    rows: list[dict[str, str]] = []
    kinds = {" ": "same", "-": "gone", "+": "new"}
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    for number, line in enumerate(lines):
        if number < 2:
            continue
        if line.startswith("@@"):
            if rows:
                rows.append({"kind": "skip", "sign": "", "text": "…"})
            continue
        rows.append({"kind": kinds[line[0]], "sign": line[0], "text": line[1:]})
        if len(rows) >= MOST_LINES:
            break
    return rows
