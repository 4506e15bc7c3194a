"""Limits: that the defaults fit each other."""

from __future__ import annotations

from metier.server.limits import LIMITS


def test_a_full_batch_of_short_texts_fits_into_a_body() -> None:
    assert LIMITS.texts * 1000 < LIMITS.body_bytes < LIMITS.upload_bytes


def test_one_call_never_fills_the_queue_alone() -> None:
    assert LIMITS.texts * 2 <= LIMITS.waiting_texts
