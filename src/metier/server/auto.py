"""The model names ``auto`` and ``auto:<domain>`` in every dialect: one request, asked by a router.

It knows which fields and headers say what a caller wants of the router, and which headers and
fields say who answered. It decides nothing: that is the façade's ``routing``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import quote

from metier.conversing import Manner, OnStep, Reply, Sampling, Turn
from metier.errors import InputError
from metier.generating import (
    Cancelled,
    Loading,
    ModelListing,
    ModelSheet,
    OnPiece,
    Question,
    Written,
)
from metier.routing import (
    Answered,
    Asked,
    Routed,
    Tried,
    Wanted,
    Wish,
    domain_of,
    is_auto,
    told,
)
from metier.server import chat

MODEL, ROUTE, WHY, ROUTE_ID = (
    "x-metier-model", "x-metier-route", "x-metier-why", "x-metier-route-id",
)  # fmt: skip
"""Headers of a response: who answers; why, how sure and who was next; a sentence; the log's id."""
_FIELDS = ("model", "domain", "most_cost", "conversation")
_WISHES = (*_FIELDS, "not")
_HEADERS = {
    "model": "x-metier-model",
    "domain": "x-metier-domain",
    "most_cost": "x-metier-most-cost",
    "conversation": "x-metier-conversation",
    "not": "x-metier-not",
}
_MOST = 300
_MOST_NAMES = 50
UNSAID = Loading()


class Routes(Protocol):
    """What the server needs of ``Metier.routing``; thread-safe."""

    def names(self) -> Sequence[str]:
        """``auto`` and ``auto:<domain>`` of what can be routed to; none if there is nobody."""

    def listed(self, models: Sequence[ModelListing]) -> Sequence[ModelListing]:
        """The router's names before some models."""

    def listing(self, name: str) -> ModelListing:
        """One of the router's names; raises MetierError where there is nobody to route to."""

    def sheet(self, name: str) -> ModelSheet:
        """Everything about one of them."""

    def field(self) -> Any:
        """Everybody who could answer: ``candidates`` and ``general``."""

    def decide(
        self,
        question: Question,
        wish: Wish = ...,
        *,
        wanted: Wanted = "chat",
        explain: bool = False,
        wait: bool = False,
    ) -> Routed:
        """Who answers; nobody is asked."""

    def ask(self, routed: Routed, asked: Asked) -> Answered:
        """The answer along a decision; raises MetierError."""

    def question(self, turns: Sequence[Turn], sampling: Sampling) -> Question:
        """A specialist's turns as a question."""

    def reply(self, answered: Answered) -> Reply:
        """An answer with its trace."""

    def warm(self) -> None:
        """Read who there is, so that no request waits for it."""

    def latest(self, count: int = 20) -> Sequence[Mapping[str, Any]]:
        """The latest decisions as they were logged."""


class Auto:
    """One request to ``auto``; threads may share it.

    To a dialect it is a model by name: it has ``listing``, ``load``, ``unload`` and ``ask``. The
    decision is made once, when the first question is asked.

    Args:
        routes: The router.
        name: ``auto`` or ``auto:<domain>``.
        wish: What the caller asks of the router.
        manner: How a chat specialist answers this once.
        unsaid: Options that the caller left to the model and the dialect fills in.
    """

    def __init__(
        self,
        routes: Routes,
        name: str,
        wish: Wish,
        *,
        manner: Manner | None = None,
        unsaid: Sequence[str] = (),
    ) -> None:
        self._routes = routes
        self._wish = wish if wish.domain else replace(wish, domain=domain_of(name))
        self._manner = manner or Manner()
        self._unsaid = tuple(unsaid)
        self._lock = threading.Lock()
        self._routed: Routed | None = None
        self._by: tuple[str, tuple[Tried, ...]] | None = None
        self._reply: Reply | None = None
        self.asked_as = name

    @property
    def name(self) -> str:
        """Who answers; ``auto`` as it was asked until that is known."""
        return self._by[0] if self._by is not None else self.asked_as

    def listing(self, name: str) -> ModelListing:
        """As it is listed."""
        return self._routes.listing(name)

    def load(
        self, name: str, *, keep_alive: float | None = None, loading: Loading = UNSAID
    ) -> float:
        """Nothing is loaded before somebody is chosen; raises where there is nobody to choose."""
        del keep_alive, loading
        self._routes.listing(name)
        return 0.0

    def unload(self, name: str) -> bool:
        """Nothing is in memory under this name."""
        self._routes.listing(name)
        return False

    def ask(
        self,
        name: str,
        question: Question,
        *,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        on_piece: OnPiece | None = None,
        cancelled: Cancelled | None = None,
    ) -> Written:
        """The answer of whoever gives one."""
        del name
        asked = Asked(
            question,
            manner=self._manner,
            unsaid=self._unsaid,
            loading=loading,
            keep_alive=keep_alive,
            on_answering=self._answering,
            on_piece=on_piece,
            cancelled=cancelled,
        )
        return self._answered(asked).written

    def reply(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        on_text: Callable[[str], None] | None = None,
        on_step: OnStep | None = None,
        cancelled: Cancelled | None = None,
    ) -> Reply:
        """The same to a question in turns, with its trace."""

        def piece(given: Any) -> None:
            if on_text is not None and given.text:
                on_text(given.text)

        asked = Asked(
            self._routes.question(turns, sampling),
            manner=self._manner,
            on_answering=self._answering,
            on_piece=piece if on_text is not None else None,
            on_step=on_step,
            cancelled=cancelled,
        )
        return self._routes.reply(self._answered(asked))

    def _answered(self, asked: Asked) -> Answered:
        with self._lock:
            if self._routed is None:
                self._routed = self._routes.decide(asked.question, self._wish)
            routed = self._routed
        answered = self._routes.ask(routed, asked)
        self._answering(answered.name, answered.tried)
        self._reply = answered.reply
        return answered

    def _answering(self, name: str, tried: tuple[Tried, ...]) -> None:
        with self._lock:
            if self._by is None:
                self._by = (name, tried)

    def headers(self) -> list[tuple[str, str]]:
        """Who answers, why, how sure, and who was next; none before that is known."""
        if self._routed is None or self._by is None:
            return []
        return route_headers(self._routed, *self._by)

    def told(self) -> dict[str, Any]:
        """The ``metier`` field of a response: the decision, and a specialist's trace."""
        trace = chat.trace_of(self._reply) if self._reply is not None else {}
        if self._routed is None:
            return trace
        return {**trace, "route": told(self._routed, *(self._by or ("", ())))}


def route_headers(
    routed: Routed, name: str = "", tried: tuple[Tried, ...] = ()
) -> list[tuple[str, str]]:
    """The headers of a response that was routed."""
    decision = routed.decision
    facts = ["fallback" if tried else str(decision.ground)]
    for key, value in (
        ("domain", decision.domain),
        ("score", decision.score),
        ("threshold", decision.threshold),
        ("next", decision.next),
        ("tried", ",".join(one.name for one in tried)),
    ):
        if value not in ("", None):
            facts.append(f"{key}={_token(str(value))}")
    return [
        (MODEL, _token(name or decision.chosen)),
        (ROUTE, "; ".join(facts)),
        (WHY, _line(decision.why)),
        (ROUTE_ID, routed.id),
    ]


def auto_of(
    routes: Routes,
    asked: Mapping[str, Any],
    headers: Mapping[str, str],
    *,
    unsaid: Sequence[str] = (),
) -> Auto | None:
    """The request as one to ``auto``, or ``None`` if it names a model.

    Raises:
        InputError: A field of ``metier`` is not right (``bad_request``).
    """
    name = asked.get("model")
    if not isinstance(name, str) or not is_auto(name):
        return None
    wish, manner = parted(asked, headers)
    if manner.get("base"):
        raise _wrong("'metier.base' is not for auto.", "metier.base", "Name the specialist.")
    return Auto(routes, name, wish, manner=chat.manner_of(manner), unsaid=unsaid)


def parted(asked: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[Wish, Mapping[str, Any]]:
    """What a caller asks of the router, and what else stands under ``metier``.

    A field stands above the header of the same meaning.
    """
    given = asked.get("metier")
    if given is not None and not isinstance(given, dict):
        raise _wrong("'metier' is no object.", "metier", 'Write {"metier": {"domain": "svelte"}}.')
    fields = dict(given or {})
    values: dict[str, str] = {}
    for name in _FIELDS:
        value = fields.pop(name, None)
        if value is None:
            value = headers.get(_HEADERS[name], "")
        if not isinstance(value, str) or len(value) > _MOST:
            raise _wrong(f"'metier.{name}' is no short text.", f"metier.{name}", "Mend or drop it.")
        values[name] = value
    return Wish(**values, without=_names(fields.pop("not", None), headers)), fields


def without_wishes(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The request without what is the router's."""
    given = asked.get("metier")
    if not isinstance(given, dict):
        return dict(asked)
    return {
        **asked,
        "metier": {name: value for name, value in given.items() if name not in _WISHES},
    }


def _names(given: object, headers: Mapping[str, str]) -> tuple[str, ...]:
    if given is None:
        given = [one.strip() for one in headers.get(_HEADERS["not"], "").split(",") if one.strip()]
    listed = [given] if isinstance(given, str) else given
    if (
        not isinstance(listed, list)
        or len(listed) > _MOST_NAMES
        or not all(isinstance(one, str) and len(one) <= _MOST for one in listed)
    ):
        raise _wrong("'metier.not' is no list of names.", "metier.not", 'Write ["NAME"].')
    return tuple(listed)


def _token(text: str) -> str:
    """A value in a header: names as they are, everything else per cent."""
    return quote(text[:_MOST], safe=":/@.,_-+~")


def _line(text: str) -> str:
    """A sentence in a header: one line of printable ASCII."""
    kept = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return kept[:_MOST].strip()


def _wrong(message: str, param: str, remedy: str) -> InputError:
    return InputError(message, code="bad_request", remedy=remedy, details={"param": param})
