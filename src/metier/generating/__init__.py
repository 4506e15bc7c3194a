"""The shapes of local generation, between the doors, the scheduler and the engine.

What is asked (``asking``), what comes back (``written``), what is in memory (``residing``) and
models by name (``models``). It knows no wire dialect, no template and no file.
"""

from metier.generating.asking import (
    Cancelled,
    Constraint,
    Loading,
    Message,
    Options,
    Question,
    Role,
    TemplateLanguage,
    ToolCall,
)
from metier.generating.models import (
    ModelDetails,
    ModelListing,
    Models,
    ModelSheet,
    Order,
    RunningModel,
)
from metier.generating.residing import (
    AdapterWeights,
    Lease,
    OpenWorker,
    Residence,
    Resident,
    Scheduler,
    Task,
    Voice,
    Weights,
    Worker,
)
from metier.generating.written import Embedded, OnPiece, Piece, Ranked, Taken, TokenChance, Written

__all__ = [
    "AdapterWeights",
    "Cancelled",
    "Constraint",
    "Embedded",
    "Lease",
    "Loading",
    "Message",
    "ModelDetails",
    "ModelListing",
    "ModelSheet",
    "Models",
    "OnPiece",
    "OpenWorker",
    "Options",
    "Order",
    "Piece",
    "Question",
    "Ranked",
    "Residence",
    "Resident",
    "Role",
    "RunningModel",
    "Scheduler",
    "Taken",
    "Task",
    "TemplateLanguage",
    "TokenChance",
    "ToolCall",
    "Voice",
    "Weights",
    "Worker",
    "Written",
]
