"""Chat templates of either language, compiled once: rendering, and what a template can do.

It knows how a conversation becomes a prompt; the languages themselves are known to ``jinja`` and
``golang``, marks to ``dialects``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from metier.engines.prompting.conversation import PICTURE, system_first, variables_of
from metier.engines.prompting.dialects import Dialect, dialect_of
from metier.engines.prompting.golang import GoTemplate
from metier.engines.prompting.jinja import Renderer, compile_jinja
from metier.engines.prompting.limits import MOST_TEMPLATE
from metier.errors import InputError
from metier.generating import Message, TemplateLanguage

_MARK = "Qx7markZ"
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
        self._jinja: Renderer | None = compile_jinja(text) if language == "jinja" else None

    def render(
        self,
        messages: Sequence[Message] = (),
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        think: bool | str | None = None,
        bos: str = "",
        eos: str = "",
        add_generation_prompt: bool = True,
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

        Raises:
            InputError: ``bad_template``, ``template_too_slow``, ``template_too_long``.
        """
        if not self.knows_system and any(m.role == "system" for m in messages):
            messages = system_first(messages)
        return self._rendered(
            messages, tools, think, bos=bos, eos=eos, add_generation_prompt=add_generation_prompt
        )

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
        **besides: Any,
    ) -> str:
        if self._go is not None:
            return self._go.render(messages, tools, think)
        short_ids = "== 9" in self.text or "!= 9" in self.text
        variables = {
            "messages": [variables_of(m, i, short_ids=short_ids) for i, m in enumerate(messages)],
            "tools": [dict(tool) for tool in tools] or None,
            "bos_token": besides.pop("bos", ""),
            "eos_token": besides.pop("eos", ""),
            "add_generation_prompt": True,
            **besides,
            **_thinking(think),
        }
        if self._jinja is None:
            return ""
        return self._jinja(variables)

    @cached_property
    def dialect(self) -> Dialect:
        """The marks that the model writes."""
        return dialect_of(self.text)

    @property
    def preserved(self) -> tuple[str, ...]:
        """Marks for llama.cpp's ``preserved_tokens``: written out though they are special."""
        return self.dialect.marks

    @cached_property
    def knows_system(self) -> bool:
        """Whether a system message stands in what the template makes."""
        try:
            messages = (Message("system", _MARK), Message("user", "a"))
            return _MARK in self._rendered(messages)
        except InputError:
            return False

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """What it can do besides chat: ``tools``, ``thinking``, ``insert``."""
        found = set()
        asked = (Message("user", _MARK),)
        if self._go is not None and "suffix" in self._go.names:
            found.add("insert")
        if "tools" in self.text.lower() and "mark_tool" in self._tried(asked, tools=(_TOOL,)):
            found.add("tools")
        if self.dialect.thinks or self._tried(asked, think=True) != self._tried(asked, think=False):
            found.add("thinking")
        return frozenset(found)

    @cached_property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an assistant's turn, where the template shows one."""
        turns = (Message("user", "a"), Message("assistant", _MARK), Message("user", "b"))
        _, found, rest = self._tried(turns).partition(_MARK)
        end = _END.match(rest) if found else None
        return (end[1],) if end else ()

    def _tried(self, messages: Sequence[Message], **how: Any) -> str:
        try:
            return self._rendered(messages, **how)
        except InputError:
            return ""


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
