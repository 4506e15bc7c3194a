"""The page Compare, end to end: choose, see the pair, look at disagreements, ask side by side."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import made_up
from inspecting import needs_axe, too_wide, violations, watch
from metier.assembly import Metier
from metier.settings import Settings
from stand_in.serving import serving

pytestmark = pytest.mark.browser
CHOSEN = "/compare?name=help-desk&name=dull&on=help-desk"


@pytest.fixture(scope="module")
def compared(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server over a home with a second classifier, made of the same rows."""
    own = tmp_path_factory.mktemp("compared") / "home"
    shutil.copytree(made_home, own, symlinks=True)
    settings = replace(Settings.read(), home=own, mirror=None, general_url=None, threads=1)
    metier = Metier.open(settings)
    recipe = metier.recipe_for(own / "rows.jsonl", name="dull", curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority",)})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=own)
    other = metier.recipe_for(
        made_up.write(own / "other.jsonl", made_up.rows(30, seed=9)), name="elsewhere", curve=False
    )
    ladder = other.ladder.model_copy(update={"rungs": ("linear",)})
    metier.make(other.model_copy(update={"ladder": ladder}), folder=own)
    with serving(metier) as address:
        yield address
    metier.close()


@pytest.fixture
def sheet(chromium: Browser, compared: str) -> Iterator[Page]:
    """A page that fails its test when it logs an error or asks another origin."""
    context = chromium.new_context(base_url=compared, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    seen = watch(page, compared)
    yield page
    assert seen.problems == []
    context.close()


@pytest.fixture
def plain(chromium: Browser, compared: str) -> Iterator[Page]:
    """A page without scripts, on a phone."""
    context = chromium.new_context(
        base_url=compared, viewport={"width": 360, "height": 740}, java_script_enabled=False
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_two_are_chosen_and_compared(sheet: Page) -> None:
    sheet.goto("/")
    sheet.get_by_role("link", name="Compare").click()
    expect(sheet.get_by_role("heading", level=1)).to_have_text("Where do they differ?")
    sheet.get_by_role("button", name="Compare", exact=True).first.click()
    expect(sheet.locator(".lead")).to_contain_text("help-desk against dull")
    expect(sheet.locator(".pairs .verdict")).to_contain_text("WIN")
    expect(sheet.locator("figure.tradeoff svg")).to_be_visible()
    expect(sheet.locator("footer")).to_contain_text("metier compare")


def test_disagreements_are_filtered_and_paged(sheet: Page) -> None:
    sheet.goto(CHOSEN)
    items = sheet.locator(".items > li")
    assert items.count() > 5
    sheet.get_by_role("link", name="dull right, help-desk wrong").click()
    expect(sheet.locator(".filters [aria-current]")).to_have_text("dull right, help-desk wrong")
    sheet.get_by_role("link", name="help-desk right, dull wrong").click()
    expect(items.first.locator("dd.right")).to_have_count(1)
    expect(items.first.locator("dd.wrong")).to_have_count(1)


def test_what_is_missing_is_measured_as_a_job(sheet: Page) -> None:
    sheet.goto("/compare?name=help-desk&name=elsewhere&on=help-desk")
    expect(sheet.locator(".missing")).to_contain_text("elsewhere has not answered")
    sheet.get_by_role("button", name="Measure it").click()
    # The job's page gives way to the comparison once it is done.
    expect(sheet.locator(".lead")).to_contain_text("against", timeout=60_000)
    expect(sheet.locator(".missing")).to_have_count(0)


def test_answers_side_by_side_are_written_as_they_come(sheet: Page) -> None:
    sheet.goto("/compare")
    sheet.get_by_role("textbox", name="Prompt").fill("my parcel has not arrived")
    for name in ("help-desk", "tiny"):
        sheet.locator(f'.ask input[value="{name}"]').check()
    sheet.get_by_role("button", name="Ask").click()
    sheet.wait_for_url("**/compare/asked/*")
    expect(sheet.locator(".answer-slot")).to_have_count(2)
    expect(sheet.locator("[data-took]").nth(0)).to_contain_text("ms", timeout=60_000)
    expect(sheet.locator("[data-took]").nth(1)).to_contain_text("ms", timeout=60_000)
    for text in sheet.locator("[data-text]").all_inner_texts():
        assert text.strip()


def test_blind_names_come_after_the_choice(sheet: Page) -> None:
    sheet.goto("/compare")
    sheet.get_by_role("textbox", name="Prompt").fill("my parcel has not arrived")
    for name in ("help-desk", "dull"):
        sheet.locator(f'.ask input[value="{name}"]').check()
    sheet.get_by_label(re.compile("^Blind")).check()
    sheet.get_by_role("button", name="Ask").click()
    sheet.wait_for_url("**/compare/asked/*")
    expect(sheet.get_by_role("heading", name="Answer A")).to_be_visible()
    assert "help-desk" not in sheet.locator("main").inner_text()
    sheet.locator("[data-vote]").get_by_role("button", name="A", exact=True).click()
    expect(sheet.locator("main")).to_contain_text("You chose")
    expect(sheet.locator("main")).to_contain_text("help-desk")
    expect(sheet.locator("main")).to_contain_text("not kept")


def test_it_works_without_scripts(plain: Page) -> None:
    plain.goto(CHOSEN)
    expect(plain.locator(".pairs .verdict")).to_contain_text("WIN")
    assert too_wide(plain) == []
    plain.goto("/compare")
    plain.get_by_role("textbox", name="Prompt").fill("my parcel has not arrived")
    for name in ("help-desk", "dull"):
        plain.locator(f'.ask input[value="{name}"]').check()
    plain.get_by_role("button", name="Ask").click()
    expect(plain.locator(".answer-slot")).to_have_count(2)
    expect(plain.locator("main")).to_contain_text("delivery")
    assert too_wide(plain) == []


@needs_axe()
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_is_accessible(chromium: Browser, compared: str, theme: str, width: int) -> None:
    context = chromium.new_context(
        base_url=compared, viewport={"width": width, "height": 800}, color_scheme=theme
    )
    page = context.new_page()
    for address in (CHOSEN, f"{CHOSEN}&name=majority&which=first", "/compare"):
        page.goto(address)
        assert violations(page) == []
        assert too_wide(page) == []
    context.close()
