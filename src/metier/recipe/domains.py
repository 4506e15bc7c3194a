"""What a specialist is for, in a word or two: the router goes by it."""

from __future__ import annotations

from typing import Final

from metier.errors import InputError

GENERAL: Final = "general"
"""The domain of what nobody gave one."""
LONGEST_DOMAIN: Final = 80


def checked_domain(domain: str) -> str:
    """A domain without blanks around it; raises InputError (``bad_domain``) if it is none."""
    kept = domain.strip()
    letters = any(letter.isalnum() for letter in kept)
    if not letters or len(kept) > LONGEST_DOMAIN or not kept.isprintable():
        raise InputError(
            f"{domain[:LONGEST_DOMAIN]!r} is no domain.",
            code="bad_domain",
            remedy=f"Say in a word or two, of at most {LONGEST_DOMAIN} characters, what it is for: "
            "banking.",
        )
    return kept
