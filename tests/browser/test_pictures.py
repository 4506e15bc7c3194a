"""The page of a classifier of pictures: chosen files are answered, with a script and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import tiny_vision
from inspecting import watch

pytestmark = pytest.mark.browser
ADDRESS = "/specialists/colours"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A red and a blue picture."""
    found = []
    for seed, colour in enumerate(("red", "blue")):
        path = tmp_path / f"{colour}.png"
        path.write_bytes(tiny_vision.png(tiny_vision.pixels(colour, 700 + seed)))
        found.append(path)
    return found


def opened(chromium: Browser, server: str, *, scripts: bool) -> Page:
    """The page, in a context of its own."""
    context = chromium.new_context(base_url=server, java_script_enabled=scripts)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(ADDRESS)
    return page


@pytest.mark.parametrize("scripts", [True, False])
def test_chosen_pictures_are_answered(
    chromium: Browser, seeing: str, files: list[Path], scripts: bool
) -> None:
    page = opened(chromium, seeing, scripts=scripts)
    page.set_input_files("#try-picture", files)
    if not scripts:
        page.get_by_role("button", name="Run").click()
    answers = page.locator("section.tried")
    expect(answers).to_have_count(2)
    expect(answers.nth(0).locator(".label")).to_contain_text("red")
    expect(answers.nth(1).locator(".label")).to_contain_text("blue")
    expect(page.locator(".took")).to_contain_text("2 pictures in")
    if scripts:
        expect(page.locator("section.tried img")).to_have_count(2)
    page.context.close()


def test_what_is_no_picture_is_said(chromium: Browser, seeing: str, tmp_path: Path) -> None:
    page = opened(chromium, seeing, scripts=True)
    seen = watch(page, seeing)
    wrong = tmp_path / "a.png"
    wrong.write_bytes(b"GIF89a")
    page.set_input_files("#try-picture", wrong)
    expect(page.locator("[data-answer] .problem")).to_contain_text("is a GIF")
    assert [said for said in seen.problems if "422" not in said] == []
    page.context.close()
