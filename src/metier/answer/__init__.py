"""Answering: names and texts to predictions, conversations to checked answers.

``classifying`` keeps what is loaded; ``policy`` retrieves, prompts, generates, checks, repairs and
chooses. Neither makes anything nor measures what it is worth.
"""

from metier.answer.classifying import Answering, base_digest
from metier.answer.plan import Budget, Means, Plan, overlaid
from metier.answer.policy import answer
from metier.answer.unaided import explain, unified

__all__ = [
    "Answering",
    "Budget",
    "Means",
    "Plan",
    "answer",
    "base_digest",
    "explain",
    "overlaid",
    "unified",
]
