"""A real local model in a real browser: talk, stop, start anew, without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import tiny_gguf
from local_models import install_local
from metier.assembly import Metier
from metier.settings import Settings
from stand_in.serving import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("talking")
    metier = Metier.open(Settings(home=folder / "home"))
    weights = tiny_gguf.tiny_model(folder)
    install_local(metier.fleet, "tiny", weights, parameters={"num_predict": 20})
    with serving(metier) as address:
        yield address
    metier.close()


def say(page: Page, text: str) -> None:
    page.get_by_label("Say something").fill(text)
    page.get_by_role("button", name="Send").click()


def test_turns_are_shown_as_they_come(page: Page) -> None:
    page.goto("/specialists/tiny")
    say(page, "hello")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden(timeout=30_000)
    say(page, "again")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden(timeout=30_000)
    said = page.locator("[data-log] .said-by").all_inner_texts()
    assert said == ["You", "tiny", "You", "tiny"]
    page.get_by_role("button", name="Start anew").click()
    expect(page.locator("[data-log]")).to_be_empty()


def test_an_error_is_said_in_place(context: BrowserContext) -> None:
    # A refused call is a line in the browser's console, which `page` takes for a defect.
    page = context.new_page()
    page.goto("/specialists/tiny")
    say(page, "word " * 15_000)
    expect(page.locator("[data-log] .problem")).to_contain_text("tokens", timeout=30_000)


def test_it_works_without_scripts(plain_page: Page) -> None:
    plain_page.goto("/specialists/tiny")
    say(plain_page, "hello")
    expect(plain_page.locator("[data-log] .said-by")).to_have_count(2)
    expect(plain_page.locator("[data-log]")).to_contain_text("tokens/s while writing")
