"""What holds for every page: both themes, phone and wide screen, without scripts, by keyboard.

A new page is a line in ``SHEETS``: its name, the fixture that serves it (see ``conftest``), and its
address. Main jobs are tested in ``test_<page>.py``.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from inspecting import needs_axe, too_wide, violations, watch
from metier.catalog.curated import entries

pytestmark = pytest.mark.browser


class Sheet(NamedTuple):
    """A page in one state."""

    name: str
    served: str
    path: str


SHEETS = [
    Sheet("find", "home", "/"),
    Sheet("find nothing", "home", "/?q=zzzzzz"),
    Sheet("find in an empty home", "bare_home", "/"),
    Sheet("find among hostile cards", "server", "/"),
    Sheet("find by eval", "home", "/find/eval"),
    Sheet("fleet", "home", "/fleet"),
    Sheet("empty fleet", "bare_home", "/fleet"),
    Sheet("fleet of cards", "server", "/fleet"),
    Sheet("specialist", "home", "/specialists/help-desk"),
    Sheet("specialist with everything", "server", "/specialists/banking-intents"),
    Sheet("hostile specialist", "server", "/specialists/hostile"),
    Sheet("run in this page", "home", "/specialists/help-desk/run"),
    Sheet("a page cannot run a chat specialist", "home", "/specialists/coder/run"),
    Sheet("what no page runs", "server", "/specialists/banking-intents/run"),
    Sheet("chat specialist", "home", "/specialists/coder"),
    Sheet("pack", "home", "/specialists/notes"),
    Sheet("classifier of pictures", "seeing", "/specialists/colours"),
    Sheet("local model", "home", "/specialists/tiny"),
    Sheet("entry of a catalogue", "home", f"/entries/curated/{entries()[0].name}"),
    Sheet("removal", "home", "/fleet/remove?name=help-desk"),
    Sheet("make", "home", "/make"),
    Sheet("compare", "home", "/compare"),
    Sheet("compare nothing", "bare_home", "/compare"),
    Sheet("compare among hostile cards", "server", "/compare"),
    Sheet("route", "home", "/route"),
    Sheet("route a text", "home", "/route?q=How+do+I+open+a+file%3F"),
    Sheet("route in an empty home", "bare_home", "/route"),
    Sheet("http", "home", "/docs"),
    Sheet("not there", "home", "/nothing"),
    Sheet("sign in", "home", "/sign-in"),
]
_HAS_A_BUTTON = """(form) => [...form.elements].some(
    (one) => one.type === "submit" && one.checkVisibility())"""
SIZES = [("phone", 360, 740), ("wide", 1440, 900)]
PAPER = {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 23, 26)"}
EVERY = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)


def _own(problems: list[str], sheet: Sheet) -> list[str]:
    """The problems without the browser's own line for a page that is meant to be missing."""
    meant = "404" if sheet.path == "/nothing" else "\0"
    return [problem for problem in problems if meant not in problem]


@needs_axe()
@EVERY
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_quiet_and_fits(
    chromium: Browser, request: pytest.FixtureRequest, sheet: Sheet, theme: str
) -> None:
    address = request.getfixturevalue(sheet.served)
    for size, width, height in SIZES:
        context = chromium.new_context(
            base_url=address, viewport={"width": width, "height": height}, color_scheme=theme
        )
        page = context.new_page()
        seen = watch(page, address)
        page.goto(sheet.path)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAPER[theme]
        assert too_wide(page) == [], size
        for summary in page.locator("main summary:visible").all():
            summary.click()
        assert violations(page) == [], size
        assert too_wide(page) == [], f"{size}, opened"
        assert _own(seen.problems, sheet) == [], size
        context.close()


@EVERY
def test_it_reads_without_scripts(
    chromium: Browser, request: pytest.FixtureRequest, sheet: Sheet
) -> None:
    address = request.getfixturevalue(sheet.served)
    context = chromium.new_context(
        base_url=address, viewport={"width": 360, "height": 740}, java_script_enabled=False
    )
    page = context.new_page()
    seen = watch(page, address)
    page.goto(sheet.path)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for role in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.locator("[data-theme-switch]")).to_be_hidden()
    expect(page.locator("[data-copy]:visible")).to_have_count(0)
    for form in page.locator("form:visible").all():
        assert form.evaluate(_HAS_A_BUTTON), form.evaluate("(form) => form.outerHTML.slice(0, 300)")
    assert not seen.problems or _own(seen.problems, sheet) == []
    context.close()


@EVERY
def test_it_is_walked_by_keyboard(
    chromium: Browser, request: pytest.FixtureRequest, sheet: Sheet
) -> None:
    """The first stop leads past the navigation, every stop can be seen, and nothing moves."""
    address = request.getfixturevalue(sheet.served)
    context = chromium.new_context(
        base_url=address, viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(sheet.path)
    assert page.evaluate("document.getAnimations().length") == 0
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert _focus_is_seen(page), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    context.close()


def _focus_is_seen(page: Page) -> bool:
    seen: bool = page.evaluate(
        """() => {
            const at = document.activeElement;
            if (at === document.body) return true;
            const marks = [at, ...(at.labels ?? [])].map((one) => getComputedStyle(one));
            return marks.some((style) => !["none", ""].includes(style.outlineStyle));
        }"""
    )
    return seen
