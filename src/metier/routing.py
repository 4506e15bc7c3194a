"""What a request is to the router, who could answer it, and what was decided: values only.

They hold no model and no prompt of a person beyond the text that is being decided on; nothing here
computes anything. A decision is a function of its request, the candidates and the router's model,
so that a logged one can be made again, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from metier.card import Cost
from metier.conversing import Manner, OnStep, Reply
from metier.generating import Cancelled, Loading, OnPiece, Question, Written

AUTO = "auto"
"""The model name that is routed; ``auto:<domain>`` names the domain as well."""

Wanted = Literal["chat", "any"]
"""``chat`` goes only to something that chats; ``any`` may also name a classifier."""

Ground = Literal[
    "override", "kept", "only", "domain", "abstained", "named", "picture", "fallback", "nobody"
]
"""Why a candidate was chosen: the person said so; the conversation has it already; nobody else can;
the domain classifier is sure enough; it is not; the caller named the domain; only this one sees;
the one before it failed; there is nobody."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is routed, its hard facts read off already.

    Attributes:
        text: The person's own words of the latest turn; harness text and tool results left out.
        wanted: See ``Wanted``.
        pictures: How many pictures the conversation holds.
        code: Whether the text holds code.
        tools: Whether the caller offers tools.
        tokens: Tokens of the whole conversation, estimated from above.
        language: ISO 639-1 of the text where it is known, else "".
        domain: The domain that the caller named, or "".
        most_cost: The dearest cost class that may answer, or "".
        conversation: Key of the conversation, or "" for a single question.
        last: Who answered its latest turn, or "".
        in_tool_loop: Whether the latest turn is a tool's result: then nobody is switched.
        cached_tokens: Tokens that ``last`` holds in its prompt cache; a switch loses them.
    """

    text: str
    wanted: Wanted = "chat"
    pictures: int = 0
    code: bool = False
    tools: bool = False
    tokens: int = 0
    language: str = ""
    domain: str = ""
    most_cost: str = ""
    conversation: str = ""
    last: str = ""
    in_tool_loop: bool = False
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something here that could answer.

    Attributes:
        name: What people call it.
        digest: Of the system that would answer.
        task: ``chat``, ``generate``, ``classify``, ``classify-image`` …
        domain: What it is for; "" for a general model.
        general: Whether it is the general model that the router abstains to.
        sees: Whether it takes pictures.
        calls_tools: Whether it can be offered tools.
        context: Tokens that it holds, ``None`` if it does not say.
        languages: Languages it is limited to; empty for any.
        cost: What an answer costs.
        proof: ISO date until which a proof holds for its domain, or "": then it gets nothing.
        gain: Lower end of the proof's paired difference, as a share of 1.
        state: Of the watch (``watching.State``); only ``PROMOTED`` and ``WATCH`` are routed to.
        judged: Whether a tool can judge its answers, so that a cascade may start with it.
    """

    name: str
    digest: str
    task: str
    domain: str = ""
    general: bool = False
    sees: bool = False
    calls_tools: bool = False
    context: int | None = None
    languages: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    proof: str = ""
    gain: float = 0.0
    state: str = "PROMOTED"
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate that could not take the request, and the first fact that forbids it."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers, why, how sure, and who was next.

    Attributes:
        chosen: Name of who answers, or "" if nobody can.
        ground: See ``Ground``.
        why: One sentence for people.
        domain: The domain that the text looks like most, or "".
        score: Calibrated probability of that domain, 0 to 1; ``None`` if it was not asked.
        threshold: Below it the router abstains; ``None`` if it was not asked.
        next: Who was next, or "".
        margin: Score of the domain minus that of the next one, or ``None``.
        then: Who is tried, in order, if the chosen one fails or its tool rejects the answer.
        refused: Who could not take it.
        router: Digest of the router's model and rules.
        remedy: What would mend a ``nobody``, as a command.
    """

    chosen: str
    ground: Ground
    why: str
    domain: str = ""
    score: float | None = None
    threshold: float | None = None
    next: str = ""
    margin: float | None = None
    then: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = field(default=())
    router: str = ""
    remedy: str = ""


class Decider(Protocol):
    """The router's model and rules, frozen."""

    @property
    def digest(self) -> str:
        """``sha256:…`` over everything that can change a decision."""

    def decide(self, request: Request, candidates: tuple[Candidate, ...]) -> Decision:
        """The decision; a pure function of its arguments."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller asks of the router beside the question itself.

    Attributes:
        model: Who shall answer, whatever the router thinks; "" leaves it to the router.
        domain: The domain that the caller names, or "".
        most_cost: The dearest cost class that may answer, or "".
        without: Names that shall not answer.
        conversation: The caller's own key of the conversation, or "": told from its beginning.
    """

    model: str = ""
    domain: str = ""
    most_cost: str = ""
    without: tuple[str, ...] = ()
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """One decision, with everything that it is a function of.

    Attributes:
        id: Of the decision in the log.
        decision: What was decided.
        request: What was decided on.
        candidates: Who there was.
        scores: Domain to calibrated probability, the likeliest first; empty if nobody asked.
        note: What a person should know beside it, or "".
    """

    id: str
    decision: Decision
    request: Request
    candidates: tuple[Candidate, ...]
    scores: tuple[tuple[str, float], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """Somebody who was asked and whose answer was not given, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked along a decision, and who listens.

    Attributes:
        question: The conversation, or the prompt.
        manner: How a chat specialist answers this once.
        unsaid: Options that the caller left to the model and that the dialect filled in.
        loading: How a local model is to be loaded.
        keep_alive: Seconds that it stays.
        on_answering: Told who answers, and who was tried before, once that is sure: before the
            first piece.
        on_piece: Receives the answer as it is written.
        on_step: Receives a specialist's trace.
        cancelled: Becomes true when the person says stop.
    """

    question: Question
    manner: Manner = field(default_factory=Manner)
    unsaid: tuple[str, ...] = ()
    loading: Loading = field(default_factory=Loading)
    keep_alive: float | None = None
    on_answering: Callable[[str, tuple[Tried, ...]], None] | None = None
    on_piece: OnPiece | None = None
    on_step: OnStep | None = None
    cancelled: Cancelled | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and who gave it.

    Attributes:
        routed: The decision that led to it.
        name: Who answered.
        written: The answer.
        reply: The same with documents, checks and trace, if a chat specialist answered.
        tried: Who was asked before, in order.
    """

    routed: Routed
    name: str
    written: Written
    reply: Reply | None = None
    tried: tuple[Tried, ...] = ()


def is_auto(name: object) -> bool:
    """Whether a model's name is the router's: ``auto`` or ``auto:<domain>``."""
    return isinstance(name, str) and (name == AUTO or name.startswith(f"{AUTO}:"))


def domain_of(name: str) -> str:
    """The domain that ``auto:<domain>`` names; "" for ``auto`` and ``auto:latest``."""
    domain = name.partition(":")[2]
    return "" if domain == "latest" else domain


def told(routed: Routed, name: str = "", tried: tuple[Tried, ...] = ()) -> Mapping[str, Any]:
    """The ``route`` of a response: who answered, why, how sure, and who was next.

    Args:
        routed: The decision.
        name: Who answered; who was chosen if nobody did yet.
        tried: Who was asked before.
    """
    decision = routed.decision
    return {
        "id": routed.id,
        "model": name or decision.chosen,
        "chosen": decision.chosen,
        "ground": decision.ground,
        "why": decision.why,
        "domain": decision.domain,
        "score": decision.score,
        "threshold": decision.threshold,
        "margin": decision.margin,
        "next": decision.next,
        "then": list(decision.then),
        "refused": [{"name": one.name, "why": one.why} for one in decision.refused],
        "tried": [{"name": one.name, "why": one.why} for one in tried],
        "scores": [{"domain": domain, "probability": score} for domain, score in routed.scores],
        "router": decision.router,
        "remedy": decision.remedy,
        "note": routed.note,
    }
