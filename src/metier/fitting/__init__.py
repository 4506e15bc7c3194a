"""Will it run here? The estimate, and the self-benchmark that it rests on.

``facts`` reads what is known of a model, ``estimating`` computes, ``measuring`` measures this
machine with the engines that answer. It loads no model of anybody's and decides nothing.
"""

from metier.fitting.accelerators import accelerators
from metier.fitting.estimating import estimate, valid
from metier.fitting.facts import of_encoder, of_entry, of_headers, of_prompting, of_tables
from metier.fitting.values import Accelerator, Here, ModelFacts, Speeds

__all__ = [
    "Accelerator",
    "Here",
    "ModelFacts",
    "Speeds",
    "accelerators",
    "estimate",
    "of_encoder",
    "of_entry",
    "of_headers",
    "of_prompting",
    "of_tables",
    "valid",
]
