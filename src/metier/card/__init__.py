"""The card: what a specialist is and what it has proved, as one frozen document.

There is one kind of card a task, told apart by ``task``; ``read_card`` finds out which.
"""

from metier.card.chat import (
    ChatCard,
)
from metier.card.classifier import (
    Abstention,
    Calibration,
    Card,
    Crossover,
    CurvePoint,
    DataSummary,
    LabelCurve,
    LeakReport,
    LeakRow,
    OutOfScope,
    Rung,
)
from metier.card.reading import (
    AnyCard,
    read_card,
)
from metier.card.search import (
    DocumentSource,
    SearchCard,
)
from metier.card.values import (
    BaseReference,
    Cost,
    Difference,
    Evidence,
    Frozen,
    Interval,
    Machine,
    Row,
    Score,
    Verdict,
)

__all__ = [
    "Abstention",
    "AnyCard",
    "BaseReference",
    "Calibration",
    "Card",
    "ChatCard",
    "Cost",
    "Crossover",
    "CurvePoint",
    "DataSummary",
    "Difference",
    "DocumentSource",
    "Evidence",
    "Frozen",
    "Interval",
    "LabelCurve",
    "LeakReport",
    "LeakRow",
    "Machine",
    "OutOfScope",
    "Row",
    "Rung",
    "Score",
    "SearchCard",
    "Verdict",
    "read_card",
]
