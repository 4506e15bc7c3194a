"""The router: who answers a request, decided by facts, proofs and a small learned model.

* ``prompting``: the person's own words in a conversation, and what programs put beside them
* ``facts``: hard facts of a request, read off a question; ``tongues``: its language; ``looks``:
  whether it holds code
* ``costs``: cost classes in an order, and budgets
* ``domains``: the domain classifier and its thresholds; ``learning``: how it is fitted, beside
  requests of no domain in particular (``elsewhere``); it is imported by its own name, because it
  loads scipy, which a server at rest does without
* ``rules``: who is refused and why, who goes first
* ``deciding``: the decision
* ``replaying``: a decision as bytes, and a logged one made again
"""

from __future__ import annotations

from metier.router.costs import class_name, most_rank
from metier.router.deciding import Router
from metier.router.domains import Domain, DomainModel, Likeness, Settings
from metier.router.facts import request_of, request_of_text
from metier.router.prompting import conversation_key, in_tool_loop, own_words, without_harness
from metier.router.replaying import decision_bytes, logged, replay
from metier.router.rules import Rules

__all__ = [
    "Domain",
    "DomainModel",
    "Likeness",
    "Router",
    "Rules",
    "Settings",
    "class_name",
    "conversation_key",
    "decision_bytes",
    "in_tool_loop",
    "logged",
    "most_rank",
    "own_words",
    "replay",
    "request_of",
    "request_of_text",
    "without_harness",
]
