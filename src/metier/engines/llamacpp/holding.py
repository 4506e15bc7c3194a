"""Whether the engine holds an answer to its schema: tried before the first answer, not believed.

It runs inside the worker. The library drops a schema that it cannot use (an unknown keyword, a
``$ref`` to nothing, nothing that fits) with a line in its log and then writes as it likes. So one
token is asked for first, with a bias towards one that no JSON begins with. It knows no schema's
words.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from metier.engines.llamacpp.serving import Served
from metier.engines.llamacpp.watching import Watch
from metier.errors import InputError, UnavailableError

_IMPOSSIBLE: Final = "A"  # begins no JSON, and is no white space
_BIAS: Final = 1000.0  # far more than any model gives a token
_MOST_KNOWN: Final = 256
_KNOWN_GOOD: Final = ({"type": "object"},)  # "json" without a schema


class Holding:
    """Tries schemas on one loaded base, each once; threads share it.

    Args:
        served: The base.
        impossible: Token that no JSON begins with; see :func:`impossible_token`.
    """

    def __init__(self, served: Served, impossible: int) -> None:
        self._served = served
        self._impossible = impossible
        self._lock = threading.Lock()
        self._known: dict[bytes, bool] = {}

    def untried(self, body: Mapping[str, Any]) -> bool:
        """Whether a request has a schema that must be tried, or was refused before."""
        schema = body.get("json_schema")
        if schema is None or schema in _KNOWN_GOOD:
            return False
        with self._lock:
            return not self._known.get(_key(schema), False)

    def check(self, body: Mapping[str, Any], stopping: Callable[[], bool]) -> None:
        """Refuse a request whose schema the engine would drop.

        The prompt is the request's own, so that reading it is not lost.

        Raises:
            InputError: ``bad_grammar``.
        """
        key = _key(body["json_schema"])
        with self._lock:
            held = self._known.get(key)
        if held is None:
            held = self._tried(body, stopping)
            if held is None:
                return
            with self._lock:
                self._known[key] = held
                while len(self._known) > _MOST_KNOWN:
                    self._known.pop(next(iter(self._known)))
        if not held:
            raise InputError(
                "The engine cannot hold an answer to this schema: it is no valid schema, nothing "
                "fits it, or it has words that the engine does not know.",
                code="bad_grammar",
                remedy="See that types are JSON's and every $ref leads somewhere; do without "
                "not, if, dependentRequired, uniqueItems and lookaround in patterns.",
            )

    def _tried(self, body: Mapping[str, Any], stopping: Callable[[], bool]) -> bool | None:
        written: list[int] = []

        def receive(chunk: dict[str, Any]) -> bool:
            written.extend(chunk["__verbose"]["tokens"])
            return stopping()

        trial = {name: value for name, value in body.items() if name != "n_probs"}
        bias = [[self._impossible, _BIAS]]
        trial |= {"n_predict": 1, "temperature": 0.0, "logit_bias": bias, "stop": []}
        free = {name: value for name, value in trial.items() if name != "json_schema"}
        self._served.complete(free, lambda _: stopping())  # reads the prompt
        with Watch():
            self._served.complete(trial, receive)
        return self._impossible not in written if written else None


def impossible_token(tokens: Callable[[str], list[int]]) -> int:
    """The token of a text that no JSON begins with; the last, as a first may be a space."""
    return tokens(_IMPOSSIBLE)[-1]


def check_whole(text: str) -> None:
    """An answer that the model itself ended is JSON, or the engine let go of the schema.

    Raises:
        UnavailableError: ``engine_failed``.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnavailableError(
            "The engine did not hold the answer to its schema until the end.",
            code="engine_failed",
            remedy="Make the schema simpler.",
        ) from error


def _key(schema: Any) -> bytes:
    return hashlib.sha256(json.dumps(schema).encode()).digest()
