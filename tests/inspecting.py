"""What every page of the website is held to, in a real browser.

``watch`` collects what a page must not do (log an error, ask another origin); ``violations`` runs
axe-core in it; ``too_wide`` names what makes it scroll sideways. axe-core is installed by
``scripts/setup axe`` into ``.venv/axe``, or into ``METIER_AXE``, and is never committed. Where it
is missing the checks that need it are skipped with that reason; in CI they fail.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request

ROOT = Path(__file__).resolve().parents[1]
# WCAG 2.2 AA and what axe-core's authors hold to be good practice (one h1, landmarks, headings).
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (rules) => {
    const found = await axe.run(document, {
        runOnly: { type: "tag", values: rules }, resultTypes: ["violations"],
    });
    return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ` + nodes.slice(0, 5)
        .map((node) => `${node.target.join(" ")} ${node.html.slice(0, 160)} `
            + `(${node.any.map((check) => check.message).join(" ").slice(0, 300)})`).join(" | "));
}"""
_WIDE = """(width) => [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > width + 0.5)
    .slice(0, 8).map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`)"""


def _axe() -> Path:
    folder = Path(os.environ.get("METIER_AXE") or ROOT / ".venv" / "axe")
    return folder / "node_modules" / "axe-core" / "axe.min.js"


def needs_axe() -> pytest.MarkDecorator:
    """A mark for tests that run axe-core."""
    reason = "not installed: axe-core; run make test, or scripts/setup axe"
    return pytest.mark.skipif(not _axe().is_file() and not os.environ.get("CI"), reason=reason)


@cache
def _axe_source() -> str:
    return _axe().read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now, each with its first places.

    The debugger hands the script over, so the page's own policy stays as strict as it is.
    """
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(_axe_source())
    found: list[str] = page.evaluate(_RUN, RULES)
    return found


def too_wide(page: Page) -> list[str]:
    """What reaches over the right edge, if the page scrolls sideways; nothing otherwise."""
    width = page.evaluate("document.documentElement.clientWidth")
    if page.evaluate("document.documentElement.scrollWidth") <= width:
        return []
    found: list[str] = page.evaluate(_WIDE, width)
    return found or ["something scrolls, and no element says what"]


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
        if not request.url.startswith((f"{address}/", "data:", "blob:")):
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
