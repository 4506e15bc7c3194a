"""A conversation over templates of both of Ollama's ages."""

from __future__ import annotations

import pytest

from metier.engines.prompting.conversation import PICTURE
from metier.engines.prompting.golang.turns import GoTemplate, collated
from metier.errors import InputError
from metier.generating import Message, ToolCall

LEGACY = (
    "{{ if .System }}<S>{{ .System }}</S>{{ end }}{{ if .Prompt }}<U>{{ .Prompt }}</U>{{ end }}"
    "<A>{{ .Response }}</A>"
)
MODERN = """{{- if or .System .Tools }}<S>{{ .System }}
{{- if .Tools }}[{{ range .Tools }}{{ .Function }}{{ end }}]{{ end }}</S>{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<U>{{ .Content }}</U>
{{- else if eq .Role "assistant" }}<A>
{{- if and $.IsThinkSet .Thinking }}<T>{{ .Thinking }}</T>{{ end }}{{ .Content }}
{{- range .ToolCalls }}<C>{{ .Function.Name }}{{ .Function.Arguments }}</C>{{ end }}
{{- if not $last }}</A>{{ end }}
{{- else if eq .Role "tool" }}<R {{ .ToolName }} {{ .ToolCallID }}>{{ .Content }}</R>{{ end }}
{{- if and $last (ne .Role "assistant") }}<A>{{ if $.Think }}{{ end }}{{ end }}
{{- end }}"""
TALK = (
    Message("system", "be"),
    Message("user", "one"),
    Message("assistant", "two"),
    Message("user", "three"),
)
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "d",
        "parameters": {
            "type": "object",
            "required": ["b"],
            "properties": {
                "b": {"description": "x", "type": "string", "enum": ["p"], "default": "p"},
                "a": {"type": ["integer", "null"]},
            },
        },
    },
}


def test_an_old_template_runs_once_a_turn() -> None:
    assert GoTemplate(LEGACY).render(TALK) == "<S>be</S><U>one</U><A>two</A><U>three</U><A>"


def test_an_old_template_continues_an_answer() -> None:
    assert GoTemplate(LEGACY).render(TALK[:3]) == "<S>be</S><U>one</U><A>two"


def test_a_late_system_message_starts_a_turn() -> None:
    talk = (*TALK[1:3], Message("system", "late"), Message("user", "four"))
    assert GoTemplate(LEGACY).render(talk) == "<U>one</U><A>two</A><S>late</S><U>four</U><A>"


def test_the_answer_is_cut_inside_a_branch() -> None:
    source = "{{ if .Prompt }}{{ .Prompt }}:{{ .Response }} end{{ else }}no{{ end }} after"
    assert GoTemplate(source).render(TALK[1:2]) == "one:"


def test_a_template_of_a_prompt_alone_gets_a_response() -> None:
    assert GoTemplate("{{ .Prompt }}").render(TALK) == "onetwothree"


def test_a_template_of_messages_runs_once() -> None:
    assert GoTemplate(MODERN).render(TALK) == "<S>be</S><U>one</U><A>two</A><U>three</U><A>"
    assert GoTemplate(MODERN).render(TALK[:3]) == "<S>be</S><U>one</U><A>two"


def test_tools_and_calls() -> None:
    talk = (
        Message("user", "q"),
        Message("assistant", "", tool_calls=(ToolCall("f", {"b": "<", "a": 1}, "i"),)),
        Message("tool", "r1", tool_name="f", tool_call_id="i"),
        Message("tool", "r2", tool_name="f"),
    )
    prompt = GoTemplate(MODERN).render(talk, [TOOL])
    assert prompt == (
        '<S>[{"name":"f","description":"d","parameters":{"type":"object","required":["b"],'
        '"properties":{"a":{"type":["integer","null"]},'
        '"b":{"type":"string","description":"x","enum":["p"],"default":"p"}}}}]</S>'
        '<U>q</U><A><C>f{"a":1,"b":"\\u003c"}</C></A><R f i>r1</R><R f >r2</R><A>'
    )


def test_thinking_is_seen() -> None:
    source = "{{ range .Messages }}{{ end }}{{ .Think }}{{ .ThinkLevel }}{{ .IsThinkSet }}"
    template = GoTemplate(source)
    assert template.render(TALK, think=None) == "falsefalse"
    assert template.render(TALK, think=True) == "truemediumtrue"
    assert template.render(TALK, think=False) == "falsetrue"
    assert template.render(TALK, think="high") == "truehightrue"


def test_neighbours_of_one_role_are_joined() -> None:
    system, together = collated(
        (
            Message("system", "a"),
            Message("user", "b", pictures=(b"1",)),
            Message("user", "c [img]", pictures=(b"2",)),
            Message("system", "d"),
            Message("tool", "e"),
            Message("tool", "f"),
        )
    )
    assert system == "a\n\nd"
    assert [m.role for m in together] == ["system", "user", "system", "tool", "tool"]
    assert together[1].text == "[img]b\n\nc [img]"
    assert together[1].pictures == (b"1", b"2")


def test_pictures_stand_where_they_belong() -> None:
    talk = (Message("user", "see [img] here", pictures=(b"1",)),)
    assert GoTemplate(LEGACY).render(talk) == f"<U>see {PICTURE} here</U><A>"


def test_gaps() -> None:
    template = GoTemplate("{{ if .Suffix }}<P>{{ .Prompt }}<S>{{ .Suffix }}<M>{{ end }}")
    assert "suffix" in template.names
    assert template.fill("a", "b") == "<P>a<S>b<M>"


def test_wrong_types_of_a_tool_are_borne() -> None:
    tools = ({"function": {"name": 1, "parameters": {"properties": {"a": 3}, "required": "x"}}}, {})
    assert '"name":"1"' in GoTemplate(MODERN).render(TALK, tools)


def test_deep_values_are_an_error_not_a_crash() -> None:
    deep: dict[str, object] = {}
    for _ in range(3000):
        deep = {"properties": deep}
    with pytest.raises(InputError):
        GoTemplate(MODERN).render(TALK, [{"function": {"name": "f", "parameters": deep}}])
