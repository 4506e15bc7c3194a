"""Hits in text: aligned, with bars, fit, reasons, and the next command on the last line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metier.card import Verdict
from metier.cli.hits import claim_said, filters_of, found_lines, hit_lines, next_line
from metier.cli.terminal import UNICODE
from metier.finding import Claim, Entry, Fit, Found, Hit, Proof, Query, Reason, Source, sections

SOURCE = Source(address="https://example.org/page", read="2026-11-23")
CLAIM = Claim(
    metric="pass@1", value=70.5, unit="%", on="an eval", by="its maker", n=204, source=SOURCE
)


def entry(name: str = "maker/model", **facts: Any) -> Entry:
    return Entry(**{"name": name, "kind": "model", "task": "chat", **facts})


def text(*hits: Hit, query: Query | None = None, width: int = 100, **facts: Any) -> str:
    found = Found(query or Query("x"), hits, facts.pop("total", len(hits)), **facts)
    return "\n".join(line.plain for line in found_lines(found, width, UNICODE))


def test_a_hit_says_what_it_is_and_why_it_is_there() -> None:
    hit = Hit(
        entry(domain="svelte", size_bytes=8_400_000_000, licence="MIT", description="Writes it."),
        "curated",
        fit=Fit("yes", memory_bytes=9_000_000_000, tokens_per_second=4.0, off_by=0.2),
        reasons=(
            Reason("word", "Has 'svelte' in its name."),
            Reason("claim", "A claim is told above."),
            Reason("size", "8.4 GB"),
        ),
    )

    said = text(hit)

    assert said.splitlines()[0] == "Nothing is reported of them. Nobody's numbers are known."
    assert said.splitlines()[1].split("  ") == [
        "maker/model", "chat, svelte", "8.40 GB", "MIT, curated",
    ]  # fmt: skip
    assert "  Writes it." in said
    assert "runs here, about 9.0 GB" in said
    assert "why: Has 'svelte' in its name. 8.4 GB." in said
    assert "told above" not in said


def test_evidence_is_drawn_and_says_whether_it_is_proved(make: Any) -> None:
    evidence = make.evidence("base", make.difference(0.31))
    claimed = Hit(entry("a/claimed", evidence=(evidence,)), "team")
    proof = Proof(evidence, "here", "2027-02-10")
    proved = Hit(entry("a/proved", evidence=(evidence,)), "here", "a/proved", proof)

    said = text(proved, claimed)

    assert said.count("▲ WIN +31.0 (+29.3 to +32.7)") == 2
    assert said.count("general  not measured") == 2, "against the general model, for both"
    assert "proved: measured here, holds until 10 Feb 2027" in said
    assert "claimed by its publisher" in said


def test_a_loss_is_drawn_too(make: Any) -> None:
    lost = make.evidence("base", make.difference(-0.1, verdict=Verdict.LOSS))

    assert "▼ LOSS -10.0" in text(Hit(entry(evidence=(lost,)), "team"))


def test_without_evidence_a_claim_is_told_as_a_claim() -> None:
    said = text(Hit(entry(claims=(CLAIM,)), "curated"))

    assert "pass@1 70.5 % on an eval, 204 items: reported by its maker, not measured by us" in said


def test_a_share_and_a_rival_are_told_in_the_claims_own_words() -> None:
    claim = CLAIM.model_copy(update={"unit": "share", "value": 0.651, "rival": "other: 0.4"})

    assert claim_said(claim).startswith("pass@1 0.651 on an eval, 204 items (other: 0.4): reported")


def test_neighbours_without_proof_stand_under_one_heading() -> None:
    hits = [Hit(entry(f"a/{n}"), "curated", group=group) for n, group in ((1, 1), (2, 1), (3, 2))]

    lines = [line.plain for line in hit_lines(hits, 80, UNICODE, headed=True)]

    assert [line for line in lines if "reported" in line] == [lines[0]]
    assert not [line for line in lines if line.startswith("--")]


def test_a_heading_parts_what_proof_parts_and_nothing_else(make: Any) -> None:
    bare = Hit(entry(), "curated")
    proof = Proof(make.evidence("base", make.difference(0.3)), "here", "2027-02-10")
    proved = Hit(entry(), "here", "a", proof)

    made = sections([proved, replace(proved, group=2), bare, replace(bare, group=4)])

    assert [(one.title, len(one.hits)) for one in made] == [
        ("Proved here", 2),
        ("Nothing is reported of them", 2),
    ]
    assert made[0].note == "They cannot be told apart from each other."


def test_the_names_are_aligned_and_cut_to_the_width() -> None:
    hits = [Hit(entry("a/" + "n" * n, size_bytes=5), "curated") for n in (3, 90)]

    first, facts, _, second, *_ = hit_lines(hits, 60, UNICODE)

    assert facts.plain == "  curated", "too wide for one line: told below"
    assert first.cell_len <= 60
    assert second.cell_len <= 60
    assert second.plain.endswith("…")


def test_what_cannot_be_run_yet_is_told_once() -> None:
    unknown = Fit("unknown", why="Metier has no engine for it yet.")
    there = Hit(entry(description="Metier cannot run it yet: no GGUF known."), "c", fit=unknown)
    lacking = Fit("no", lacking_bytes=6_000_000_000, why="It needs 9 GB.")

    assert "not known whether" not in text(there)
    assert "more memory (It needs 9 GB)" in text(Hit(entry(pull="hf.co/a/b"), "c", fit=lacking))


def test_notes_stand_before_what_to_do_next() -> None:
    lines = text(notes=("Meaning is left out.",)).splitlines()

    assert lines[0] == "Meaning is left out."
    assert lines[-1].startswith("Make one:")


@pytest.mark.parametrize(
    ("number", "said"),
    [(600_000_000, "600M parameters"), (14 * 10**9, "14B parameters"), (None, "size not known")],
)
def test_without_a_size_the_parameters_are_told(number: int | None, said: str) -> None:
    assert said in text(Hit(entry(parameters=number), "curated"))


def test_the_last_line_is_the_next_command() -> None:
    installed = Hit(entry(), "here", installed="my model")
    pulled = Hit(entry(pull="hf.co/a/b:Q4_K_M"), "curated")
    read = Hit(entry(upstream="https://example.org/x"), "curated")

    assert next_line(installed).plain == "Run it:  metier run 'my model'"
    assert text(pulled).splitlines()[-1] == "Bring it here:  metier pull hf.co/a/b:Q4_K_M"
    assert next_line(read).plain == "Read about it:  https://example.org/x"


def test_nothing_found_says_what_to_do() -> None:
    query = Query("fly me", base="b", most_bytes=5_000_000, fits=True)

    assert text(query=query).splitlines() == [
        "Nothing found for 'fly me'.",
        "Widen the search: leave out --base b, --max-size 5.00 MB, --fits. An entry that does not",
        "  state it fails the filter.",
        "Ask the hub:  metier find 'fly me' --hub",
        "Make one:  metier make --data FILE --name NAME",
    ]
    assert (
        text(query=Query(task="chat"))
        .splitlines()[-1]
        .startswith("Make one:  metier make --task chat ")
    )
    assert text(query=Query()).startswith("Nothing found.\nAsk the hub:")


def test_every_filter_has_its_option() -> None:
    query = Query(
        "", "t", "d", "l", "b", 1000, 5, True, True, "WIN", "2026-01-01", True, "here"
    )  # fmt: skip

    assert filters_of(query) == [
        "--task t", "--domain d", "--licence l", "--base b", "--max-size 1.00 kB",
        "--min-context 5", "--fits", "--proved", "--verdict WIN", "--since 2026-01-01",
        "--here", "--origin here",
    ]  # fmt: skip


def test_a_wrong_word_more_hits_and_notes_are_told() -> None:
    said = text(
        Hit(entry(), "curated"),
        total=31,
        corrected=(("sveltr", "svelte"),),
        notes=("The catalogue 'team' cannot be read.",),
        milliseconds=3.4,
    )

    assert "Nothing is called 'sveltr'; searched 'svelte'." in said
    assert "1 to 1 of 31 hits; --limit 40 shows more, 3 ms" in said
    assert "The catalogue 'team' cannot be read." in said


def test_what_others_wrote_obeys_no_terminal() -> None:
    evil = "a\x1b[31mb\u202egnp.exe\nRun it:  rm -rf /"
    hit = Hit(
        entry(description=evil, licence=evil, claims=(CLAIM.model_copy(update={"on": evil}),)),
        "curated",
        reasons=(Reason("word", evil),),
    )

    said = text(hit, notes=(evil,), corrected=((evil, evil),))

    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not [line for line in said.splitlines() if line.startswith("Run it")]
