"""Models by name."""

from __future__ import annotations

from metier.generating import ModelDetails, ModelListing, ModelSheet, Order


def test_what_nobody_says_of_a_model_is_empty_and_never_none():
    sheet = ModelSheet(ModelListing("tiny", "0" * 64, 1, "2026-01-01T00:00:00Z", "generate"))
    assert (sheet.metadata, sheet.system, sheet.template) == ({}, "", "")
    assert sheet.listing.details == ModelDetails()


def test_an_order_tells_an_empty_text_from_none():
    assert Order("mine", base="tiny").system is None
    assert Order("mine", base="tiny", system="").system == ""
