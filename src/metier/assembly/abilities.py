"""What a local model can do, read off its header and its template without rendering it.

A template is somebody else's program: it is only run inside the worker. Here its text is searched
for the variables that it uses, as Ollama does for its own templates.
"""

from __future__ import annotations

import re

from metier.formats import GgufFacts
from metier.generating import Question, Task, TemplateLanguage

_GO = {
    "tools": re.compile(r"\.Tools\b"),
    "insert": re.compile(r"\.Suffix\b"),
    "thinking": re.compile(r"\.(?:Thinking|Think|IsThinkSet)\b"),
}
_JINJA = {
    "tools": re.compile(r"\btools\b"),
    "thinking": re.compile(r"\benable_thinking\b|\breasoning_content\b|</?think>"),
}


def abilities(
    facts: GgufFacts,
    task: Task,
    *,
    template: str | None,
    language: TemplateLanguage,
    fills: bool,
    sees: bool,
) -> tuple[str, ...]:
    """What a model does, in Ollama's words.

    Args:
        facts: Of its header.
        task: Of its weights.
        template: Its own, or ``None``: the header's.
        language: Of its own template.
        fills: Whether its vocabulary marks the sides of a gap.
        sees: Whether it has a projector.
    """
    if task != "generate":
        return ("embedding",) if task == "embed" else ("rerank",)
    text = facts.template or "" if template is None else template
    marks = _GO if template is not None and language == "go" else _JINJA
    found = {name for name, mark in marks.items() if mark.search(text)}
    if fills:
        found.add("insert")
    if sees:
        found.add("vision")
    order = ("tools", "insert", "vision", "thinking")
    return ("completion", *(name for name in order if name in found))


def lacking(question: Question, capabilities: tuple[str, ...]) -> str | None:
    """The first ability that a question needs and a model lacks, or ``None``."""
    needed = {
        "completion": True,
        "vision": any(message.pictures for message in question.messages),
        "tools": bool(question.tools) and question.tool_choice != "none",
        "insert": question.suffix is not None,
        "thinking": bool(question.think),
    }
    if question.template is not None:
        # The caller's own template decides what is said of tools, gaps and thoughts.
        needed |= {"tools": False, "insert": False, "thinking": False}
    return next((name for name, need in needed.items() if need and name not in capabilities), None)
