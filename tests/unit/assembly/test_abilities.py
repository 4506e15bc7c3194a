"""What a model can do, by its template's text and its vocabulary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metier.assembly.abilities import abilities, lacking
from metier.formats import GgufFacts
from metier.generating import Message, Question

FACTS = GgufFacts(
    kind="model", task="generate", architecture="llama", name="", parameters=1, quantization="F16",
    context_length=1, embedding_length=1, block_count=1, head_count=1, kv_bytes_per_token=1,
    vocabulary=1,
)  # fmt: skip


def of(template: str | None, language: str = "jinja", **more: object) -> tuple[str, ...]:
    known = {"fills": False, "sees": False, **more}
    return abilities(FACTS, "generate", template=template, language=language, **known)  # type: ignore[arg-type]


def test_a_base_without_a_template_completes() -> None:
    assert of(None) == ("completion",)
    assert of(None, fills=True, sees=True) == ("completion", "insert", "vision")


def test_templates_are_searched_for_their_variables() -> None:
    assert of("{% if tools %}{{ tools }}{% endif %}") == ("completion", "tools")
    assert of("{% if enable_thinking %}…{% endif %}") == ("completion", "thinking")
    assert of("a toolset for people") == ("completion",)
    assert of("{{ if .Tools }}{{ .Suffix }}", "go") == ("completion", "tools", "insert")
    assert of("{{ .Thinking }} tools", "go") == ("completion", "thinking")


def test_the_headers_template_counts_where_there_is_no_other() -> None:
    facts = replace(FACTS, template="{{ tools }}")
    found = abilities(facts, "generate", template=None, language="go", fills=False, sees=False)
    assert found == ("completion", "tools")


@pytest.mark.parametrize(("task", "found"), [("embed", "embedding"), ("rerank", "rerank")])
def test_what_does_not_write(task: str, found: str) -> None:
    asked = abilities(FACTS, task, template=None, language="jinja", fills=True, sees=True)  # type: ignore[arg-type]
    assert asked == (found,)


def test_what_a_question_needs() -> None:
    can = ("completion", "tools")
    tool = {"type": "function", "function": {"name": "f"}}
    assert lacking(Question(prompt="hi"), can) is None
    assert lacking(Question(tools=(tool,)), can) is None
    assert lacking(Question(tools=(tool,)), ("completion",)) == "tools"
    assert lacking(Question(tools=(tool,), tool_choice="none"), ("completion",)) is None
    assert lacking(Question(prompt="a", suffix="b"), can) == "insert"
    assert lacking(Question(think=True), can) == "thinking"
    assert lacking(Question(think=False), can) is None
    picture = Message("user", "see", pictures=(b"",))
    assert lacking(Question(messages=(picture,)), can) == "vision"
    assert lacking(Question(think=True, template="{{ .Thinking }}"), can) is None
    assert lacking(Question(prompt="hi"), ("embedding",)) == "completion"
