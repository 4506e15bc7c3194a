"""Between the two shapes of asking: a model's question, and a specialist's turns and sampling.

Pure translation: a chat specialist is asked in turns, a local model in messages. What one shape
cannot say in the other is refused by name, never dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from metier.conversing import Draft, Reply, Sampling, Turn
from metier.errors import InputError
from metier.generating import (
    Constraint,
    Message,
    Options,
    Question,
    Taken,
    ToolCall,
    Written,
)

EXTRA_OPTIONS = (
    "top_k",
    "min_p",
    "typical_p",
    "repeat_last_n",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
)
"""Options that travel in ``Sampling.extra`` under their own names."""


def question_of(turns: Sequence[Turn], sampling: Sampling) -> Question:
    """What a local model is asked for some turns.

    Raises InputError (``bad_sampling``) naming a field that has the wrong shape.
    """
    extra = sampling.extra
    choice = extra.get("tool_choice", "auto")
    if isinstance(choice, Mapping):
        choice = _mapping(choice.get("function"), "tool_choice").get("name")
    tools = extra.get("tools") or ()
    if not isinstance(choice, str) or not isinstance(tools, Sequence):
        raise _bad("tool_choice" if isinstance(tools, Sequence) else "tools")
    return Question(
        messages=tuple(_message(turn) for turn in turns),
        tools=tuple(_mapping(tool, "tools") for tool in tools),
        tool_choice=choice,
        constraint=_constraint(extra.get("response_format")),
        think=_think(extra.get("reasoning_effort")),
        options=_options(sampling),
    )


def draft_of(written: Written) -> Draft:
    """A local model's answer as a draft; its thinking is ``extra["reasoning"]``."""
    extra: dict[str, Any] = {}
    if written.tool_calls:
        extra["tool_calls"] = [
            _call_out(call, place) for place, call in enumerate(written.tool_calls)
        ]
    if written.thinking:
        extra["reasoning"] = written.thinking
    return Draft(
        text=written.text,
        tokens_in=written.taken.tokens_in,
        tokens_out=written.taken.tokens_out,
        seconds=written.taken.total,
        spent=0.0,
        finish="tool_calls" if written.tool_calls else written.finish,
        extra=extra,
    )


def turns_of(question: Question) -> tuple[tuple[Turn, ...], Sampling]:
    """What a chat specialist is asked for a question.

    Raises:
        InputError: ``no_capability``: it sees no pictures, fills in nothing and continues no
            tokens.
    """
    _check_askable(question)
    turns = tuple(_turn(message) for message in question.messages)
    if question.prompt is not None:
        turns = (*turns, Turn("user", question.prompt))
    options = question.options
    extra: dict[str, Any] = {
        name: value for name in EXTRA_OPTIONS if (value := getattr(options, name)) is not None
    }
    if options.logit_bias:
        extra["logit_bias"] = {str(token): bias for token, bias in options.logit_bias.items()}
    if question.tools:
        extra["tools"] = [dict(tool) for tool in question.tools]
        if question.tool_choice != "auto":
            extra["tool_choice"] = _choice_out(question.tool_choice)
    if question.constraint is not None:
        extra["response_format"] = _format_out(question.constraint)
    if question.think is not None:
        extra["reasoning_effort"] = _effort(question.think)
    few = options.num_predict
    return turns, Sampling(
        temperature=options.temperature,
        top_p=options.top_p,
        max_tokens=few if few is not None and few >= 0 else None,
        seed=options.seed if options.seed is not None and options.seed >= 0 else None,
        stop=options.stop or (),
        extra=extra,
    )


def written_of(reply: Reply) -> Written:
    """A chat specialist's reply as a model's answer."""
    calls = tuple(_call_in(call) for call in reply.extra.get("tool_calls") or ())
    return Written(
        text=reply.text,
        thinking=str(reply.extra.get("reasoning") or ""),
        tool_calls=calls,
        finish="length" if reply.finish in ("length", "budget") else "stop",
        taken=Taken(total=reply.seconds, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out),
    )


def _check_askable(question: Question) -> None:
    refused = {
        "sees no pictures": any(message.pictures for message in question.messages),
        "fills in no middle": question.suffix is not None,
        "continues no tokens of an earlier answer": bool(question.context),
        "gives no log-probabilities": question.logprobs,
        "takes no template": question.template is not None,
    }
    for what, wanted in refused.items():
        if wanted:
            raise InputError(
                f"A chat specialist {what}.",
                code="no_capability",
                remedy="Ask its base by the base's own name.",
            )


def _message(turn: Turn) -> Message:
    calls = turn.extra.get("tool_calls") or ()
    content = turn.extra.get("content")
    if not isinstance(calls, Sequence):
        raise _bad("tool_calls")
    if isinstance(content, Sequence) and any(
        isinstance(part, Mapping) and part.get("type") == "image_url" for part in content
    ):
        raise InputError(
            "A picture in a turn does not reach a local base this way.",
            code="no_capability",
            remedy="Ask the base by its own name.",
        )
    return Message(
        role=turn.role,
        text=turn.text,
        tool_calls=tuple(_call_in(call) for call in calls),
        tool_name=str(turn.extra.get("name") or ""),
        tool_call_id=str(turn.extra.get("tool_call_id") or ""),
    )


def _turn(message: Message) -> Turn:
    extra: dict[str, Any] = {}
    if message.tool_calls:
        extra["tool_calls"] = [
            _call_out(call, place) for place, call in enumerate(message.tool_calls)
        ]
    if message.tool_name:
        extra["name"] = message.tool_name
    if message.tool_call_id:
        extra["tool_call_id"] = message.tool_call_id
    return Turn(message.role, message.text, extra)


def _call_in(call: Any) -> ToolCall:
    function = _mapping(_mapping(call, "tool_calls").get("function"), "tool_calls")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {"arguments": arguments}
    if not isinstance(arguments, Mapping):
        arguments = {"arguments": arguments}
    return ToolCall(str(function.get("name") or ""), arguments, str(call.get("id") or ""))


def _calls_out(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    return [_call_out(call, place) for place, call in enumerate(calls)]


def _call_out(call: ToolCall, place: int) -> dict[str, Any]:
    return {
        "id": call.id or f"call_{place}",
        "type": "function",
        "function": {
            "name": call.name,
            "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
        },
    }


def _options(sampling: Sampling) -> Options:
    extra = sampling.extra
    bias = extra.get("logit_bias")
    try:
        logit_bias = {int(token): float(value) for token, value in bias.items()} if bias else None
    except (AttributeError, TypeError, ValueError) as error:
        raise _bad("logit_bias") from error
    return Options(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        num_predict=sampling.max_tokens,
        seed=sampling.seed,
        stop=sampling.stop or None,
        logit_bias=logit_bias,
        **{name: extra[name] for name in EXTRA_OPTIONS if extra.get(name) is not None},
    )


def _constraint(wanted: Any) -> Constraint | None:
    if wanted is None:
        return None
    kind = _mapping(wanted, "response_format").get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return Constraint("json")
    if kind == "json_schema":
        schema = _mapping(wanted.get("json_schema"), "response_format")
        return Constraint("schema", schema.get("schema", {}))
    if kind == "grammar":
        return Constraint("grammar", wanted.get("grammar"))
    raise _bad("response_format")


def _format_out(constraint: Constraint) -> dict[str, Any]:
    if constraint.kind == "json":
        return {"type": "json_object"}
    if constraint.kind == "grammar":
        return {"type": "grammar", "grammar": constraint.value}
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": constraint.value},
    }


def _choice_out(choice: str) -> Any:
    if choice in ("none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def _think(effort: Any) -> bool | str | None:
    if effort is None:
        return None
    if not isinstance(effort, str):
        raise _bad("reasoning_effort")
    known: dict[str, bool | str] = {"none": False, "minimal": "low", "default": True}
    return known.get(effort, effort)


def _effort(think: bool | str) -> str:
    if isinstance(think, str):
        return think
    return "default" if think else "none"


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _bad(name)
    return value


def _bad(name: str) -> InputError:
    return InputError(
        f"{name!r} of the sampling has the wrong shape.",
        code="bad_sampling",
        remedy="Its shape is that of OpenAI's chat completions.",
    )
