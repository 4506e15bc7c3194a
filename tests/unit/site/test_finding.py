"""What the page *Find* says of each hit, and of all of them together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metier.finding import Claim, Entry, Fit, Found, Hit, Proof, Query, Reason, Source
from metier.site.finding import MOST_CLAIMS, entry_address, outside, page_values
from stand_in.cards import banking, underpowered

BASE, GENERAL = (one for one in banking().evidence if one.against in ("base", "general"))
SOURCE = Source(address="https://example.org/a?b=c", read="2026-11-23")
CLAIM = Claim(
    metric="pass@1", value=70.11, unit="%", on="204 tasks", by="owner", n=204, source=SOURCE
)
ENTRY = Entry(
    name="owner/coder",
    kind="specialist",
    task="chat",
    domain="svelte",
    description="It writes Svelte.",
    pull="hf.co/owner/coder",
    parameters=1_543_000_000,
    size_bytes=8_400_000_000,
    quantization="Q4_K_M",
    context=16_384,
    licence="MIT",
    base="owner/base",
    released="2026-10-01",
    claims=(CLAIM,),
)
HIT = Hit(ENTRY, "curated", fit=Fit("yes", memory_bytes=9_000_000_000))


def row_of(hit: Hit, query: Query | None = None) -> dict[str, Any]:
    (group,) = page_values(Found(query or Query(), (hit,), 1))["groups"]
    row: dict[str, Any] = group["rows"][0]
    return row


def test_a_hit_says_what_it_is() -> None:
    row = row_of(HIT)
    assert row["facts"] == [
        "chat", "svelte", "1.5\u202fB parameters", "8.4\u202fGB", "Q4_K_M", "16,384 tokens",
        "MIT", "from owner/base", "1 Oct 2026",
    ]  # fmt: skip
    assert row["fit"]["said"].startswith("runs here, about 9.0 GB")
    assert row["origin"] == "Metier's own list"
    bare = row_of(Hit(Entry(name="x", kind="model", task="chat"), "here"))
    assert bare["facts"] == ["chat", "licence not stated"]


def test_a_claim_is_told_with_its_source() -> None:
    (claim,) = row_of(HIT)["claims"]
    assert claim["said"] == "70.11\u202f%"
    assert claim["facts"] == "on 204 tasks"
    assert (claim["address"], claim["place"]) == (SOURCE.address, "example.org")
    many = ENTRY.model_copy(update={"claims": (CLAIM,) * 10})
    row = row_of(replace(HIT, entry=many))
    assert len(row["claims"]) == MOST_CLAIMS
    assert row["more_claims"] == 10 - MOST_CLAIMS


def test_what_was_not_measured_is_a_row_without_a_command_that_cannot_work() -> None:
    (row,) = row_of(HIT)["evidence"]
    assert (row.against, row.command) == ("against its base or the general model", "")
    measured = replace(HIT, entry=ENTRY.model_copy(update={"evidence": (BASE,)}))
    base, general = row_of(measured)["evidence"]
    assert base.bar is not None
    assert base.sentence == "3,080 questions, 12 Nov 2026; reported, not measured here"
    assert (general.bar, general.command) == (None, "")
    here = replace(measured, installed="coder")
    assert row_of(here)["evidence"][1].command == ""
    classifier = measured.entry.model_copy(update={"task": "classify"})
    base, general = row_of(replace(here, entry=classifier))["evidence"]
    assert base.command == "metier eval coder --on coder --against base"
    assert general.command == "metier eval coder --on coder --against general"
    nowhere = replace(HIT, entry=ENTRY.model_copy(update={"pull": ""}))
    assert [one.command for one in row_of(nowhere)["evidence"]] == [""]


def test_reasons_leave_out_what_the_row_shows_and_end_with_one_stop() -> None:
    word, here = Reason("word", "Has “svelte” in its name"), Reason("filter", "Installed here.")
    claim, fit = Reason("claim", "Reported: 70 %."), Reason("fit", "runs here")
    hit = replace(HIT, reasons=(word, claim, here, fit))
    assert row_of(hit)["reasons"] == ["Has “svelte” in its name."]
    assert row_of(replace(hit, reasons=(claim, here, fit)))["reasons"] == ["Installed here."]
    proof = Proof(BASE, "here", "2027-02-10")
    assert row_of(replace(hit, reasons=(here,), proof=proof))["reasons"] == [
        "Proved against its base."
    ]
    lapsed = Reason("lapsed", "Better than its base. The proof expired. To measure again: metier x")
    assert row_of(replace(hit, reasons=(lapsed,)))["reasons"] == [lapsed.said]


def test_what_is_not_proved_stands_under_one_heading() -> None:
    hits = (HIT, replace(HIT, group=2), replace(HIT, group=3))
    (group,) = page_values(Found(Query(), hits, 3))["groups"]
    assert group["title"] == "Claimed by their publishers, not measured here"
    assert [row["number"] for row in group["rows"]] == [1, 2, 3]


def test_a_chat_specialist_has_the_memory_of_its_base() -> None:
    told = row_of(replace(HIT, installed="coder"))["fit"]["said"]
    assert told == "runs here with a base of yours; memory and speed are the base's"


def test_what_cannot_run_says_so_once() -> None:
    entry = ENTRY.model_copy(update={"pull": ""})
    assert row_of(replace(HIT, entry=entry, fit=Fit("unknown")))["fit"] is None


def test_a_classifier_is_measured_on_its_own_sealed_eval() -> None:
    entry = Entry(name="spam", kind="specialist", task="classify")
    (row,) = row_of(Hit(entry, "here", installed="team/it's"))["evidence"]
    quoted = "'team/it'\"'\"'s'"
    assert row.command == (f"metier eval {quoted} --on {quoted} --against base --against general")


def test_a_proof_says_how_long_it_holds() -> None:
    entry = ENTRY.model_copy(update={"evidence": (BASE, GENERAL)})
    hit = Hit(entry, "here", installed="coder", proof=Proof(BASE, "here", "2027-02-10"))
    base, general = row_of(hit)["evidence"]
    assert base.sentence == "3,080 questions, 12 Nov 2026; holds until 10 Feb 2027"
    assert general.sentence == "3,080 questions, 12 Nov 2026; reported, not measured here"
    assert base.result == "/specialists/coder#evidence"


def test_too_few_questions_are_said() -> None:
    entry = ENTRY.model_copy(update={"evidence": underpowered().evidence})
    notes = [row.note for row in row_of(replace(HIT, entry=entry))["evidence"]]
    assert notes[0].startswith("Not proved: 50 questions cannot show less than")


@pytest.mark.parametrize(
    ("hit", "act"),
    [
        (
            HIT,
            {
                "kind": "pull", "name": "hf.co/owner/coder", "size": "8.4\u202fGB",
                "command": "metier pull hf.co/owner/coder",
            },
        ),
        (
            Hit(ENTRY, "here", installed="coder"),
            {"kind": "open", "address": "/specialists/coder#ask"},
        ),
        (
            replace(HIT, entry=ENTRY.model_copy(update={"pull": ""})),
            {"kind": "none", "why": "Metier cannot run it yet."},
        ),
        (replace(HIT, fit=Fit("no", why="It is too large.")),
         {"kind": "none", "why": "It is too large."}),
    ],
)  # fmt: skip
def test_run_opens_fetches_or_says_why_not(hit: Hit, act: dict[str, str]) -> None:
    assert row_of(hit)["act"] == act


def test_hits_that_cannot_be_told_apart_stand_together() -> None:
    proved = Hit(ENTRY, "here", installed="a", proof=Proof(BASE, "here", "2027-02-10"))
    bare = Hit(Entry(name="x", kind="model", task="chat"), "here", installed="x", group=3)
    hits = (proved, proved, replace(HIT, group=2), bare)
    groups = page_values(Found(Query(), hits, 4))["groups"]
    assert [group["title"] for group in groups] == [
        "Proved here",
        "Not measured here",
    ]
    assert groups[0]["note"] == "They cannot be told apart from each other."
    assert [row["number"] for group in groups for row in group["rows"]] == [1, 2, 3, 4]
    (plain,) = page_values(Found(Query(order="name"), hits, 4))["groups"]
    assert plain["title"] == ""


def test_there_is_a_page_before_and_a_page_after() -> None:
    middle = page_values(Found(Query("x", limit=1, offset=1), (HIT,), 3))
    assert middle["count"] == "2–2 of 3 results"
    assert middle["previous"] == "/?q=x&limit=1"
    assert middle["next"] == "/?q=x&limit=1&offset=2"
    last = page_values(Found(Query("x", limit=2, offset=2), (HIT,), 3))
    assert (last["previous"], last["next"]) == ("/?q=x&limit=2", "")
    beyond = page_values(Found(Query("x", offset=40), (), 3))
    assert beyond["previous"] == "/?q=x&offset=20"


def test_every_page_of_a_hit_has_a_safe_address() -> None:
    assert entry_address(HIT) == "/entries/curated/owner/coder"
    hostile = Hit(ENTRY.model_copy(update={"name": '"/../?#<x>'}), "a/b?c")
    assert entry_address(hostile) == "/entries/a%2Fb%3Fc/%22%2F..%2F%3F%23%3Cx%3E"


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "http://a.example", "https://", "https://a b", "https://[x", "//a",
     "https://a.example/\n", "https://" + "a" * 1000],
)  # fmt: skip
def test_only_plain_addresses_become_links(link: str) -> None:
    assert outside(link) == ""


def test_what_is_long_is_cut() -> None:
    reasons = tuple(Reason("word", "x" * 10_000) for _ in range(100))
    row = row_of(replace(HIT, reasons=reasons))
    assert sum(map(len, row["reasons"])) < 1000
    notes = page_values(Found(Query(), (), 0, notes=("y" * 10**6,) * 100))["notes"]
    assert sum(map(len, notes)) < 2000


def test_a_home_with_nothing_installed_is_told_so() -> None:
    assert page_values(Found(Query(), (HIT,), 1))["bare"]
    assert not page_values(Found(Query("x"), (HIT,), 1))["bare"]
    assert not page_values(Found(Query(), (Hit(ENTRY, "here", installed="a"),), 1))["bare"]


def test_what_stands_beside_it_is_no_reason() -> None:
    reasons = (
        Reason("word", "Has “sql” in its name."),
        Reason("typo", "Nobody has “sqk”."),
        Reason("claim", "Reported, not measured by us: 61 %."),
        Reason("fit", "runs here"),
    )
    assert row_of(replace(HIT, reasons=reasons))["reasons"] == ["Has “sql” in its name."]
    assert row_of(replace(HIT, reasons=reasons[2:]))["reasons"]


def test_a_speed_that_nobody_measured_is_told_once() -> None:
    hit = replace(HIT, fit=Fit("yes", memory_bytes=10**9, writes=True))
    assert row_of(hit)["fit"]["said"] == "runs here, about 1.0 GB"
    assert page_values(Found(Query(), (hit,), 1))["unmeasured"]
    fast = replace(HIT, fit=Fit("yes", memory_bytes=10**9, tokens_per_second=40.0, off_by=0.2))
    assert row_of(fast)["fit"]["said"].endswith("about 40 tokens/s ± 20 %")
    assert not page_values(Found(Query(), (fast,), 1))["unmeasured"]
