"""Fleet: what is here, memory and disk, load and unload, downloads that are stopped and resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from inspecting import needs_axe, too_wide, violations, watch
from metier.errors import InputError, UnavailableError
from metier.messages import Progress
from scripted_worker import until
from stand_in.cards import banking, spam
from stand_in.metier import StandIn
from stand_in.serving import serving

pytestmark = pytest.mark.browser
MODEL = "hf.co/owner/<b>model</b>"
MEGABYTE = 1_000_000


class Fetching(StandIn):
    """Its downloads take a few seconds and go on where they stopped."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [banking(), spam()])
        self.come: dict[str, int] = {}

    def pull(self, name: str, *, report: Any, cancelled: Callable[[], bool]) -> None:
        if "gated" in name:
            raise UnavailableError(f"{name} is gated.", code="gated", remedy="Ask for access.")
        report(Progress("manifest", "pulling manifest"))
        for done in range(self.come.get(name, 0), 21):
            if cancelled():
                raise InputError("Stopped.", code="cancelled")
            self.come[name] = done
            data = {
                "file": "model.gguf",
                "total": 20 * MEGABYTE,
                "completed": done * MEGABYTE,
                "bytes_per_second": 5 * MEGABYTE,
            }
            report(Progress("pull", "pulling abc", done / 20, (20 - done) / 5, data))
            time.sleep(0.25)


@pytest.fixture
def metier(tmp_path: Path) -> Fetching:
    return Fetching(tmp_path / "fleet")


@pytest.fixture
def page(chromium: Browser, metier: Fetching, tmp_path: Path) -> Iterator[Page]:
    with serving(metier, home=tmp_path / "home") as address:
        context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(15_000)
        page = context.new_page()
        seen = watch(page, address)
        yield page
        assert seen.problems == []
        context.close()


@pytest.fixture
def real(chromium: Browser, home: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=home, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    seen = watch(page, home)
    yield page
    assert seen.problems == []
    context.close()


def test_a_model_is_loaded_seen_in_memory_and_let_go(real: Page) -> None:
    real.goto("/fleet")
    row = real.locator("li.entry", has=real.get_by_role("link", name="tiny", exact=True))
    expect(row).to_contain_text("not in memory")
    row.get_by_label("How long tiny stays").select_option("1h")
    row.get_by_role("button", name="Load tiny").click()
    expect(real.get_by_role("status").first).to_contain_text("tiny is in memory.")
    expect(row).to_contain_text("in memory")
    expect(row).to_contain_text("goes in 60")
    other = real.context.new_page()
    other.goto("/fleet")
    other.get_by_role("button", name="Unload tiny").click()
    expect(other.get_by_role("status").first).to_contain_text("leaves memory")
    real.evaluate("document.activeElement.blur()")
    expect(row).to_contain_text("not in memory", timeout=15_000)
    expect(real.get_by_role("heading", level=1)).to_contain_text("0 in memory")


def test_something_is_removed_after_what_would_be_missed_is_said(real: Page) -> None:
    real.goto("/fleet")
    real.get_by_role("button", name="Remove notes").click()
    expect(real.get_by_role("heading", level=1)).to_have_text("Remove notes")
    real.get_by_role("link", name="Keep it").click()
    real.wait_for_url("**/fleet")
    real.get_by_role("button", name="Remove notes").click()
    real.get_by_role("button", name="Remove it").click()
    expect(real.get_by_role("status").first).to_contain_text("notes is removed.")
    expect(real.get_by_role("link", name="notes", exact=True)).to_have_count(0)
    real.get_by_role("button", name="Free ").click()
    expect(real.get_by_role("status").first).to_contain_text("came back")


def test_every_byte_is_checked_as_a_job(real: Page) -> None:
    real.goto("/fleet")
    real.get_by_role("button", name="Check every byte").click()
    real.wait_for_url("**/jobs/*")
    expect(real.get_by_role("heading", name="nothing is wrong")).to_be_visible(timeout=30_000)


def test_downloads_are_followed_stopped_and_resumed(page: Page, metier: Fetching) -> None:
    page.goto("/fleet")
    page.get_by_label("Name on the hub").fill(MODEL)
    page.get_by_role("button", name="Pull").click()
    row = page.locator(".downloads li").first
    expect(row).to_contain_text("of 20\u202fMB")
    expect(row).to_contain_text("5.0\u202fMB/s")
    expect(row).to_contain_text("left")
    page.get_by_label("Name on the hub").fill("hf.co/owner/other")
    page.get_by_role("button", name="Pull").click()
    expect(page.locator(".downloads progress")).to_have_count(2)
    page.get_by_role("button", name="Stop hf.co/owner/<b>").click()
    expect(page.locator(".downloads li", has_text="<b>model</b>")).to_contain_text("stopped")
    came = metier.come[MODEL]
    page.reload()
    page.get_by_role("button", name="Resume hf.co/owner/<b>").click()
    page.get_by_role("link", name=MODEL).click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("[data-bytes]")).to_contain_text("of 20\u202fMB")
    assert metier.come[MODEL] >= came
    page.goto("/fleet")
    done = page.locator(".downloads li", has_text="<b>model</b>")
    expect(done).to_contain_text("here,", timeout=15_000)
    page.evaluate("document.activeElement.blur()")
    expect(page.locator(".downloads progress")).to_have_count(0, timeout=15_000)


def test_the_same_download_in_two_tabs_is_one(page: Page) -> None:
    for _ in range(2):
        page.goto("/fleet")
        page.get_by_label("Name on the hub").fill("hf.co/owner/model")
        page.get_by_role("button", name="Pull").click()
        expect(page.locator(".downloads li")).to_have_count(1)


def test_a_download_that_fails_says_how_to_mend_it(page: Page) -> None:
    page.goto("/fleet")
    page.get_by_label("Name on the hub").fill("hf.co/owner/gated")
    page.get_by_role("button", name="Pull").click()
    row = page.locator(".downloads li").first
    expect(row).to_contain_text("Ask for access.")
    expect(row.get_by_role("button", name="Try again")).to_be_visible()
    row.get_by_role("button", name="Take off the list").click()
    expect(page.locator(".downloads li")).to_have_count(0)


def test_the_list_works_by_keyboard(page: Page) -> None:
    page.goto("/fleet")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("intents")
    expect(page.locator("li.specialist:visible")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="banking-intents")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("li.specialist:visible")).to_have_count(2)


@needs_axe()
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_downloads_and_removals_are_accessible_and_fit(
    chromium: Browser, metier: Fetching, tmp_path: Path, theme: str
) -> None:
    with serving(metier, home=tmp_path / "home") as address:
        for name in (MODEL, "hf.co/owner/gated", "x" * 300):
            for width in (360, 1440):
                context = chromium.new_context(
                    base_url=address, viewport={"width": width, "height": 800}, color_scheme=theme
                )
                page = context.new_page()
                seen = watch(page, address)
                page.goto("/fleet")
                page.get_by_label("Name on the hub").fill(name)
                page.get_by_role("button", name="Pull").click()
                expect(page.locator(".downloads li").first).to_be_visible()
                assert too_wide(page) == []
                assert violations(page) == []
                page.get_by_role("button", name="Remove banking-intents").click()
                expect(page.get_by_role("button", name="Remove it")).to_be_visible()
                assert too_wide(page) == []
                assert violations(page) == []
                assert seen.problems == []
                context.close()


def test_the_fleet_is_kept_without_scripts(
    chromium: Browser, metier: Fetching, tmp_path: Path
) -> None:
    with serving(metier, home=tmp_path / "home") as address:
        context = chromium.new_context(base_url=address, java_script_enabled=False)
        page = context.new_page()
        page.goto("/fleet")
        page.get_by_role("button", name="Pull").click()
        page.get_by_label("Name on the hub").fill("hf.co/owner/gated")
        page.get_by_role("button", name="Pull").click()
        download = page.locator(".downloads li")
        expect(download).to_have_count(1)  # the page that the form leads to is there
        until(lambda: page.reload() is not None and "Ask for access." in download.inner_text())
        page.get_by_role("button", name="Remove message-spam").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_role("status").first).to_contain_text("message-spam is removed.")
        page.get_by_role("button", name="Free ").click()
        expect(page.get_by_role("status").first).to_contain_text("found nothing to remove")
        context.close()
