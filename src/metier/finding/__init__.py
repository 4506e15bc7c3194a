"""What a catalogue says, what is asked of it, and what comes back: values and nothing else.

They know the words of a catalogue; they read no file, compute no ranking and ask nobody.
"""

from metier.finding.asking import Order, Query
from metier.finding.entries import Claim, Entry, Source
from metier.finding.fitting import Fit
from metier.finding.found import (
    Facet,
    Found,
    Hit,
    Origin,
    Proof,
    Reason,
    Section,
    sections,
)

__all__ = [
    "Claim",
    "Entry",
    "Facet",
    "Fit",
    "Found",
    "Hit",
    "Order",
    "Origin",
    "Proof",
    "Query",
    "Reason",
    "Section",
    "Source",
    "sections",
]
