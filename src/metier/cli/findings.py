"""What a check found: facts as aligned rows, problems as what, where and how to mend it.

It knows the shape that checks share (a mapping of facts with a list ``problems``) and nothing of
the checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from metier.cli.terminal import Line, aligned, wrapped
from metier.cli.wording import count, counted

_SHOWN = 20


def finding_lines(found: Mapping[str, Any], width: int) -> list[Text]:
    """The facts, then the problems (at most twenty; ``--json`` has them all)."""
    rows: list[list[Line]] = [
        [Text(name.replace("_", " "), style="dim"), _said(value)]
        for name, value in found.items()
        if name != "problems" and _said(value)
    ]
    problems = found.get("problems") or []
    lines = aligned(rows, "ll")
    lines += [Text("No problems found.")] if not problems else problem_lines(problems, width)
    return lines


def problem_lines(problems: Sequence[Any], width: int) -> list[Text]:
    """Each problem as a paragraph."""
    lines = [Text(f"{counted(len(problems), 'problem')}:", style="bold")]
    for problem in problems[:_SHOWN]:
        lines += [Text("  ") + line for line in wrapped(_problem(problem), width - 2, indent="  ")]
    if len(problems) > _SHOWN:
        lines.append(Text(f"  and {count(len(problems) - _SHOWN)} more; see them with --json."))
    return lines


def _problem(problem: Any) -> str:
    if not isinstance(problem, Mapping):
        return str(problem)
    what, where = problem.get("what", ""), problem.get("where")
    told = f"{where}: {what}" if where else str(what)
    remedy = problem.get("remedy")
    return f"{told} What to do: {remedy}" if remedy else told


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        shown = [said for said in (_said(item) for item in value[:5]) if said]
        return ", ".join(shown) + (", …" if len(value) > 5 else "")
    return "" if value is None else str(value)
