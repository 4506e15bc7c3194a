"""A catalogue's entry: each fact with its source, claims as claims, nothing of it obeyed."""

from __future__ import annotations

from pathlib import Path

from metier.finding import Claim, Entry, Fit, Hit, Proof, Source
from metier.server.facade import Here, PageOptions
from metier.site import Site, entries
from stand_in.cards import banking

PAGE = Source(address="https://example.org/card", read="2026-11-20")
CLAIM = Claim(metric="pass@1", value=66.5, unit="%", on="a suite", by="its maker", source=PAGE)
ENTRY = Entry(
    name="team/coder",
    kind="specialist",
    task="chat",
    domain="svelte",
    description="Writes <b>code</b>.",
    upstream="https://example.org/team/coder",
    pull="hf.co/team/coder:Q4",
    parameters=1_500_000_000,
    size_bytes=900_000_000,
    context=32_768,
    licence="MIT",
    languages=("en", "svelte"),
    released="2026-03-01",
    claims=(CLAIM,),
    sources={"size_bytes": PAGE, "licence": PAGE},
)
OPTIONS = PageOptions(Here("http://localhost:1"))


def test_facts_carry_their_source_and_claims_are_claims() -> None:
    told = entries.values(Hit(ENTRY, "curated"), Fit("yes", memory_bytes=1_200_000_000))
    facts = {fact["title"]: fact for fact in told["facts"]}
    assert facts["Parameters"]["value"] == "1.5 billion"
    assert facts["Size"]["source"] == PAGE.address
    assert facts["Size"]["read"] == "20 Nov 2026"
    assert facts["Task"]["source"] == ""
    assert told["claims"][0]["value"] == "66.5\u202f%"
    assert told["chip"]["text"].startswith("runs here, about 1.2")
    assert told["pull"] == "metier pull hf.co/team/coder:Q4"
    assert told["json_address"] == "/entries/curated/team/coder.json"
    assert [one["source"] for one in told["sources"]] == [PAGE.address]


def test_the_page_says_what_to_do_and_what_would_prove_it() -> None:
    page = Site().entry(Hit(ENTRY, "curated"), Fit("no", lacking_bytes=6_000_000_000), OPTIONS)
    assert "Reported, not measured by us." in page
    assert 'action="/fleet/pull"' in page
    assert 'value="hf.co/team/coder:Q4"' in page
    assert "metier find --eval mine.jsonl --task chat" in page
    assert "metier compare coder OTHER --on mine.jsonl" in page
    assert "more memory" in page
    assert "&lt;b&gt;code" in page


def test_what_cannot_be_pulled_and_what_is_here_are_said() -> None:
    bare = ENTRY.model_copy(update={"pull": "", "claims": (), "sources": {}, "licence": None})
    page = Site().entry(Hit(bare, "curated"), None, OPTIONS)
    assert "Metier cannot run it yet." in page
    assert "Not measured, and nobody" in page
    assert "/fleet/pull" not in page
    here = Site().entry(Hit(bare, "curated", installed="coder"), None, OPTIONS)
    assert 'href="/specialists/coder"' in here


def test_a_proof_is_told_with_its_end() -> None:
    proof = Proof(banking().evidence[1], "here", "2027-02-10")
    hit = Hit(ENTRY, "here", proof=proof)
    told = entries.values(hit, None)["proof"]
    assert told.endswith("Proof: measured here, counts until 10 Feb 2027.")
    signed = Proof(banking().evidence[1], "a key", "2027-02-10")
    assert "signed by a key" in entries.standing(signed)


def test_an_address_that_is_none_is_never_a_link(tmp_path: Path) -> None:
    hostile = ENTRY.model_copy(
        update={
            "upstream": "javascript:alert(1)",
            "name": "\u202e<script>x</script>" + "y" * 150,
            "description": "<img src=x onerror=alert(1)>",
        }
    )
    page = Site().entry(Hit(hostile, "<i>"), Fit("unknown", why="<b>"), OPTIONS)
    assert "javascript:" not in page
    assert "<script>x" not in page
    assert "<img" not in page
    assert "\u202e" not in page
