"""Specialists for coding agents, over the Model Context Protocol.

It knows the protocol through its official SDK and nothing of how a specialist works: the façade
is handed in. Everything it offers reads; files are never written, and what was retrieved comes as
quoted text that grants nothing.
"""

from metier.mcp.serving import http_app, serve_http, serve_stdio
from metier.mcp.tools import Facade, create_server

__all__ = ["Facade", "create_server", "http_app", "serve_http", "serve_stdio"]
