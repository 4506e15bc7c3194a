"""The rules by which candidates are refused, ordered and kept: numbers and plain predicates.

They know requests and candidates; they know no text and no model. Each number has its source.
"""

from __future__ import annotations

from dataclasses import dataclass

from metier.router.costs import class_name, most_rank, rank
from metier.routing import Candidate, Request
from metier.watching import ROUTED

SPEAKING = frozenset({"chat", "generate", "describe-image"})
"""Tasks that answer a chat."""
OF_PICTURES = frozenset({"classify-image"})
"""Tasks that take pictures and nothing else."""
OF_TEXT = frozenset({"classify", "entities"})
"""Tasks that take a text and nothing else."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that can change a decision beside the model.

    Attributes:
        answer_room: Tokens that an answer to a chat needs beside the request.
        tokens_per_point: Tokens of prompt cache whose loss a gain of one point outweighs. A
            model of 4 to 8 GB reads some 100 to 500 tokens a second on a processor, so 1,000
            tokens are two to ten seconds of waiting: a point of gain must be worth that.
        cascades: Whether a cheaper specialist whose tool can judge its answer goes first.
    """

    answer_room: int = 256
    tokens_per_point: int = 1_000
    cascades: bool = True


def refusal(request: Request, candidate: Candidate, rules: Rules) -> str:
    """The first fact that forbids a candidate, as a sentence; "" if none does."""
    return unable(request, candidate, rules) or unproved(candidate)


def unable(request: Request, candidate: Candidate, rules: Rules) -> str:
    """What the candidate cannot do, whatever it has proved; "" if it can."""
    speaks = candidate.task in SPEAKING
    if request.wanted == "chat" and not speaks:
        return f"It does not chat: its task is {candidate.task}."
    if request.pictures and not candidate.sees:
        return "It does not see pictures."
    if not request.pictures and candidate.task in OF_PICTURES:
        return "It takes pictures only."
    if request.tools and not candidate.calls_tools:
        return "It cannot be offered tools."
    room = rules.answer_room if speaks else 0
    if candidate.context is not None and request.tokens + room > candidate.context:
        return f"It holds {candidate.context} tokens; the request may have {request.tokens}" + (
            f" and its answer needs {room}." if room else "."
        )
    if candidate.languages and request.language and request.language not in candidate.languages:
        return f"It is limited to {', '.join(candidate.languages)}; the text is {request.language}."
    if request.most_cost and rank(candidate.cost) > most_rank(request.most_cost):
        return f"It costs more ({class_name(candidate.cost)}) than {request.most_cost}."
    return ""


def unproved(candidate: Candidate) -> str:
    """Why a specialist may get no request now; "" for a general model and for who may."""
    if candidate.general:
        return ""
    if not candidate.domain:
        return "It is neither a specialist of a domain nor the general model."
    if not candidate.proof:
        return f"It holds no proof for {candidate.domain}. {_proving(candidate)} would measure it."
    if candidate.state not in ROUTED:
        return f"The watch has taken its route away ({candidate.state})."
    return ""


def _proving(candidate: Candidate) -> str:
    name = candidate.name
    if candidate.task == "chat":
        return f"metier eval {name} --base REF --against general"
    return f"metier eval {name} --on {name} --against base"


def by_gain(candidate: Candidate) -> tuple[float, int, str]:
    """The order of specialists of one domain: proved gain, then cost, then name."""
    return (-candidate.gain, rank(candidate.cost), candidate.name)


def by_cost(candidate: Candidate) -> tuple[int, str]:
    """The order of what is equally good."""
    return (rank(candidate.cost), candidate.name)


def pays(gain: float, lost_tokens: int, rules: Rules) -> bool:
    """Whether a gain (share of 1) outweighs the loss of a prompt cache."""
    return gain * 100.0 * rules.tokens_per_point > lost_tokens
