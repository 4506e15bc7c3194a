"""Tools: what checks, repairs and judges answers, one package for each language or framework.

Each is a plugin: an entry point of the group ``metier.tools`` names its ``open_tool``, which is
given a ``Workshop`` and returns a ``metier.coding.Tool``. A tool knows compilers and processes; it
knows no model and no document.
"""

from metier.tools.workshop import Workshop

__all__ = ["Workshop"]
