"""What the scheduler is told where nobody says anything."""

from __future__ import annotations

from metier.scheduler import Limits, Measured, Shape
from scripted_worker import residence


def test_the_usual_limits() -> None:
    limits = Limits()
    assert (limits.keep_alive, limits.queue, limits.models) == (300.0, 512, None)


def test_a_base_without_adapters_has_no_sizes() -> None:
    assert Measured(residence("a"), Shape(weights=1)).sizes == {}
