"""A real Chromium and a real server for the page tests.

Chromium comes from the system (Debian's package) or from Playwright. Without one the tests are
skipped and say so; in CI they fail, so that they cannot stop running unnoticed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright
from playwright.sync_api import Error as BrowserError

from stand_in.cards import assistant, banking, hostile, spam, underpowered
from stand_in.metier import StandIn
from stand_in.serving import serving


# Not for the session: while it is open Playwright keeps an event loop running in this thread, and
# asyncio.run of other tests would fail.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except BrowserError as error:
            reason = f"Chromium cannot be started: {str(error).splitlines()[0]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(f"{reason}. Install it: apt-get install chromium")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    fleet = [banking(), assistant(), spam(), underpowered(), hostile()]
    with serving(StandIn(tmp_path_factory.mktemp("fleet"), fleet, pause=0.05)) as address:
        yield address


@dataclass
class Seen:
    """What a page did that it must not do."""

    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def watch(page: Page, address: str) -> Seen:
    """Collect console errors, script errors and requests to another origin."""
    seen = Seen()

    def requested(request: Request) -> None:
        seen.asked.append(request.url)
        if not request.url.startswith((f"{address}/", "data:")):
            seen.problems.append(f"asked {request.url}")

    page.on("request", requested)
    page.on("pageerror", lambda error: seen.problems.append(f"script error: {error}"))
    page.on(
        "console",
        lambda message: (
            seen.problems.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    return seen


@pytest.fixture
def context(chromium: Browser, server: str) -> Iterator[BrowserContext]:
    opened = chromium.new_context(base_url=server, viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, server: str) -> Iterator[Page]:
    """A page that fails its test when it logs an error or asks another origin."""
    opened = context.new_page()
    seen = watch(opened, server)
    yield opened
    assert seen.problems == []
    assert seen.asked


@pytest.fixture
def plain_page(chromium: Browser, server: str) -> Iterator[Page]:
    """A page without scripts."""
    opened = chromium.new_context(base_url=server, java_script_enabled=False)
    opened.set_default_timeout(10_000)
    page = opened.new_page()
    seen = watch(page, server)
    yield page
    assert seen.problems == []
    opened.close()
