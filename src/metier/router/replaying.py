"""A decision as bytes, and a logged one made again.

It knows the JSON of requests, candidates and decisions; it decides nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from metier.card import Cost
from metier.errors import CorruptError
from metier.router.deciding import Router
from metier.routing import Candidate, Decision, Refused, Request


def decision_bytes(decision: Decision) -> bytes:
    """Canonical JSON of a decision: equal decisions have equal bytes."""
    return _bytes(asdict(decision))


def logged(
    request: Request, candidates: Sequence[Candidate], decision: Decision, *, override: str = ""
) -> dict[str, Any]:
    """What the log keeps of a decision: everything that it takes to make it again.

    Args:
        request: What was routed.
        candidates: Who was there.
        decision: What was decided.
        override: Whom the person named, or "".
    """
    ordered = sorted(candidates, key=lambda one: (one.name, one.digest))
    return {
        "request": asdict(request),
        "candidates": [_told(one) for one in ordered],
        "decision": asdict(decision),
        "override": override,
    }


def replay(log: Mapping[str, Any], router: Router) -> Decision:
    """The decision of a logged request, made again.

    Raises:
        CorruptError: The log is not one of ours (code ``bad_decision_log``), or it is of another
            model or other rules (``other_router``).
    """
    try:
        request, candidates, decision = read(log)
        override = str(log.get("override", ""))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptError(
            f"This is not a logged decision: {str(error)[:200]}.", code="bad_decision_log"
        ) from error
    if decision.router != router.digest:
        raise CorruptError(
            f"It was decided by {decision.router}; this router is {router.digest}.",
            code="other_router",
            remedy="Replay it with the router's model of that day.",
        )
    if override:
        return router.override(override, request, candidates)
    return router.decide(request, candidates)


def read(log: Mapping[str, Any]) -> tuple[Request, tuple[Candidate, ...], Decision]:
    """The values of ``logged``'s mapping; raises KeyError, TypeError or ValueError."""
    request = Request(**log["request"])
    candidates = tuple(_candidate(one) for one in log["candidates"])
    told = dict(log["decision"])
    told["then"] = tuple(told["then"])
    told["refused"] = tuple(Refused(**one) for one in told["refused"])
    return request, candidates, Decision(**told)


def _told(candidate: Candidate) -> dict[str, Any]:
    # Pydantic's values are no dataclasses: asdict would leave the cost as it is.
    return asdict(candidate) | {"cost": candidate.cost.model_dump(mode="json")}


def _candidate(told: Mapping[str, Any]) -> Candidate:
    fields = dict(told)
    fields["languages"] = tuple(fields["languages"])
    fields["cost"] = Cost.model_validate(fields["cost"])
    return Candidate(**fields)


def _bytes(value: Any) -> bytes:
    # In ASCII: a person's text may hold half a surrogate pair, which UTF-8 cannot carry.
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")
