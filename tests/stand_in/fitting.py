"""This machine as a made-up one, with speeds that somebody measured elsewhere."""

from __future__ import annotations

from typing import Any

from metier.fitting import Here, Speeds


class SmallFitting:
    """Tells the fit's machine and speeds, and measures at once."""

    measured: Speeds | None = None

    def here(self) -> Here:
        return Here("a processor", "x86-64-v4", 4, 16 << 30, 8 << 30, 8 << 30)

    def speeds(self) -> Speeds | None:
        return self.measured

    def measure(self, **_how: Any) -> Speeds:
        rates = {"Q4_K": 2e10}
        return Speeds("2026-11-23T12:00:00+00:00", "x86-64-v4", 4, "0.1", "engine 1", rates)
