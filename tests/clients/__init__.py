"""Where other people's released clients are, and the marks of tests that need them.

``make test`` installs them (``scripts/setup clients``) into ``.venv/clients``, or into
``METIER_CLIENTS``; they never share an environment with Metier. Where they are missing the tests
that need them are skipped with that reason; in CI they run and fail, because there nothing may be
missing.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from metier.errors import UnavailableError
from metier.toolchains import find_node

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


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


def speak(script: str, address: str, home: Path) -> Mapping[str, Any]:
    """What one of the Python scripts in this folder said to the server at ``address``.

    Args:
        script: Its file name.
        address: Where Metier answers.
        home: A folder that the client may write to, instead of the user's own.
    """
    return _said([str(python_client()), str(HERE / script), address], home, None)


def speak_javascript(script: str, address: str, home: Path) -> Mapping[str, Any]:
    """What one of the JavaScript files in this folder said; see ``speak``."""
    text = (HERE / script).read_bytes()
    command = [node(), "--input-type=module", "-", address]
    return _said(command, home, text, folder=node_client())


def _said(
    command: list[str], home: Path, given: bytes | None, folder: Path | None = None
) -> Mapping[str, Any]:
    # Nothing of this machine's settings decides what a client does: no keys, no proxies.
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "LLM_USER_PATH": str(home),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OLLAMA_HOST": command[-1],
        "NO_PROXY": "*",
    }
    done = subprocess.run(
        command, env=environment, input=given, capture_output=True, timeout=240, cwd=folder
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


def _needs(here: bool, what: str) -> pytest.MarkDecorator:
    reason = f"not installed: {what}; run make test, or scripts/setup clients"
    return pytest.mark.skipif(not here and not os.environ.get("CI"), reason=reason)
