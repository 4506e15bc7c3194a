"""Whether a model runs here, as a value and as the sentence that every door says."""

from __future__ import annotations

import pytest

from metier.finding import Fit


def test_what_is_unknown_promises_nothing() -> None:
    fit = Fit(runs="unknown")
    assert (fit.tokens_per_second, fit.ms_per_text, fit.off_by, fit.measured) == (None,) * 3 + (
        False,
    )
    assert fit.said == "not known whether it runs here"


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        (
            Fit("yes", 1_210_000_000, tokens_per_second=41.3, off_by=0.2, writes=True),
            "runs here, about 1.2 GB, about 41 tokens/s ± 20 %",
        ),
        (Fit("no", 0, 6_000_000_000), "needs 6.0 GB more memory"),
        (Fit("no"), "does not run here"),
        (
            Fit("tight", 80, ms_per_text=3.14, measured=True),
            "runs here once other models leave memory, about 80 B, 3.1 ms per text, measured here",
        ),
        (
            Fit("yes", 1_000_000),
            "runs here, about 1.0 MB, speed not measured here: metier doctor --measure",
        ),
        (Fit("unknown", 999), "not known whether it runs here, about 1,000 B"),
    ],
)
def test_the_chip_is_one_sentence(fit: Fit, said: str) -> None:
    assert fit.said == said
    assert fit.to_dict()["said"] == said


def test_a_classifier_of_pictures_is_timed_by_the_picture() -> None:
    assert Fit("yes", ms_per_text=2.5, unit="picture").speed_said == "about 2.5 ms per picture"
