"""The website's pages: structure, accessibility, and words of every state."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from metier.generating import ModelSheet, RunningModel, Taken, Written
from metier.reference import Digest, Reference
from metier.server.facade import Failure, Here, PageOptions
from metier.server.fleetwork import fleet_of, removal_of
from metier.server.jobs import Jobs
from metier.server.limits import Limits
from metier.server.surroundings import around
from metier.server.talk import Spoken
from metier.site import Site
from stand_in.cards import assistant, banking, bare, hostile, ladder, spam
from stand_in.metier import Entry, StandIn
from stand_in.models import listing

OPTIONS = PageOptions(Here("http://localhost:11434"))
VOID = {"meta", "link", "input", "br", "hr", "img", "path", "rect", "line", "circle"}
JOB: dict[str, Any] = {
    "id": "abc",
    "kind": "make",
    "name": "triage",
    "state": "running",
    "position": 0,
    "command": "metier make --name triage",
    "progress": {"message": "Trying linear.", "fraction": 0.4, "seconds_left": 72.0},
    "rungs": [],
    "result": None,
    "error": None,
    "asked": "2026-11-20T10:00:00+00:00",
    "ahead": [],
    "resumable": False,
    "notes": {},
    "events": "/metier/v1/jobs/abc/events",
    "last_event": 3,
    "page": "/jobs/abc",
}


class Outline(HTMLParser):
    """Checks nesting and labels while it reads a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "label" and values.get("for"):
            self.labelled.add(str(values["for"]))
        if tag in ("input", "select", "textarea") and values.get("type") != "hidden":
            self.controls.append(values)
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def items(tmp_path: Path) -> list[Entry]:
    fleet = [banking(), assistant(), spam(), hostile(), bare()]
    return StandIn(tmp_path, fleet).list()


def fleet_pages(site: Site, stand_in: StandIn) -> dict[str, str]:
    jobs = Jobs(Limits())
    whole = fleet_of(stand_in, jobs)
    jobs.close()
    pull = {**JOB, "kind": "pull", "name": "<b>m</b>", "resumable": False}
    data = {"total": 4_000_000, "completed": 1_000_000, "bytes_per_second": 500_000, "file": "w"}
    coming = {**JOB["progress"], "data": data}
    error = {"message": "It is <gated>.", "remedy": "Ask."}
    whole["downloads"] = [
        {**pull, "progress": coming},
        {**pull, "id": "b", "state": "failed", "error": error, "resumable": True},
        {**pull, "id": "c", "state": "done", "result": {"name": "m"}},
        {**pull, "id": "d", "state": "queued", "position": 2, "progress": None},
    ]
    resident = {"memory_bytes": 10**9, "context": 4096, "expires": None, "users": 1}
    whole["specialists"][0] |= {"resident": resident, "loadable": True}
    whole["specialists"][1] |= {"loadable": True, "parent": "x", "context": 8192}
    whole["files"] = [{"name": "/a/<b>.gguf", "kind": "file", "resident": resident}]
    removal = removal_of(stand_in, whole["specialists"][0]["name"])
    made = [{"name": "<i>", "how": how} for how in ("adapter", "reads it", "classify")]
    return {
        "fleet": site.fleet(whole, OPTIONS),
        "empty": site.fleet({**whole, "specialists": [], "downloads": []}, OPTIONS),
        "removal": site.removal({**removal, "made": made, "users": 2}, OPTIONS),
        "alone": site.removal(removal, OPTIONS),
    }


def every_page(items: list[Entry], tmp_path: Path) -> dict[str, str]:
    site = Site()
    stand_in = StandIn(tmp_path, [banking(), hostile()])
    parts = around(stand_in, stand_in.show("banking-intents"))  # type: ignore[arg-type]
    base = Entry(Reference.parse("minilm"), None, Digest.of(b""), 90_000_000, "base")
    done = {**JOB, "state": "done", "rungs": [rung.model_dump() for rung in ladder()]}
    broken = {"message": "Row 7.", "remedy": "Mend it."}
    failed = {**JOB, "state": "failed", "error": broken, "progress": None}
    document = {"info": {"description": "x"}, "paths": {}}
    return {
        **fleet_pages(site, stand_in),
        **{
            f"specialist {item.reference}": site.specialist(item, parts, None, OPTIONS)
            for item in items
        },
        "base": site.specialist(base, parts, None, OPTIONS),
        **model_pages(site, parts),
        "make": site.make([JOB, failed], OPTIONS),
        "running": site.job({**JOB, "rungs": [{"name": "linear"}]}, OPTIONS),
        "queued": site.job({**JOB, "state": "queued", "progress": None}, OPTIONS),
        "done": site.job(done, OPTIONS),
        "compared": site.job({**done, "kind": "compare", "result": {"a": "<b>"}}, OPTIONS),
        "failed": site.job(failed, OPTIONS),
        "reference": site.reference(document, OPTIONS),
        "failure": site.failure(Failure(404, "No.", "Go.", "/x", "id-1"), OPTIONS),
        "sign in": site.sign_in(True, "/make", OPTIONS),
    }


def model_pages(site: Site, parts: Any) -> dict[str, str]:
    """A model that writes, quiet, spoken to and failing, and one that embeds."""
    plain = ModelSheet(listing("tiny"), template="{{ .Prompt }}", modelfile="FROM tiny\n")
    full = ModelSheet(
        replace(listing("mine"), parent="tiny"),
        licences=("MIT <b>",),
        system="<script>alert(1)</script>",
        parameters={"seed": 1},
        context=2048,
        memory_bytes=10_000_000,
    )
    answer = Written("<img src=x>", thinking="hm", taken=Taken(1.0, tokens_out=3))
    running = RunningModel(full.listing, 12_000_000, 2048, None)
    vectors = ModelSheet(listing("words", "embed", "embedding"))
    spoken = Spoken(question="hi", written=answer)
    failed = Spoken(question="hi", problem="No room.")
    return {
        "model": site.model(plain, parts, None, None, OPTIONS),
        "model spoken to": site.model(full, parts, running, spoken, OPTIONS),
        "model failing": site.model(full, parts, None, failed, OPTIONS),
        "model that embeds": site.model(vectors, parts, None, None, OPTIONS),
    }


def test_a_models_words_are_shown_and_never_obeyed(items: list[Entry], tmp_path: Path) -> None:
    pages = every_page(items, tmp_path)
    spoken = pages["model spoken to"]
    assert "&lt;img src=x&gt;" in spoken
    assert "&lt;script&gt;alert(1)" in spoken
    assert "<img" not in spoken
    assert "Made from" in spoken
    assert "12\u202fMB, with 2,048 tokens of context" in spoken
    assert "No room." in pages["model failing"]
    assert 'data-talk data-model="tiny"' in pages["model"]
    assert "data-talk" not in pages["model that embeds"]
    assert "/v1/embeddings" in pages["model that embeds"]


def test_every_page_is_well_formed_and_labelled(items: list[Entry], tmp_path: Path) -> None:
    for name, page in every_page(items, tmp_path).items():
        seen = Outline(page)
        assert seen.headings.count(1) == 1, name
        assert seen.headings[0] == 1, name
        steps = zip(seen.headings, seen.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), name
        assert len(set(seen.ids)) == len(seen.ids), name
        for control in seen.controls:
            assert control.get("id") in seen.labelled, (name, control)
        assert {"header", "main", "footer", "nav"} <= set(seen.tags), name
        assert "undefined" not in page.lower(), name


def test_each_state_says_what_comes_next(items: list[Entry], tmp_path: Path) -> None:
    pages = every_page(items, tmp_path)
    assert "Make your first specialist" in pages["empty"]
    assert "Make one from your examples" in pages["fleet"]
    assert "about 70\u202fs left" in pages["running"]
    assert "position 0" in pages["queued"]
    assert "See the evidence" in pages["done"]
    assert "Mend it." in pages["failed"]
    assert "Make another" in pages["failed"]
    assert "&lt;b&gt;" in pages["compared"]
    assert "specialists are made from it" in pages["base"]
    assert "not the key" in pages["sign in"]
    assert "No rung was recorded" in pages["specialist bare:latest"]


def test_the_evidence_page_holds_every_part(items: list[Entry], tmp_path: Path) -> None:
    page = every_page(items, tmp_path)["specialist assistant-intents:latest"]
    for part in (
        "Evidence",
        "Scores on the sealed questions",
        "What it does well and badly",
        "Labels it knows worst",
        "The ladder",
        "How many labels it takes",
        "Leaks",
        "Data",
        "Lineage",
        "The recipe",
        "Licence",
        "Every file with its digest",
        "Call it",
        "curl",
        "metier run assistant-intents",
        "labels per class (462 labels)",
        "CC-BY-4.0",
    ):
        assert part in page, part


def test_assets_carry_their_media_type_and_nothing_else_is_one() -> None:
    site = Site()
    found = site.asset("site.js")
    assert found is not None
    assert found[1] == "text/javascript; charset=utf-8"
    assert site.asset("../pages.py") is None
    assert site.asset("layout.html") is None


def test_the_script_writes_text_never_markup() -> None:
    for name in ("site.js", "theme.js"):
        found = Site().asset(name)
        assert found is not None
        script = found[0].decode()
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "Function(",
        ):
            assert way not in script
        assert "http://" not in script.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in script
