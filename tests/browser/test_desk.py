"""Chat specialists and packs in a real browser: ask with steps, check, take a repair, search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import coding_fleet
import scripted
from stand_in.serving import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service() -> Iterator[scripted.Seen]:
    with scripted.service(key=None) as seen:
        seen.always = scripted.told(coding_fleet.GOOD)
        yield seen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, service: scripted.Seen) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    metier = coding_fleet.opened(home, service=service.service.url)
    with serving(metier) as address:
        yield address
    metier.close()


def ask(page: Page) -> None:
    page.goto("/specialists/coder")
    page.get_by_label("Question", exact=True).fill("Write add(a, b).")
    page.get_by_label("Base", exact=True).select_option("remote:big")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".reply pre")).to_contain_text("return a + b")


def test_a_question_is_answered_in_place(page: Page) -> None:
    ask(page)
    assert page.url.endswith("/specialists/coder")
    expect(page.locator(".trace summary")).to_contain_text("passes its check")
    expect(page.locator("[data-progress]")).to_be_hidden()


def test_a_question_is_answered_without_scripts(plain_page: Page) -> None:
    ask(plain_page)


def test_a_base_that_cannot_answer_is_said(page: Page, service: scripted.Seen) -> None:
    page.goto("/specialists/coder")
    page.get_by_label("Question", exact=True).fill("x")
    page.evaluate(
        "const o = document.createElement('option'); o.value = 'remote:none';"
        "o.textContent = 'none'; document.querySelector('#base').append(o);"
    )
    page.get_by_label("Base", exact=True).select_option("remote:none")
    with page.expect_response("**/ask") as answered:
        page.get_by_role("button", name="Ask").click()
    expect(page.locator(".problem")).to_contain_text("There is no remote service named 'none'")
    assert answered.value.status == 200


def test_a_repair_is_taken_with_one_press(page: Page) -> None:
    page.goto("/specialists/coder")
    page.get_by_label("Code", exact=True).fill("print(math.pi)\n")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".marked.error, .sheet .note.error").first).to_be_visible()
    expect(page.locator(".diff .new").first).to_contain_text("import math")
    page.get_by_role("button", name="Take the repair").click()
    expect(page.locator(".sheet .file")).to_contain_text("nothing wrong found")
    expect(page.get_by_label("Code", exact=True)).to_contain_text("import math")


def test_a_pack_is_searched_from_the_keyboard(page: Page) -> None:
    page.goto("/specialists/notes")
    page.keyboard.press("/")
    page.keyboard.type("visit every item")
    page.keyboard.press("Enter")
    expect(page.locator(".passages > li").first).to_contain_text("for item in items")
    assert "q=visit" in page.url


@pytest.mark.parametrize("path", ["/specialists/coder", "/specialists/notes?q=open+file"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_fits_its_width(chromium: Browser, server: str, path: str, width: int) -> None:
    context = chromium.new_context(base_url=server, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
