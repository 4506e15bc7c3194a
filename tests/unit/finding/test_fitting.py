"""Whether a model runs here, as a value."""

from __future__ import annotations

from metier.finding import Fit


def test_what_is_unknown_promises_nothing() -> None:
    fit = Fit(runs="unknown")
    assert (fit.tokens_per_second, fit.ms_per_text, fit.off_by, fit.measured) == (None,) * 3 + (
        False,
    )
