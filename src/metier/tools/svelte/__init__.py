"""The svelte tool: what is wrong with Svelte and SvelteKit files, where, why, and how to mend it.

``open_tool`` makes it. Checking compiles in a warm process and executes nothing.
"""

from metier.tools.svelte.tool import SvelteTool, open_tool

__all__ = ["SvelteTool", "open_tool"]
