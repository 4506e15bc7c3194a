"""Run in this page in a real Chromium: load, answers while one types, nothing sent, and let go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import running_fleet
from inspecting import needs_axe, too_wide, violations
from metier.assembly import Metier
from stand_in.serving import serving
from toolchain import needs

pytestmark = pytest.mark.browser
TEXT = "the parcel is late, İstanbul straße 👍🏽 \u202eabc"


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metier]:
    opened = running_fleet.opened(tmp_path_factory.mktemp("running") / "home")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(metier: Metier) -> Iterator[str]:
    with serving(metier) as address:
        yield address


def load(page: Page, name: str) -> None:
    page.goto(f"/specialists/{name}/run")
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_label("A text of yours")).to_be_visible(timeout=60_000)


def type_in(page: Page, text: str) -> None:
    page.get_by_label("A text of yours").fill(text)
    expect(page.locator("[data-answer] .label")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-compare]")).to_be_enabled(timeout=20_000)


def agrees(page: Page, metier: Metier, name: str, text: str = TEXT) -> None:
    """What the page shows is what this process answers."""
    type_in(page, text)
    wanted = metier.classify(name, [text])[0]
    shown = page.locator("[data-answer] .label").inner_text()
    assert (wanted.label or f"Its best guess: {wanted.best}") in shown
    first = page.locator("[data-answer] .scores span.share").first.inner_text()
    assert first.replace("\u202f", " ") == f"{wanted.scores[0][1] * 100:.1f} %"


@pytest.mark.parametrize("name", ["words", "table", "same"])
def test_a_specialist_without_an_encoder_answers_here(
    page: Page, metier: Metier, name: str
) -> None:
    load(page, name)
    agrees(page, metier, name)


@needs("browser")
@pytest.mark.parametrize("name", ["full", "small", "team/both"])
def test_an_encoder_answers_here(page: Page, metier: Metier, name: str) -> None:
    load(page, name)
    agrees(page, metier, name)


@needs("browser")
def test_nothing_is_asked_while_it_answers_and_it_works_without_a_network(
    page: Page, context: BrowserContext
) -> None:
    asked: list[str] = []
    load(page, "full")
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    page.on("request", lambda request: asked.append(request.url))
    for text in ("a first text", "a second text", TEXT):
        type_in(page, text)
    expect(page.locator("[data-speed]")).to_contain_text("Median")
    assert asked == []
    context.set_offline(False)


def test_one_button_sends_the_text_and_compares(page: Page) -> None:
    load(page, "words")
    type_in(page, TEXT)
    with page.expect_request("**/v1/classify"):
        page.get_by_role("button", name="Compare with the server").click()
    expect(page.locator("[data-compared]")).to_contain_text("The server says the same.")


def test_it_is_let_go_and_loaded_again_from_the_browser(page: Page) -> None:
    asked: list[str] = []
    load(page, "words")
    expect(page.locator("[data-kept]")).to_contain_text("in this browser already")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_label("A text of yours")).to_be_hidden()
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_label("A text of yours")).to_be_visible(timeout=20_000)
    type_in(page, "again")
    assert [url for url in asked if "/specialists/" in url] == []
    page.get_by_role("button", name="Remove from this browser").click()
    expect(page.locator("[data-kept]")).to_be_empty()


def test_bytes_that_are_not_the_plan_s_are_refused(context: BrowserContext) -> None:
    page = context.new_page()
    page.route(
        "**/specialists/words/run/*",
        lambda route: route.fulfill(body=b"\0" * 100, content_type="application/octet-stream"),
    )
    page.goto("/specialists/words/run")
    page.get_by_role("button", name="Load").click()
    expect(page.locator("[data-problem]")).to_contain_text("linear.safetensors")
    expect(page.get_by_role("button", name="Load")).to_be_visible()


def test_without_scripts_the_page_says_so(plain_page: Page) -> None:
    plain_page.goto("/specialists/words/run")
    expect(plain_page.get_by_text("computes with JavaScript")).to_be_visible()
    expect(plain_page.get_by_role("button", name="Load")).to_be_hidden()


@needs_axe()
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_fits(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    load(page, "words")
    type_in(page, "wort " * 200 + "W" * 300)
    assert too_wide(page) == []
    assert violations(page) == []


def test_a_key_opens_the_page_and_its_worker(metier: Metier, chromium: Browser) -> None:
    key = "a key of more than sixteen letters"
    with serving(metier, api_key=key) as address:
        opened = chromium.new_context(base_url=address)
        opened.set_default_timeout(10_000)
        page = opened.new_page()
        page.goto("/specialists/words/run")
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        load(page, "words")
        agrees(page, metier, "words")
        opened.close()
