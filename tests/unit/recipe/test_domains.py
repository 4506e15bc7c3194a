"""Domains: a word or two that a person can read and the router can go by."""

from __future__ import annotations

import pytest

from metier.errors import InputError
from metier.recipe import GENERAL, SpecialistPart, checked_domain


def test_blanks_around_it_are_taken_off() -> None:
    assert checked_domain("  order questions ") == "order questions"
    assert checked_domain(GENERAL) == SpecialistPart(name="x").domain


@pytest.mark.parametrize("domain", ["", "  ", "--", "a\nb", "x" * 81])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(InputError) as told:
        checked_domain(domain)
    assert told.value.code == "bad_domain"
