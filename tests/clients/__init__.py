"""Where other people's released clients are, and the marks of tests that need them.

``make test`` installs them (``scripts/setup clients``) into ``.venv/clients``, or into
``METIER_CLIENTS``; they never share an environment with Metier. Where they are missing the tests
that need them are skipped with that reason; in CI they run and fail, because there nothing may be
missing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.toolchains import find_node

ROOT = Path(__file__).resolve().parents[2]


def _folder() -> Path:
    return Path(os.environ.get("METIER_CLIENTS") or ROOT / ".venv" / "clients")


def python_client() -> Path:
    """The Python that has ``ollama``, ``openai``, ``llm``, ``litellm``, ``langchain-ollama``."""
    return _folder() / "python" / "bin" / "python"


def node_client() -> Path:
    """The folder whose ``node_modules`` has ``ollama``, ``openai``, ``ai`` and its providers."""
    return _folder() / "node"


def node() -> str:
    """The Node that runs them: what Metier's toolchains would take."""
    try:
        return str(find_node().path)
    except UnavailableError:
        return "node"


def needs_python_clients() -> pytest.MarkDecorator:
    """A mark for tests that speak through Python clients."""
    return _needs(python_client().with_name("litellm").exists(), "Python clients")


def needs_node_clients() -> pytest.MarkDecorator:
    """A mark for tests that speak through JavaScript clients."""
    here = (node_client() / "node_modules" / "ollama" / "package.json").is_file()
    return _needs(here and node() != "node", "JavaScript clients")


def _needs(here: bool, what: str) -> pytest.MarkDecorator:
    reason = f"not installed: {what}; run make test, or scripts/setup clients"
    return pytest.mark.skipif(not here and not os.environ.get("CI"), reason=reason)
