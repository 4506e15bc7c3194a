"""A conversation as the variables of a Jinja template, and a conversation that is made to fit.

It knows the names that templates use for what a message holds; it knows no template.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metier.generating import Message, ToolCall

PICTURE = "<__media__>"
_PLACE = "[img]"


def placed(message: Message) -> str:
    """A message's text with the engine's mark where each picture stands.

    ``[img]`` in the text is the place of the next picture; pictures without one stand before the
    text. A mark that the text itself holds is broken, because the engine counts them.
    """
    text = message.text.replace(PICTURE, "<_media_>")
    before = ""
    for _ in message.pictures:
        if _PLACE in text:
            text = text.replace(_PLACE, PICTURE, 1)
        else:
            before += PICTURE
    return f"{before}\n{text}" if before and text else before + text


@dataclass(frozen=True, slots=True)
class Manner:
    """How a Jinja template wants its messages.

    Attributes:
        knows_system: Whether it renders a system message.
        lists: Whether content is a list of parts instead of a text.
        texts: Whether arguments of calls are JSON texts instead of objects.
        short_ids: Whether ids of calls are nine letters and digits.
    """

    knows_system: bool = True
    lists: bool = False
    texts: bool = False
    short_ids: bool = False


def variables_of(message: Message, place: int, manner: Manner) -> dict[str, Any]:
    """A message as templates know it: OpenAI's fields."""
    text = placed(message)
    content: Any = [{"type": "text", "text": text}] if manner.lists else text
    fields: dict[str, Any] = {"role": message.role, "content": content}
    if message.thinking:
        fields["reasoning_content"] = fields["thinking"] = message.thinking
    if message.tool_calls:
        fields["tool_calls"] = [
            _call(call, f"{place}{index}", manner) for index, call in enumerate(message.tool_calls)
        ]
    if message.role == "tool":
        if message.tool_name:
            fields["name"] = message.tool_name
        identity = message.tool_call_id or f"{place - 1}0"
        fields["tool_call_id"] = _identity(identity, manner.short_ids)
    return fields


def _call(call: ToolCall, place: str, manner: Manner) -> dict[str, Any]:
    arguments = dict(call.arguments)
    return {
        "id": _identity(call.id or place, manner.short_ids),
        "type": "function",
        "function": {
            "name": call.name,
            "arguments": json.dumps(arguments, ensure_ascii=False) if manner.texts else arguments,
        },
    }


def _identity(identity: str, short: bool) -> str:
    """An id of a call; some templates insist on nine letters and digits."""
    if not short:
        return identity
    letters = "".join(letter for letter in identity if letter.isascii() and letter.isalnum())
    return letters[-9:].rjust(9, "0")


def system_first(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with its system messages put before the first user's text."""
    system = "\n\n".join(m.text for m in messages if m.role == "system" and m.text)
    rest = [m for m in messages if m.role != "system"]
    for index, message in enumerate(rest):
        if system and message.role == "user":
            text = f"{system}\n\n{message.text}"
            return (*rest[:index], replace(message, text=text), *rest[index + 1 :])
    return (Message("user", system), *rest) if system else tuple(rest)


def fit(
    messages: Sequence[Message],
    render: Callable[[Sequence[Message]], str],
    count: Callable[[str], int],
    room: int,
) -> tuple[tuple[Message, ...], bool]:
    """The conversation without its oldest messages, as many as must go to fit.

    System messages and everything from the last user's message on stay; an answer of a tool goes
    with the call that it answers. The result may still not fit: the caller counts again.

    Args:
        messages: The conversation.
        render: From messages to the prompt.
        count: From a prompt to its tokens.
        room: Tokens that there are.

    Returns:
        The messages, and whether any was left out.
    """
    kept = tuple(messages)
    if count(render(kept)) <= room:
        return kept, False
    starts = _cuts(kept)
    low, high = 0, len(starts) - 1
    while low < high:
        middle = (low + high) // 2
        if count(render(_from(kept, starts[middle]))) <= room:
            high = middle
        else:
            low = middle + 1
    result = _from(kept, starts[low]) if starts else kept
    return result, len(result) < len(kept)


def _from(messages: Sequence[Message], start: int) -> tuple[Message, ...]:
    return tuple(m for i, m in enumerate(messages) if i >= start or m.role == "system")


def _cuts(messages: Sequence[Message]) -> list[int]:
    """Where a shorter conversation may start: at users' messages, else at any but a tool's."""
    users = [i for i, m in enumerate(messages) if m.role == "user" and i > 0]
    last = users[-1] if users else max(0, len(messages) - 1)
    return users or [i for i, m in enumerate(messages) if m.role != "tool" and 0 < i <= last]
