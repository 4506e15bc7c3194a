"""What a tool found in files, as a person reads it: the place, the line, why, and the repair.

It lays out diagnostics and diffs; it checks and repairs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from metier.cli.citing import citation_lines, passage_document
from metier.cli.terminal import Signs, shown_text, wrapped
from metier.cli.wording import counted
from metier.coding import Diagnostic, Mended, SourceFile
from metier.conversing import Passage

Explained = Sequence[tuple[Diagnostic, tuple[Passage, ...]]]
_PROSE = 92
_STYLES = {"error": "bold red", "warning": "yellow"}


def found_lines(
    files: Sequence[SourceFile], explained: Explained, width: int, signs: Signs
) -> list[Text]:
    """Every file with what was found in it, the documents that are about it at the end."""
    lines: list[Text] = []
    texts = {file.path: file.text.splitlines() for file in files}
    for file in files:
        of_file = [(item, about) for item, about in explained if item.path == file.path]
        lines.append(_heading(file.path, [item for item, _ in of_file]))
        for item, _ in of_file:
            lines += [Text(), *_diagnostic(item, texts[file.path], width, signs)]
    for item, _ in explained:
        if item.path not in texts:
            lines += [Text(), *_diagnostic(item, [], width, signs)]
    passages = _distinct(explained)
    if passages:
        lines += [Text(), Text("About it in the documents", style="dim")]
        lines += citation_lines(passages)
    return lines


def mended_lines(mended: Mended, diff: str, width: int) -> list[Text]:
    """What the repair did, as a diff, and what is left."""
    lines = [Text("Repair", style="bold")]
    for name, sentence in mended.applied:
        lines += wrapped(f"- {shown_text(sentence or name)}", min(width, _PROSE), indent="  ")
    lines += [Text(), *diff_lines(diff), Text()]
    left = len(mended.checked.errors)
    told = "Nothing is wrong after it." if mended.checked.ok else f"{_errors(left)} left after it."
    return [*lines, Text(told, style="bold" if mended.checked.ok else "")]


def diff_lines(diff: str) -> list[Text]:
    """A unified diff, coloured."""
    lines = []
    for line in diff.splitlines():
        style = ""
        if line.startswith(("+++", "---")):
            style = "bold"
        elif line.startswith("@@"):
            style = "dim cyan"
        elif line.startswith("+"):
            style = "green"
        elif line.startswith("-"):
            style = "red"
        lines.append(Text(line[:1] + shown_text(line[1:]).expandtabs(2), style=style))
    return lines


def diagnostic_documents(explained: Explained) -> list[dict[str, object]]:
    """Diagnostics with their passages, as JSON."""
    return [
        {**item.as_dict(), "passages": [passage_document(passage) for passage in about]}
        for item, about in explained
    ]


def _heading(path: str, items: Sequence[Diagnostic]) -> Text:
    errors = sum(item.severity == "error" for item in items)
    warnings = len(items) - errors
    told = [_errors(errors)] if errors else []
    told += [counted(warnings, "warning")] if warnings else []
    line = Text(path, style="bold")
    return line + Text(f"  {', '.join(told) or 'nothing is wrong'}", style="" if told else "dim")


def _errors(number: int) -> str:
    return counted(number, "error")


def _diagnostic(item: Diagnostic, lines: Sequence[str], width: int, signs: Signs) -> list[Text]:
    place = f"{item.line}:{item.column}" if item.line and item.column else str(item.line or "")
    head = Text(f"  {place:<8}" if place else "  ")
    head.append(item.severity, style=_STYLES[item.severity])
    head.append(f"  {shown_text(item.code)}", style="dim")
    told = [head, *_indented(item.message, width)]
    if item.line is not None and 0 < item.line <= len(lines):
        told += _excerpt(item, lines[item.line - 1], width, signs)
    if item.explanation:
        told += _indented(item.explanation, width)
    if item.docs:
        told.append(Text(f"          {shown_text(item.docs)}", style="dim underline"))
    return told


def _indented(text: str, width: int) -> list[Text]:
    room = max(30, min(width, _PROSE) - 10)
    return [
        Text("          ") + line
        for part in shown_text(text).splitlines()
        for line in wrapped(part, room)
    ]


def _excerpt(item: Diagnostic, source: str, width: int, signs: Signs) -> list[Text]:
    """The line, and a mark under what is meant."""
    number = f"{item.line:>6} {signs.zero} "
    shown = shown_text(source).expandtabs(2)
    room = max(20, width - len(number))
    lines = [Text(f"{number}{shown[:room]}", style="cyan")]
    if item.column:
        start = len(shown_text(source[: item.column - 1]).expandtabs(2))
        same_line = item.end_line in (None, item.line) and item.end_column
        end = len(shown_text(source[: (item.end_column or 1) - 1]).expandtabs(2))
        length = max(1, end - start) if same_line else 1
        if start < room:
            mark = "^" * min(length, room - start)
            gap = " " * (len(number) - 2)
            lines.append(Text(f"{gap}{signs.zero} {' ' * start}{mark}", style="cyan"))
    return lines


def _distinct(explained: Explained) -> list[Passage]:
    found: Mapping[str, Passage] = {
        passage.id: passage for _, about in explained for passage in about
    }
    return list(found.values())
