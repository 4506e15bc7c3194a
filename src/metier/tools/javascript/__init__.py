"""The javascript tool: syntax errors of JavaScript files, and whether modules behave.

``open_tool`` makes it. Checking parses in a warm process and executes nothing.
"""

from metier.tools.javascript.tool import JavaScriptTool, open_tool

__all__ = ["JavaScriptTool", "open_tool"]
