"""Templates whole: rendering a conversation, what a template can do, fuzzing both languages."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.engines.prompting.limits import MOST_TEMPLATE
from metier.engines.prompting.template import Template, compile_template
from metier.errors import InputError
from metier.generating import Message, ToolCall

CHATML = """{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{% endif %}
{%- for tool in tools %}{{ tool | tojson }}
{% endfor %}Answer calls as <tool_call>{"name": …}</tool_call>.<|im_end|>
{% elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'system' and loop.first %}{% continue %}{% endif %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.reasoning_content %}
<think>{{ message.reasoning_content }}</think>
{%- endif %}
{{- message.content }}
{%- for call in message.tool_calls or [] %}
{%- set made = {'name': call.function.name, 'arguments': call.function.arguments} %}
<tool_call>{{ made | tojson }}</tool_call>
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}{% endif %}"""
STRICT = """{{ bos_token }}{% for message in messages %}
{%- if message.role == 'system' %}{{ raise_exception('no system here') }}{% endif %}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('roles must alternate') }}{% endif %}
{%- if message.role == 'user' %}[INST] {{ message.content }} [/INST]
{%- else %} {{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"""
TALK = (Message("system", "be"), Message("user", "one"), Message("assistant", "two"))
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def template(text: str) -> Template:
    return compile_template(text, "jinja")


def test_a_conversation() -> None:
    assert template(CHATML).render((*TALK, Message("user", "three <b>"))) == (
        "<|im_start|>system\nbe<|im_end|>\n"
        "<|im_start|>user\none<|im_end|>\n"
        "<|im_start|>assistant\ntwo<|im_end|>\n"
        "<|im_start|>user\nthree <b><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_thinking_is_switched() -> None:
    asked = (Message("user", "q"),)
    assert template(CHATML).render(asked, think=False).endswith("<think>\n\n</think>\n\n")
    assert template(CHATML).render(asked).endswith("assistant\n")
    assert template(CHATML).render(asked, think=True).endswith("assistant\n")
    effort = template("{{ reasoning_effort }}/{{ enable_thinking }}/{{ thinking }}")
    assert effort.render(asked, think="max") == "high/True/True"
    assert effort.render(asked, think=False) == "low/False/False"
    assert effort.render(asked) == "//"


def test_an_answer_that_begins_at_once_has_no_thoughts_before_it() -> None:
    asked = (Message("user", "q"),)
    closed = template(CHATML).render(asked, think=True, settled=True)
    assert closed.endswith("<think>\n\n</think>\n\n")
    opened = template("{{ messages[0].content }}<think>\n\n")
    assert opened.render(asked, settled=True) == "q<think>\n\n</think>\n\n"
    channels = template("{{ messages[0].content }}{# <|channel|> <|message|> #}<|start|>assistant")
    assert channels.render(asked, settled=True).endswith("<|channel|>final<|message|>")
    assert template("{{ messages[0].content }}").render(asked, settled=True) == "q"


def test_tools_and_calls() -> None:
    call = Message("assistant", "", "hm", tool_calls=(ToolCall("look", {"at": "é"}),))
    prompt = template(CHATML).render((Message("user", "q"), call), tools=(TOOL,))
    assert '{"type": "function", "function": {"name": "look"' in prompt
    assert '<tool_call>{"name": "look", "arguments": {"at": "é"}}</tool_call>' in prompt
    assert "<think>hm</think>" in prompt


def test_what_a_template_can_do() -> None:
    chatml = template(CHATML)
    assert chatml.capabilities == {"tools", "thinking"}
    assert chatml.stops == ("<|im_end|>",)
    assert {"<tool_call>", "</think>"} <= set(chatml.preserved)
    assert template(STRICT).capabilities == frozenset()
    assert template("{{ messages[0].content }}").stops == ()


def test_a_template_without_system_puts_it_before_the_user() -> None:
    strict = template(STRICT)
    assert not strict.manner.knows_system
    assert strict.render(TALK, bos="<s>", eos="</s>") == "<s>[INST] be\n\none [/INST] two</s>"
    silent = template("{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}")
    assert silent.render(TALK) == "be\n\none"


def test_neighbours_are_joined_where_roles_must_alternate() -> None:
    talk = (Message("user", "a"), Message("user", "b"))
    assert template(STRICT).render(talk) == "[INST] a\n\nb [/INST]"
    with pytest.raises(InputError, match="roles must alternate"):
        template(STRICT).render((Message("assistant", "a"),))


def test_manners_are_found_out() -> None:
    lists = template("{% for m in messages %}{{ m.content[0].text }}{% endfor %}")
    assert lists.manner.lists
    assert lists.render((Message("user", "a"),)) == "a"
    texts = template(
        "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}"
        "{{ c.function.name + c.function.arguments }}{% endfor %}{% endfor %}"
    )
    assert texts.manner.texts
    call = Message("assistant", "", tool_calls=(ToolCall("f", {"a": 1}),))
    assert texts.render((call,)) == 'f{"a": 1}'
    short = template(
        "{% for m in messages %}{% if m.tool_calls %}{{ m.tool_calls[0].id }}"
        "{% if m.tool_calls[0].id | length != 9 %}{{ raise_exception('9') }}{% endif %}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    named = Message("assistant", "", tool_calls=(ToolCall("f", {}, "call_0123456789"),))
    assert short.render((named,)) == "123456789"


def test_go_templates() -> None:
    go = compile_template(
        "{{ if .Suffix }}<P>{{ .Prompt }}<S>{{ .Suffix }}<M>{{ else }}{{ range .Messages }}"
        "<{{ .Role }}>{{ .Content }}</s>{{ end }}{{ if .Tools }}{{ .Tools }}{{ end }}"
        "{{ if .Think }}<think>{{ end }}{{ end }}",
        "go",
    )
    assert go.capabilities == {"insert", "thinking", "tools"}
    assert go.stops == ("</s>",)
    assert go.fill("a", "b") == "<P>a<S>b<M>"
    assert go.render(TALK[1:2], think=True) == "<user>one</s><think>"
    assert compile_template("{{ .Prompt }}", "go").fill("a", "b") is None
    assert template(CHATML).fill("a", "b") is None


def test_templates_are_compiled_once() -> None:
    assert template(CHATML) is template(CHATML)
    assert compile_template("{{ .Prompt }}", "go") is not compile_template("{{ x }}", "jinja")


@pytest.mark.parametrize("language", ["jinja", "go"])
def test_a_text_that_is_too_long(language: Any) -> None:
    with pytest.raises(InputError) as caught:
        compile_template("a" * (MOST_TEMPLATE + 1), language)
    assert caught.value.code == "bad_template"


def tried(text: str, language: Any) -> None:
    """Whatever the text, it renders or a MetierError says why, within a second."""
    start = time.thread_time()
    with suppress(InputError):
        made = Template(text, language)
        made.render((*TALK, Message("user", "x", pictures=(b"p",))), tools=(TOOL,), think=True)
        assert isinstance(made.capabilities, frozenset)
        assert isinstance(made.stops, tuple)
        made.fill("a", "b")
    assert time.thread_time() - start < 1


WORDS = {
    "jinja": (
        "{{ }} {% %} {%- -%} {# #} for in if else elif endif endfor set endset macro endmacro call "
        "messages message m.content m.role loop loop.first tools tojson | trim join(',') ( ) [ ] { "
        "} ' \" + - * ** / // % ~ == != < > , . : range(99999) 10**9 'a' 1 1.5 none true not or "
        "is defined namespace(a=1) raise_exception('x') recursive loop(m) [::-1] |map('upper') "
        "|list |length |tojson(indent=9) .format(1) .split() generation endgeneration continue"
    ),
    "go": (
        "{{ }} {{- -}} /* */ if else end range with define template block break . .Messages "
        "$.Messages .Role .Content .System .Prompt .Response .Tools .Suffix .ToolCalls $ $x := $x, "
        '$y | ( ) eq ne lt and or not len index slice printf print json "%s" "a" `b` 1 99999 '
        "'c' nil true currentDate .Function.Parameters.Properties .Think \"%9999d\" 0x1 -1.5e3"
    ),
}


def texts(language: str) -> st.SearchStrategy[str]:
    parts = st.sampled_from(WORDS[language].split()) | st.sampled_from([" ", "\n", "x"]) | st.text()
    return st.lists(parts, max_size=25).map(" ".join) | st.lists(parts, max_size=25).map("".join)


@settings(max_examples=250, deadline=None)
@given(texts("jinja") | st.binary().map(lambda data: data.decode("utf-8", "replace")))
def test_any_text_as_a_jinja_template(text: str) -> None:
    tried(text, "jinja")


@settings(max_examples=250, deadline=None)
@given(texts("go") | st.binary().map(lambda data: data.decode("utf-8", "replace")))
def test_any_text_as_a_go_template(text: str) -> None:
    tried(text, "go")


def statements(language: str) -> st.SearchStrategy[str]:
    """Templates that are nearly right, by nesting statements around expressions."""
    jinja = language == "jinja"
    atoms = st.sampled_from(
        ["messages", "tools", "1", "'a'", "x.y", "[1, 2]", "{'a': 1}", "none", "range(9)", "m"]
        if jinja
        else [".Messages", ".Tools", "1", '"a"', ".X.Y", ".", "$", "nil", ".System", "true"]
    )
    wrap = (
        ["({} + {})", "({} ~ {})", "({} == {})", "{}[{}]", "({} in {})", "({} * {})", "[{}, {}]"]
        if jinja
        else ["(eq {} {})", "(index {} {})", "(printf {} {})", "(and {} {})", "(slice {} {})"]
    )
    expressions = st.recursive(
        atoms,
        lambda inner: st.builds(
            lambda form, a, b: form.format(a, b), st.sampled_from(wrap), inner, inner
        ),
        max_leaves=5,
    )
    forms = (
        ["{{{{ {} }}}}{}", "{{% for m in {} %}}{}{{% endfor %}}", "{{% if {} %}}{}{{% endif %}}"]
        if jinja
        else [
            "{{{{ {} }}}}{}",
            "{{{{ range {} }}}}{}{{{{ end }}}}",
            "{{{{ with {} }}}}{}{{{{ end }}}}",
        ]
    )
    return st.recursive(
        st.just("x"),
        lambda inner: st.builds(
            lambda form, e, body: form.format(e, body), st.sampled_from(forms), expressions, inner
        ),
        max_leaves=6,
    )


@settings(max_examples=250, deadline=None)
@given(statements("jinja"))
def test_nested_jinja(text: str) -> None:
    tried(text, "jinja")


@settings(max_examples=250, deadline=None)
@given(statements("go"))
def test_nested_go(text: str) -> None:
    tried(text, "go")
