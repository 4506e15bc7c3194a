"""No plans: the stand-in's specialists have no real weights, so no page can run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.errors import InputError, UnavailableError
from metier.reference import Digest


class NoPlans:
    """Satisfies ``metier.server.runplans.Browses``."""

    def plan(self, name: str) -> Any:
        raise InputError(f"{name!r} is made up.", code="not_for_browsers")

    def alphabet(self) -> dict[str, Any]:
        return {"unicode": "0", "words": [], "unknown": []}

    def assets(self) -> dict[str, Path]:
        raise UnavailableError("The toolchain browser is not installed.", code="no_toolchain")

    def assets_digest(self) -> str:
        return str(Digest.of(b""))
