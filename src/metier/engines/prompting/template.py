"""Chat templates of either language, compiled once: rendering, and what a template can do.

It knows how a conversation becomes a prompt; the languages themselves are known to ``jinja`` and
``golang``, marks to ``dialects``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

from metier.engines.prompting.conversation import PICTURE, Manner, system_first, variables_of
from metier.engines.prompting.dialects import Dialect, dialect_of
from metier.engines.prompting.golang import GoTemplate, collated
from metier.engines.prompting.limits import MOST_TEMPLATE
from metier.errors import InputError
from metier.generating import Message, TemplateLanguage, ToolCall

_MARK = "Qx7markZ"
_ASKED = (Message("user", _MARK),)
_TOOL = {
    "type": "function",
    "function": {
        "name": "mark_tool",
        "description": "A tool.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}
_END = re.compile(r"\s*(<[^<>\s]{1,40}>|\[/?[A-Z_]{1,20}\]|#{2,3} [A-Z][a-z]+:?)")


class Template:
    """One compiled template; threads share it.

    Args:
        text: Its text.
        language: Of the text.
    """

    def __init__(self, text: str, language: TemplateLanguage) -> None:
        self.text = text
        self.language = language
        self._go = GoTemplate(text) if language == "go" else None
        self._jinja = _jinja(text) if language == "jinja" else None

    def render(
        self,
        messages: Sequence[Message] = (),
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        think: bool | str | None = None,
        bos: str = "",
        eos: str = "",
        add_generation_prompt: bool = True,
        settled: bool = False,
    ) -> str:
        """The prompt of a conversation.

        An assistant's message at the end is continued, not answered.

        Args:
            messages: The conversation.
            tools: Functions in OpenAI's shape.
            think: Whether, or how hard, the model thinks first; ``None`` as it does by default.
            bos: Text of the token that starts a sequence.
            eos: Text of the token that ends one.
            add_generation_prompt: Whether the assistant's turn is opened at the end.
            settled: Whether the answer itself begins at once, because a constraint holds from its
                first token: thinking is switched off, and closed if the prompt has opened it.

        Raises:
            InputError: ``bad_template``, ``template_too_slow``, ``template_too_long``.
        """
        think = False if settled else think
        besides = {"bos": bos, "eos": eos, "add_generation_prompt": add_generation_prompt}
        if not self.manner.knows_system:
            messages = system_first(messages)
        try:
            prompt = self._rendered(messages, tools, think, self.manner, **besides)
        except InputError as error:
            together = collated(messages)[1]
            if error.code != "bad_template" or len(together) == len(messages):
                raise
            prompt = self._rendered(together, tools, think, self.manner, **besides)
        return prompt + self._answer_opened(prompt) if settled else prompt

    def _answer_opened(self, prompt: str) -> str:
        """What must follow a prompt so that the answer itself comes next."""
        end = prompt.rstrip()
        if self.dialect.harmony:
            return "<|channel|>final<|message|>" if end.endswith("<|start|>assistant") else ""
        for opening, closing in self.dialect.thoughts:
            if end.endswith(opening.strip()):
                return f"\n{closing}\n\n"
        return ""

    def fill(self, prompt: str, suffix: str) -> str | None:
        """The prompt for a gap, if the template has one of its own; ``None`` if not."""
        if self._go is None or "suffix" not in self._go.names:
            return None
        return self._go.fill(prompt, suffix)

    def _rendered(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        think: bool | str | None = None,
        manner: Manner | None = None,
        **besides: Any,
    ) -> str:
        if self._go is not None:
            return self._go.render(messages, tools, think)
        variables = {
            "messages": [variables_of(m, i, manner or Manner()) for i, m in enumerate(messages)],
            "tools": [dict(tool) for tool in tools] or None,
            "bos_token": besides.get("bos", ""),
            "eos_token": besides.get("eos", ""),
            "add_generation_prompt": besides.get("add_generation_prompt", True),
            **_thinking(think),
        }
        return "" if self._jinja is None else self._jinja(variables)

    @cached_property
    def dialect(self) -> Dialect:
        """The marks that the model writes."""
        return dialect_of(self.text)

    @property
    def preserved(self) -> tuple[str, ...]:
        """Marks for llama.cpp's ``preserved_tokens``: written out though they are special."""
        return self.dialect.marks

    @cached_property
    def manner(self) -> Manner:
        """How it wants its messages, found out by rendering some."""
        if self._go is not None:
            return Manner()
        lists = _MARK not in self._tried(_ASKED) and _MARK in self._tried(
            _ASKED, manner=Manner(lists=True)
        )
        manner = Manner(lists=lists, short_ids="== 9" in self.text or "!= 9" in self.text)
        called = (*_ASKED, Message("assistant", "", tool_calls=(ToolCall(_MARK, {"a": 1}),)))
        if "tool_calls" in self.text:
            texts = replace(manner, texts=True)
            if not self._tried(called, manner=manner) and self._tried(called, manner=texts):
                manner = texts
        told = (Message("system", _MARK), Message("user", "a"))
        return replace(manner, knows_system=_MARK in self._tried(told, manner=manner))

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """What it can do besides chat: ``tools``, ``thinking``, ``insert``."""
        found = set()
        if self._go is not None and "suffix" in self._go.names:
            found.add("insert")
        if "tools" in self.text.lower() and "mark_tool" in self._tried(_ASKED, tools=(_TOOL,)):
            found.add("tools")
        thought, plain = self._tried(_ASKED, think=True), self._tried(_ASKED, think=False)
        if self.dialect.thinks or thought != plain:
            found.add("thinking")
        return frozenset(found)

    @cached_property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an assistant's turn, where the template shows one."""
        turns = (Message("user", "a"), Message("assistant", _MARK), Message("user", "b"))
        _, found, rest = self._tried(turns).partition(_MARK)
        end = _END.match(rest) if found else None
        return (end[1],) if end else ()

    def _tried(
        self, messages: Sequence[Message], *, manner: Manner | None = None, **how: Any
    ) -> str:
        """What it renders, or "" if it refuses."""
        try:
            return self._rendered(messages, manner=manner, **how)
        except InputError:
            return ""


def _jinja(text: str) -> Callable[[Mapping[str, Any]], str]:
    """A Jinja template; the language is loaded when the first one comes."""
    from metier.engines.prompting.jinja import compile_jinja

    return compile_jinja(text)


def _thinking(think: bool | str | None) -> dict[str, Any]:
    """The switches of the families: Qwen's, Granite's and DeepSeek's, gpt-oss's."""
    if think is None:
        return {}
    fields: dict[str, Any] = {"enable_thinking": bool(think), "thinking": bool(think)}
    if isinstance(think, str):
        fields["reasoning_effort"] = "high" if think == "max" else think
    elif not think:
        fields["reasoning_effort"] = "low"
    return fields


@lru_cache(maxsize=64)
def _compiled(text: str, language: TemplateLanguage) -> Template:
    return Template(text, language)


def compile_template(text: str, language: TemplateLanguage) -> Template:
    """Compile a template, or take the one that was compiled before.

    Raises:
        InputError: ``bad_template``, with the line.
    """
    if len(text) > MOST_TEMPLATE:
        raise InputError(
            f"The chat template has {len(text)} characters; at most {MOST_TEMPLATE} are read.",
            code="bad_template",
        )
    return _compiled(text, language)


__all__ = ["PICTURE", "Template", "compile_template"]
