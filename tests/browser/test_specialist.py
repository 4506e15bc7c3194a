"""The page of one entry in a real browser: try, talk, stop, see, copy; nothing hostile runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import tiny_gguf
from inspecting import watch
from local_models import install_local
from metier.assembly import Metier
from metier.finding import Claim, Entry, Fit, Hit, Source
from metier.generating import Piece
from metier.localmodel import LocalModelFile
from metier.reference import Digest, Reference
from metier.settings import Settings
from stand_in.cards import banking, hostile
from stand_in.metier import Entry as Listed
from stand_in.metier import StandIn
from stand_in.serving import serving
from tiny_projector import picture

pytestmark = pytest.mark.browser
HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e\n\n"
    "```html\n<script>alert(3)</script>\n```\n\n[go](javascript:alert(4)) [out](https://e.example)"
)


class Hostile(StandIn):
    """A fleet whose model writes what must not run, and a catalogue that says such things."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [banking(), hostile()])
        reference = Reference.parse("tiny")
        self._entries["tiny"] = Listed(reference, None, Digest.of(b"tiny"), 1000, "base")
        self.models.script = [Piece(HOSTILE), Piece("x" * 300_000)]
        page = Source(address="https://example.org/card", read="2026-11-20")
        claim = Claim(metric=HOSTILE[:200], value=1.0, by="<b>", source=page)
        entry = Entry(
            name="team/<script>alert(5)<",
            kind="specialist",
            task="chat",
            description=HOSTILE,
            upstream="javascript:alert(6)",
            pull="hf.co/team/x",
            claims=(claim,),
        )
        plain = Entry(name="team/coder", kind="model", task="chat", pull="hf.co/team/coder")
        self.catalogue["curated", plain.name] = Hit(plain, "curated", fit=Fit("yes"))
        fit = Fit("no", lacking_bytes=6_000_000_000, why=HOSTILE)
        self.catalogue["curated", entry.name] = Hit(entry, "curated", fit=fit)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Hostile(tmp_path_factory.mktemp("fleet"))) as address:
        yield address


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("seeing")
    metier = Metier.open(replace(Settings.read(), home=folder / "home", mirror=None, threads=1))
    base, projector = tiny_gguf.tiny_sighted(folder)
    metier.fleet.install_model(
        Reference.parse("sighted"),
        LocalModelFile(
            weights=("model.gguf",),
            projector="eye.gguf",
            base="",
            parameters={"num_predict": 400},
        ),
        {"model.gguf": base, "eye.gguf": projector},
        kind="base",
    )
    install_local(metier.fleet, "blind", tiny_gguf.tiny_model(folder))
    for name, task in (("words", "embed"), ("orders", "rerank")):
        made = tiny_gguf.tiny_embedder if task == "embed" else tiny_gguf.tiny_reranker
        install_local(metier.fleet, name, made(folder), task=task)
    with serving(metier) as address:
        yield address
    metier.close()


@pytest.fixture
def seeing_page(chromium: Browser, seeing: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=seeing)
    context.set_default_timeout(20_000)
    page = context.new_page()
    seen = watch(page, seeing)
    yield page
    assert seen.problems == []
    context.close()


def test_several_texts_are_tried_at_once(page: Page) -> None:
    page.goto("/specialists/banking-intents")
    box = page.get_by_label("Texts, one a line")
    box.fill("where is my card\nwhat is the rate")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".tried[aria-label^=Answer]")).to_have_count(2)
    expect(page.locator("p.took")).to_contain_text("2 texts in")
    expect(page.locator("p.took")).to_contain_text("on the server")
    box.fill("where is my card")
    box.press("Enter")
    expect(page.locator(".tried[aria-label^=Answer]")).to_have_count(1)
    expect(page.locator(".answer .scores li")).to_have_count(5)


def test_several_texts_are_tried_without_scripts(plain_page: Page) -> None:
    plain_page.goto("/specialists/banking-intents")
    plain_page.get_by_label("Texts, one a line").fill("where is my card\nwhat is the rate")
    plain_page.get_by_role("button", name="Run").click()
    expect(plain_page.locator(".tried[aria-label^=Answer]")).to_have_count(2)
    expect(plain_page.get_by_label("Texts, one a line")).to_have_value(
        "where is my card\nwhat is the rate"
    )


def test_what_a_model_writes_is_drawn_and_never_run(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    page.goto("/specialists/tiny")
    page.get_by_label("Say something").fill(HOSTILE)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden(timeout=30_000)
    written = page.locator(".turn.it .written")
    expect(written.locator("pre")).to_have_text("<script>alert(3)</script>")
    assert page.locator("main img, main script").count() == 0
    assert [link.get_attribute("href") for link in written.locator("a").all()] == [
        "https://e.example"
    ]
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_hostile_names_and_claims_run_nothing(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    page.goto("/entries/curated/team/%3Cscript%3Ealert(5)%3C")
    expect(page.get_by_text("Reported, not measured by us.")).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    expect(page.get_by_role("button", name="Pull")).to_be_visible()
    page.goto("/specialists/hostile")
    assert page.locator("main img, main script").count() == 0


def test_an_entry_is_pulled_with_one_press(page: Page) -> None:
    page.goto("/entries/curated/team/coder")
    expect(page.get_by_text("runs here", exact=False).first).to_be_visible()
    expect(page.get_by_text("metier pull hf.co/team/coder")).to_have_count(2)
    page.get_by_role("button", name="Pull").click()
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("coder")


def test_digests_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/specialists/banking-intents#files")
    page.locator("#files").get_by_role("button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#files .digest code").first.inner_text()
    assert copied.startswith("sha256:")


def test_every_way_to_call_is_one_press_away(page: Page) -> None:
    page.goto("/specialists/tiny")
    call = page.locator("#call")
    for name in ("Python", "JavaScript", "OpenAI", "Ollama", "curl"):
        call.get_by_text(name, exact=True).click()
        expect(call.locator("pre:visible").first).to_contain_text("tiny")
    call.get_by_text("Zed", exact=True).click()
    shown = call.locator("details[open] pre").inner_text()
    assert json.loads(shown)["language_models"]["ollama"]["api_url"].startswith("http://")


def test_a_picture_goes_along_and_a_conversation_is_stopped_and_retried(
    seeing_page: Page, tmp_path: Path
) -> None:
    red = tmp_path / "red.png"
    red.write_bytes(picture(255, 0, 0))
    page = seeing_page
    page.goto("/specialists/sighted")
    page.get_by_label("Pictures, at most 4").set_input_files(red)
    expect(page.get_by_role("img", name="Picture red.png")).to_be_visible()
    page.get_by_label("Say something").fill("what is this")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("tokens/s while writing")).to_have_count(1, timeout=60_000)
    expect(page.locator("[data-filled]")).to_contain_text("tokens used,")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("tokens/s while writing")).to_have_count(1, timeout=60_000)
    expect(page.locator(".turn")).to_have_count(2)
    page.get_by_text("System prompt and settings").click()
    page.get_by_label("Tokens at most").fill("4000")
    page.get_by_label("Say something").fill("write on and on")
    page.get_by_label("Say something").press("Enter")
    expect(page.locator(".turn.it").nth(1).locator(".written")).to_be_visible(timeout=60_000)
    stop = page.locator("[data-stop]")
    # Looked at and pressed in one step: the answer may end by itself at any moment.
    if stop.evaluate("(button) => button.checkVisibility() && (button.click(), true)"):
        expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(stop).to_be_hidden()


def test_a_wrong_picture_is_said(seeing_page: Page, tmp_path: Path) -> None:
    seeing_page.goto("/specialists/sighted")
    wrong = tmp_path / "rows.csv"
    wrong.write_text("a,b\n")
    seeing_page.get_by_label("Pictures, at most 4").set_input_files(wrong)
    expect(seeing_page.locator("[data-pictures] .problem")).to_contain_text("give a PNG, JPEG")
    seeing_page.goto("/specialists/blind")
    expect(seeing_page.get_by_text("cannot see pictures")).to_be_visible()


@pytest.mark.parametrize("name", ["words", "orders"])
def test_texts_are_compared_and_put_in_order(seeing_page: Page, name: str) -> None:
    page = seeing_page
    page.goto(f"/specialists/{name}")
    page.locator("[name=question]").fill("reset my password")
    page.locator("[name=texts]").fill("change a password\nopening hours")
    page.locator("#try button").click()
    expect(page.locator(".vectors li")).to_have_count(2, timeout=30_000)


def test_a_conversation_goes_on_without_scripts(plain_page: Page) -> None:
    plain_page.goto("/specialists/tiny")
    for place, text in enumerate(("first", "second"), start=1):
        plain_page.get_by_label("Say something").fill(text)
        plain_page.get_by_role("button", name="Send").click()
        expect(plain_page.locator(".turn.you")).to_have_count(place)
    expect(plain_page.locator(".turn.you").first).to_contain_text("first")
    plain_page.get_by_role("link", name="Start anew").click()
    expect(plain_page.locator(".turn")).to_have_count(0)
