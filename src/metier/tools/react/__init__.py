"""The react tool: what is wrong with React files, where, why, and how to mend it.

``open_tool`` makes it. Checking type-checks and lints in a warm process and executes nothing.
"""

from metier.tools.react.tool import ReactTool, open_tool

__all__ = ["ReactTool", "open_tool"]
