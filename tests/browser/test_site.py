"""The website in a real browser: its main jobs, every width and theme, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
PAGES = ["/", "/fleet", "/specialists/banking-intents", "/specialists/hostile", "/make", "/docs"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_fits_its_width(
    chromium: Browser, server: str, path: str, width: int, theme: str
) -> None:
    context = chromium.new_context(
        base_url=server, viewport={"width": width, "height": 800}, color_scheme=theme
    )
    page = context.new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(251, 250, 247)") is (theme == "light")
    context.close()


def test_an_answer_that_is_withheld_is_said(page: Page) -> None:
    page.goto("/specialists/banking-intents")
    box = page.locator("#try")
    text = box.get_by_label("Texts, one a line")
    text.fill("WHAT IS THIS")
    text.press("Enter")
    expect(box).to_contain_text("Out of scope")
    text.fill("abc")
    text.press("Enter")
    expect(box).to_contain_text("It abstains: it is not sure enough.")


def test_the_evidence_page_answers_above_the_fold(page: Page) -> None:
    page.goto("/specialists/banking-intents")
    headline = page.get_by_text("Better than its base by 23.1 points (21.4 to 24.8")
    assert headline.bounding_box()["y"] < 400
    charts = page.locator("svg[role=img]")
    expect(charts).to_have_count(6)
    names = [chart.locator("title").first.text_content() for chart in charts.all()]
    assert names[0] == "WIN against its base: +23.1 points"
    curve = page.get_by_role("region", name="How many labels it takes")
    curve.get_by_text("The numbers", exact=True).click()
    expect(page.get_by_role("cell", name="10,003")).to_be_visible()


def test_a_number_leads_to_its_result(page: Page) -> None:
    page.goto("/specialists/banking-intents")
    address = page.get_by_role("link", name="+23.1").get_attribute("href")
    assert page.request.get(address).status == 200


def test_a_call_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/specialists/banking-intents")
    page.get_by_text("Python", exact=True).click()
    panel = page.locator(".panel-python")
    expect(panel).to_be_visible()
    expect(page.locator(".panel-curl")).to_be_hidden()
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("button")).to_have_text("Copied")
    assert "banking-intents" in page.evaluate("navigator.clipboard.readText()")


def test_the_theme_is_switched_and_remembered(page: Page) -> None:
    page.goto("/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Switch to dark").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.goto("/make")
    assert page.evaluate(paper) == dark
    page.get_by_role("button", name="Switch to light").click()
    assert page.evaluate(paper) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == dark, "what the system has is followed again"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_reads_without_scripts(plain_page: Page, path: str) -> None:
    plain_page.goto(path)
    expect(plain_page.get_by_role("heading", level=1)).to_be_visible()
    expect(plain_page.locator("[data-theme-switch]")).to_be_hidden()
    expect(plain_page.locator("[data-copy]:visible")).to_have_count(0)


def test_trying_works_without_scripts(plain_page: Page) -> None:
    plain_page.goto("/specialists/message-spam")
    plain_page.get_by_label("Texts, one a line").fill("call now to win a prize")
    plain_page.get_by_role("button", name="Run").click()
    expect(plain_page.locator(".answer .scores li")).to_have_count(2)


def test_a_hostile_card_runs_nothing(page: Page) -> None:
    page.goto("/specialists/hostile")
    assert page.locator("img").count() == 0
    for summary in page.locator("summary").all():
        summary.click()
    box = page.locator("#try")
    text = box.get_by_label("Texts, one a line")
    text.fill("<img src=x onerror=alert(1)> text")
    text.press("Enter")
    expect(box.locator(".scores li")).to_have_count(5)
    assert page.locator("img").count() == 0


def test_a_page_of_another_origin_can_change_and_read_nothing(
    chromium: Browser, server: str
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.route("http://evil.example/", lambda route: route.fulfill(body="<h1>evil</h1>"))
    page.goto("http://evil.example/")
    tried = page.evaluate(
        """async (server) => {
            const outcomes = [];
            const calls = [
                ["/metier/v1/gc", "POST"], ["/v1/classify", "POST"], ["/v1/models", "GET"],
                ["/metier/v1/specialists/message-spam", "DELETE"],
            ];
            for (const [path, method] of calls) {
                for (const mode of ["cors", "no-cors"]) {
                    try {
                        const reply = await fetch(server + path, { method, mode });
                        outcomes.push(`${reply.type} ${await reply.text()}`);
                    } catch (error) {
                        outcomes.push("refused");
                    }
                }
            }
            return outcomes;
        }""",
        server,
    )
    assert all(outcome in ("refused", "opaque ") for outcome in tried), tried
    context.close()
    own = chromium.new_context(base_url=server)
    assert own.request.get("/specialists/message-spam.json").status == 200
    own.close()
