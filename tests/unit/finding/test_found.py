"""What a search found: values with honest defaults."""

from __future__ import annotations

from metier.finding import Entry, Found, Hit, Query


def test_a_hit_claims_nothing_that_was_not_said() -> None:
    hit = Hit(entry=Entry(name="a", kind="model", task="chat"), origin="curated")
    assert (hit.proof, hit.fit, hit.installed, dict(hit.verdicts)) == (None, None, "", {})


def test_nothing_found_is_an_answer() -> None:
    found = Found(query=Query(words="svelte"), hits=(), total=0)
    assert (found.hits, found.corrected, found.notes) == ((), (), ())
