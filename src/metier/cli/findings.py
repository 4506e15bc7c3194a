"""What a check found wrong: what, where and how to mend it, never more than a screen.

It knows the shape that checks share (``what``, ``where``, ``remedy``) and nothing of the checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from metier.cli.terminal import wrapped
from metier.cli.wording import count, counted

_SHOWN = 20


def problems_found(problems: Sequence[Any]) -> str:
    """How many, in words: ``no problems``, ``1 problem``."""
    return counted(len(problems), "problem") if problems else "no problems"


def problem_lines(problems: Sequence[Mapping[str, Any]], width: int) -> list[Text]:
    """Each problem as a paragraph (at most twenty; ``--json`` has them all)."""
    lines = []
    for problem in problems[:_SHOWN]:
        lines += [Text("  ") + line for line in wrapped(_said(problem), width - 2, indent="  ")]
    if len(problems) > _SHOWN:
        lines.append(Text(f"  and {count(len(problems) - _SHOWN)} more; see them with --json."))
    return lines


def _said(problem: Mapping[str, Any]) -> str:
    what = str(problem["what"])
    told = f"{problem['where']}: {what}" if problem.get("where") else what
    if not problem.get("remedy"):
        return told
    return f"{told}{'' if told.endswith('.') else '.'} What to do: {problem['remedy']}"
