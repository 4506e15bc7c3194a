"""The python tool: what is wrong with Python files, how to mend it, and whether they behave.

``open_tool`` makes it. Checking reads and never executes; judging executes once, in a sandbox, and
the verdict is computed in another one.
"""

from metier.tools.python.tool import PythonTool, open_tool

__all__ = ["PythonTool", "open_tool"]
