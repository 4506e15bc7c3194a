"""What one service does not take, learnt from its refusals and remembered.

It knows which fields of a chat request may be left out or renamed without changing what is asked;
it makes no call.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

OPTIONAL = (
    "stream_options",
    "seed",
    "response_format",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "stop",
    "max_tokens",
)
"""Fields that a request can do without; when a refusal names none, the first three are tried."""

UNNAMED = OPTIONAL[:3]
FREELY = frozenset(OPTIONAL[:4])
"""Fields whose refusal is believed whatever it says; of the others it must say "unsupported"."""
RENAMED = {"max_tokens": "max_completion_tokens"}

_UNSUPPORTED = re.compile(
    r"unsupported|not support|n't support|unknown|unrecogni[sz]ed|unexpected|not permitted"
    r"|not allowed|only the default|not available",
    re.IGNORECASE,
)
_COMMON = frozenset({"model", "messages", "stream", "tools", "stop"})


class Manners:
    """The fields that a service has refused. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: dict[str, str | None] = {}

    @property
    def refused(self) -> tuple[str, ...]:
        """Names of the fields that are no longer sent as they are, sorted."""
        with self._lock:
            return tuple(sorted(self._changes))

    def fitted(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request as the service takes it."""
        with self._lock:
            changes = dict(self._changes)
        fitted = {}
        for name, value in request.items():
            seen = name
            while seen in changes:
                renamed = changes[seen]
                if renamed is None:
                    break
                seen = renamed
            else:
                fitted[seen] = value
        return fitted

    def learn(self, sent: Mapping[str, Any], message: str, parameter: str | None) -> bool:
        """Whether the refusal of ``sent`` taught something, so that asking again makes sense.

        Args:
            sent: The request as it was sent.
            message: What the service said.
            parameter: The field that it named, if it named one.
        """
        if _is_about_length(message) or parameter in ("messages", "model"):
            return False
        name = _named(sent, message, parameter)
        with self._lock:
            if name is not None:
                self._changes[name] = RENAMED.get(name)
                return True
            if _names_a_field(sent, message, parameter):
                return False
            unnamed = [field for field in UNNAMED if field in sent]
            self._changes.update(dict.fromkeys(unnamed))
            return bool(unnamed)


def _named(sent: Mapping[str, Any], message: str, parameter: str | None) -> str | None:
    """The field to do without: the one that is refused, not one whose value is."""
    unsupported = _UNSUPPORTED.search(message) is not None
    candidates = [
        name
        for name in (*OPTIONAL, *RENAMED.values())
        if name in sent and (unsupported or name in FREELY)
    ]
    found = [(at, name) for name in candidates if (at := _at(name, message, parameter)) is not None]
    return min(found)[1] if found else None


def _at(name: str, message: str, parameter: str | None) -> int | None:
    """Where a field is named: -1 as the error's parameter, else its place in the message."""
    if parameter is not None and re.match(rf"{name}\b", parameter):
        return -1
    found = re.search(rf"\b{name}\b", message)
    return found.start() if found else None


def _names_a_field(sent: Mapping[str, Any], message: str, parameter: str | None) -> bool:
    return any(_at(name, message, parameter) is not None for name in sent if name not in _COMMON)


def _is_about_length(message: str) -> bool:
    folded = message.lower()
    return "context" in folded or "too long" in folded or "too large" in folded
