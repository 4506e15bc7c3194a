"""Toolchains: pinned sets of npm packages that tools compile and judge with, and Node to run them.

``Toolchains`` says what is installed, installs what is asked for and nothing else, and finds a Node
that is new enough. It knows lock files and npm; it knows neither Svelte nor React, and it never
runs a package's code.
"""

from metier.toolchains.keeping import KNOWN, Toolchains, ToolchainState
from metier.toolchains.node import Node, find_node

__all__ = ["KNOWN", "Node", "ToolchainState", "Toolchains", "find_node"]
