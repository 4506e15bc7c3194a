"""From a question to what the engine is asked: a prompt in tokens, a limit, a constraint.

It runs inside the worker. It knows how each kind of prompt becomes tokens and what fits into the
context; templates are known to :mod:`metier.engines.prompting`.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from metier.engines.llamacpp.sampling import DEFAULTS, parameters
from metier.engines.llamacpp.serving import Served, too_long
from metier.engines.llamacpp.vocabulary import Vocabulary
from metier.engines.prompting import (
    PICTURE,
    Parser,
    Template,
    compile_template,
    constraint_fields,
    fill_middle,
    fit,
    forced_tools,
)
from metier.errors import InputError
from metier.generating import Message, Options, Question, Voice

_CONTEXTS: Final = 10  # contexts that an endless answer may fill by shifting
_MOST_LOGPROBS: Final = 20
_RESERVE: Final = 4  # a conversation that is cut leaves a quarter of the context at most
_BARE: Final = "{{ if .System }}{{ .System }}\n\n{{ end }}{{ .Prompt }}"
"""The template of a base that has none: what was said, and then it goes on."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the engine is asked.

    Attributes:
        body: The request, without what every request carries.
        tokens: Of the prompt; empty if pictures are in it, which only the engine can count.
        parser: Takes the answer apart.
        truncated: Whether messages were left out.
        nothing: Whether no token of an answer is wanted.
        whole: Whether it cannot go on after a pause: a grammar would begin anew, pictures are not
            in its tokens, a shifted context has lost its beginning.
    """

    body: dict[str, Any]
    tokens: list[int]
    parser: Parser
    truncated: bool
    nothing: bool
    whole: bool


class Asking:
    """Prepares questions to one loaded base; threads share it.

    Args:
        served: The base.
        vocabulary: Its vocabulary.
    """

    def __init__(self, served: Served, vocabulary: Vocabulary) -> None:
        self._served = served
        self._vocabulary = vocabulary
        with contextlib.suppress(InputError):  # whoever needs a broken one is told then
            self.prepare(Question(messages=(Message("user", "warm up"),)), Voice())

    def prepare(self, question: Question, voice: Voice) -> Asked:
        """What the engine is asked for a question.

        Raises:
            InputError: ``prompt_too_long``, ``no_capability``, ``bad_template``,
                ``template_too_slow``, ``template_too_long``, ``bad_grammar``, ``bad_tool_choice``.
        """
        options = question.options.over(voice.options).over(DEFAULTS)
        fields = constraint_fields(question)
        template = self._template(question, voice) if question.messages else None
        messages, truncated = self._fitted(question, template, options)
        prompt = self._text(question, template, messages)
        pictures = [picture for message in messages for picture in message.pictures]
        tokens = [] if pictures else self._tokens(question, prompt)
        room = self._served.context - len(tokens)
        if room < 1:
            raise too_long(len(tokens), self._served.context)
        body = {
            **parameters(options, self._served.context),
            **fields,
            **(self._with_pictures(prompt, pictures) if pictures else {"prompt": tokens}),
            "n_predict": _most(options, room, self._served.context, shift=question.shift),
            "cache_prompt": question.cache_prompt,
            "lora": self._served.adapters(voice.adapters),
        }
        if template is not None:
            body["preserved_tokens"] = list(template.preserved)
            body["stop"] += [stop for stop in template.stops if stop not in body["stop"]]
        if question.logprobs:
            body["n_probs"] = min(max(question.top_logprobs, 1), _MOST_LOGPROBS)
        parser = Parser(
            template,
            _shown(question),
            prompt=prompt,
            forced=bool(forced_tools(question)),
            literal=bool(fields),
        )
        whole = bool(fields) or bool(pictures) or body["n_predict"] > room
        return Asked(body, tokens, parser, truncated, options.num_predict == 0, whole)

    def _template(self, question: Question, voice: Voice) -> Template:
        if question.template is not None:
            return compile_template(question.template, question.template_language)
        if voice.template is not None:
            return compile_template(voice.template, voice.template_language)
        if self._vocabulary.template is not None:
            return compile_template(self._vocabulary.template, "jinja")
        return compile_template(_BARE, "go")

    def _fitted(
        self, question: Question, template: Template | None, options: Options
    ) -> tuple[Sequence[Message], bool]:
        """The messages that fit, and whether any was left out."""
        messages = question.messages
        context = self._served.context
        if template is None or not question.truncate:
            return messages, False

        def render(kept: Sequence[Message]) -> str:
            return self._text(question, template, kept)

        def count(text: str) -> int:
            return len(self._tokens(question, text))

        if count(render(messages)) < context:
            return messages, False
        wanted = options.num_predict if (options.num_predict or 0) > 0 else context
        return fit(messages, render, count, context - min(wanted or 1, context // _RESERVE) - 1)

    def _text(
        self, question: Question, template: Template | None, messages: Sequence[Message]
    ) -> str:
        if template is not None:
            return template.render(
                messages,
                tools=_shown(question),
                think=question.think,
                bos=self._vocabulary.bos_text,
                eos=self._vocabulary.eos_text,
            )
        prompt = question.prompt or ""
        if question.suffix is None:
            return prompt
        return fill_middle(
            self._vocabulary.gap_keys, prompt, question.suffix, self._vocabulary.text
        )

    def _tokens(self, question: Question, text: str) -> list[int]:
        """Tokens of the whole prompt; templates often write the first token themselves."""
        vocabulary = self._vocabulary
        begun = vocabulary.adds_bos and bool(vocabulary.bos_text)
        if begun and not question.context and text.startswith(vocabulary.bos_text):
            text = text[len(vocabulary.bos_text) :]
        tokens = [*question.context, *vocabulary.tokens(text, whole=not question.context)]
        begin = vocabulary.eos if vocabulary.bos is None else vocabulary.bos
        return tokens or ([] if begin is None else [begin])  # the engine refuses nothing at all

    def _with_pictures(self, prompt: str, pictures: list[bytes]) -> dict[str, Any]:
        if not self._served.sees:
            raise InputError(
                "The model cannot see pictures: it has no projector.",
                code="no_capability",
                remedy="Leave the pictures out, or use a model that sees.",
            )
        first, *texts = prompt.split(PICTURE)
        parts: list[dict[str, Any]] = [{"type": "text", "text": first}]
        for picture, text in zip(pictures, texts, strict=True):
            # It goes by the bytes, whatever kind is said.
            address = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": address}})
            parts.append({"type": "text", "text": text})
        return {"messages": [{"role": "user", "content": parts}]}


def _shown(question: Question) -> Sequence[Any]:
    """The tools that the model is told of."""
    return () if question.tool_choice == "none" else question.tools


def _most(options: Options, room: int, context: int, *, shift: bool) -> int:
    """Tokens at most: without shifting what the context has room for."""
    wanted = options.num_predict if options.num_predict is not None else -1
    limit = _CONTEXTS * context if shift else room
    return limit if wanted < 0 else min(wanted, limit)
