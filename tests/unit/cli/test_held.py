"""What a chat specialist proved here stands on its sheet; the unmeasured say nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from catalog_entries import entry, evidence
from metier.card import Verdict
from metier.cli.held import proof_lines
from metier.cli.terminal import UNICODE
from metier.errors import NotFoundError
from metier.finding import Hit, Proof

CHAT = SimpleNamespace(name="sveltekit", chat="its card")


class Knows:
    """Answers ``entry`` with one hit, or with none."""

    def __init__(self, hit: Hit | None) -> None:
        self._hit = hit

    def entry(self, origin: str, name: str) -> Hit:
        if self._hit is None:
            raise NotFoundError(f"There is no entry {name!r} in {origin!r}.", code="no_entry")
        return self._hit


def shown(hit: Hit | None, item: Any = CHAT) -> str:
    lines = proof_lines(Knows(hit), item, 100, UNICODE)  # type: ignore[arg-type]
    return "\n".join(line.plain for line in lines)


def test_a_proof_is_drawn_with_its_end() -> None:
    one = evidence()
    hit = Hit(
        entry("sveltekit"), "here", proof=Proof(one, "here", "2027-02-21"), measured={"base": one}
    )
    told = shown(hit)
    assert "Measured on this machine" in told
    assert "▲ WIN" in told
    assert "proved, until 21 Feb 2027" in told


def test_what_is_no_proof_is_drawn_too() -> None:
    one = evidence(Verdict.UNDERPOWERED)
    told = shown(Hit(entry("sveltekit"), "here", measured={"base": one}))
    assert "UNDERPOWERED" in told
    assert "no proof" in told


def test_nothing_measured_says_nothing() -> None:
    assert shown(Hit(entry("sveltekit"), "here")) == ""
    assert shown(None) == ""
    assert shown(None, SimpleNamespace(name="triage", chat=None)) == ""
