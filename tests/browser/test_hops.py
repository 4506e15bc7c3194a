"""Where a specialist stands, and its hops, in a real browser: asked for, followed, taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from inspecting import needs_axe, too_wide, violations, watch
from metier.hop import Done
from stand_in.cards import banking
from stand_in.hopping import HOSTILE, NEW, OLD, put_aside
from stand_in.metier import StandIn
from stand_in.serving import serving
from stand_in.watching import standing

pytestmark = pytest.mark.browser
NAME = "banking-intents"
PAGE = f"/specialists/{NAME}"


@pytest.fixture
def metier(tmp_path: Path) -> StandIn:
    found = StandIn(tmp_path / "fleet", [banking()])
    found.watching.found[NAME] = standing(NAME)
    found.hopping.previous = put_aside(NAME, "previous")
    found.hopping.aside = [put_aside(NAME, "rejected-0123abcd")]
    found.hopping.done = [
        Done("kept", "2026-11-20T10:00:00Z", OLD, NEW, f"{HOSTILE}: it is worse.")
    ]
    return found


@pytest.fixture
def address(metier: StandIn, tmp_path: Path) -> Iterator[str]:
    with serving(metier, home=tmp_path / "home") as found:
        yield found


@pytest.fixture(params=[True, False], ids=["scripts", "plain"])
def page(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    context = opened(chromium, address, scripts=request.param)
    one = context.new_page()
    seen = watch(one, address)
    yield one
    assert seen.problems == []
    context.close()


def opened(
    chromium: Browser,
    address: str,
    *,
    scripts: bool = True,
    width: int = 1280,
    theme: str = "light",
) -> BrowserContext:
    context = chromium.new_context(
        base_url=address,
        java_script_enabled=scripts,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if theme == "dark" else "light",
    )
    context.set_default_timeout(10_000)
    return context


def test_a_hop_is_asked_for_and_followed(page: Page, metier: StandIn) -> None:
    page.goto(PAGE)
    hops = page.locator("#hops")
    hops.get_by_label("New base").select_option("small@encoder")
    hops.get_by_label("Time").fill("5m")
    hops.get_by_role("button", name="Hop to another base").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    assert metier.hopping.asked == [
        {"name": NAME, "bases": ["small@encoder"], "every": False, "budget": 300.0, "rows": ""}
    ]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_time_that_is_none_is_said_and_nothing_starts(
    chromium: Browser, address: str, metier: StandIn, scripts: bool
) -> None:
    context = opened(chromium, address, scripts=scripts)
    page = context.new_page()
    page.goto(PAGE)
    page.locator("#hop-budget").evaluate("one => one.removeAttribute('pattern')")
    page.locator("#hop-budget").fill("soon")
    page.get_by_role("button", name="Hop to another base").click()
    expect(page.locator("#main")).to_contain_text("'budget' is 'soon'.")
    page.get_by_role("link", name="Back to the form").click()
    expect(page.locator("#hop-base")).to_be_visible()
    assert metier.hopping.asked == []
    context.close()


def test_the_one_before_comes_back_with_one_press(page: Page, metier: StandIn) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="Roll back to it").click()
    expect(page.locator("#hops")).to_be_visible()
    page.locator("#hops").get_by_text("not promoted and is kept").click()
    page.get_by_role("button", name="Promote it all the same").click()
    expect(page.locator("#hops")).to_be_visible()
    assert metier.hopping.rolled == [(NAME, None), (NAME, "rejected-0123abcd")]


def test_what_was_done_and_where_it_stands_is_told_and_runs_nothing(page: Page) -> None:
    page.goto(PAGE)
    expect(page.locator("#standing")).to_contain_text("DEMOTED")
    expect(page.locator("#standing table")).to_contain_text("<i>general</i>")
    expect(page.locator(".acts-done li")).to_contain_text(f"{HOSTILE}: it is worse.")
    expect(page.get_by_role("link", name=f"{NAME}@previous")).to_be_visible()


@needs_axe()
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_hops_are_accessible_and_fit(
    chromium: Browser, address: str, theme: str, width: int
) -> None:
    context = opened(chromium, address, width=width, theme=theme)
    page = context.new_page()
    page.goto(PAGE)
    for summary in page.locator("#hops summary").all():
        summary.click()
    assert too_wide(page) == []
    assert violations(page) == []
    context.close()
