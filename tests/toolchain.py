"""The toolchains that tests use, and the marks of tests that need one.

``make test`` installs them into ``.venv/toolchains``. Where they are missing the tests that need
them are skipped with that reason; in CI they run and fail, because there nothing may be missing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metier.errors import UnavailableError
from metier.toolchains import Toolchains

ROOT = Path(__file__).resolve().parents[1]


def toolchains() -> Toolchains:
    """Those of METIER_TOOLCHAINS, else those of the virtual environment."""
    return Toolchains(Path(os.environ.get("METIER_TOOLCHAINS") or ROOT / ".venv" / "toolchains"))


def needs(*names: str) -> pytest.MarkDecorator:
    """A mark for tests that need Node and these toolchains."""
    missing = [name for name in names if not toolchains().installed(name)]
    try:
        toolchains().node()
    except UnavailableError:
        missing.append("Node")
    reason = f"not installed: {', '.join(missing)}; run make test, or metier doctor --install"
    return pytest.mark.skipif(bool(missing) and not os.environ.get("CI"), reason=reason)
