"""What the scripts in this folder share: run by the clients' own Python, it knows no Metier.

A script is a list of verbs; it prints one JSON object: what each verb gave, or how it failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather.", "parameters": CITY},
}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


def plain(value: Any) -> Any:
    """A client's object as JSON."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def speak(verbs: Iterable[Callable[[], Any]]) -> None:
    """Do each verb and print what came of it, by the verb's name."""
    told: dict[str, Any] = {}
    for verb in verbs:
        try:
            told[verb.__name__] = verb()
        except Exception as error:  # noqa: BLE001  the test looks at it
            told[verb.__name__] = {"raised": type(error).__name__, "said": str(error)}
    sys.stdout.write(json.dumps(told, default=plain))
