"""From conversations to prompts and back: chat templates, thoughts, calls, constraints, gaps.

It runs inside the engine's sandboxed process: the standard library, Jinja and floor 0 only.
"""

from metier.engines.prompting.constraints import constraint_fields, forced_tools
from metier.engines.prompting.conversation import PICTURE, fit
from metier.engines.prompting.filling import fill_middle, gap_of
from metier.engines.prompting.parsing import Parser
from metier.engines.prompting.template import Template, compile_template

__all__ = [
    "PICTURE",
    "Parser",
    "Template",
    "compile_template",
    "constraint_fields",
    "fill_middle",
    "fit",
    "forced_tools",
    "gap_of",
]
