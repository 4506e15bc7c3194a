"""The svelte tool: what is wrong with Svelte and SvelteKit files, where, why, and how to mend it.

``open_tool`` makes it. Checking compiles in a warm process and executes nothing.
"""

from metier.tools.svelte.rendering import Rendered
from metier.tools.svelte.tool import SvelteTool, open_tool

__all__ = ["Rendered", "SvelteTool", "open_tool"]
