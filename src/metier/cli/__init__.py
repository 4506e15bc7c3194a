"""The command line: every verb of DESIGN §5 that exists, as ``metier VERB``.

It knows how to read arguments, call the façade and write for people or (``--json``) programs.
It makes, measures and stores nothing itself. Importing it loads click and nothing heavier: each
command's module is imported when the command runs.
"""

from __future__ import annotations

from metier.cli.program import program as main

__all__ = ["main"]
