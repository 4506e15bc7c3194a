"""The website in a real browser: its main jobs, every width and theme, with and without scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
ROWS = "text,label\nwhere is my card,card\nwhat is the rate,rate\n"
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


def test_a_specialist_is_tried_in_the_fleet(page: Page) -> None:
    page.goto("/fleet")
    row = page.locator("li.specialist", has_text="banking-intents").first
    row.get_by_label("Try banking-intents").fill("where is my card, it did not arrive")
    row.get_by_role("button", name="Run").click()
    expect(row.locator(".scores li")).to_have_count(5)
    expect(row.locator(".took")).to_contain_text("ms")
    assert page.url.endswith("/fleet")


def test_an_answer_that_is_withheld_is_said(page: Page) -> None:
    page.goto("/specialists/banking-intents")
    box = page.locator("form.try")
    box.get_by_role("textbox").fill("WHAT IS THIS")
    box.get_by_role("textbox").press("Enter")
    expect(box).to_contain_text("Out of scope")
    box.get_by_role("textbox").fill("abc")
    box.get_by_role("textbox").press("Enter")
    expect(box).to_contain_text("It abstains: it is not sure enough.")


def test_the_evidence_page_answers_above_the_fold(page: Page) -> None:
    page.goto("/specialists/banking-intents")
    headline = page.get_by_text("Better than its base by 23.1 points (21.4 to 24.8")
    assert headline.bounding_box()["y"] < 400
    charts = page.locator("svg[role=img]")
    expect(charts).to_have_count(4)
    names = [chart.locator("title").first.text_content() for chart in charts.all()]
    assert names[0] == "WIN against its base: +23.1 points"
    page.get_by_text("The numbers", exact=True).click()
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


def test_the_list_works_by_keyboard(page: Page) -> None:
    page.goto("/fleet")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("intents")
    expect(page.locator("li.specialist:visible")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="assistant-intents")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("li.specialist:visible")).to_have_count(6 - 1)
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/specialists/banking-intents")


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


def test_a_file_becomes_a_proved_specialist(page: Page, tmp_path: Path) -> None:
    rows = tmp_path / "My Tickets.csv"
    rows.write_text(ROWS)
    page.goto("/make")
    page.get_by_label("File with examples").set_input_files(rows)
    name = page.get_by_label("Name")
    expect(name).to_have_value("my-tickets")
    page.get_by_text("Columns, sealed rows, budget").click()
    page.get_by_label("Time budget").fill("2m")
    expect(page.locator("[data-command]")).to_have_text(
        "metier make --task classify --data 'My Tickets.csv' --name my-tickets --budget 2m"
    )
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("[data-rung=linear]")).to_contain_text("91.1")
    page.wait_for_url("**/specialists/my-tickets")
    expect(page.get_by_role("heading", level=1)).to_have_text("my-tickets")
    page.request.delete("/metier/v1/specialists/my-tickets")


def test_a_make_that_fails_says_why(page: Page, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\n")
    page.goto("/make")
    page.get_by_label("File with examples").set_input_files(rows)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("Give a header and two rows.")
    expect(page.get_by_role("link", name="Make another")).to_be_visible()


def test_a_make_is_stopped(page: Page, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS)
    page.goto("/make")
    page.get_by_label("File with examples").set_input_files(rows)
    page.get_by_label("Name").fill("slow")
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-state]")).to_have_text("Stopped. Nothing was installed.")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_reads_without_scripts(plain_page: Page, path: str) -> None:
    plain_page.goto(path)
    expect(plain_page.get_by_role("heading", level=1)).to_be_visible()
    expect(plain_page.locator("[data-theme-switch]")).to_be_hidden()
    expect(plain_page.locator("[data-copy]:visible")).to_have_count(0)


def test_trying_and_making_work_without_scripts(plain_page: Page, tmp_path: Path) -> None:
    plain_page.goto("/specialists/message-spam")
    plain_page.get_by_label("Try message-spam").fill("call now to win a prize")
    plain_page.get_by_role("button", name="Run").click()
    expect(plain_page.locator(".answer .scores li")).to_have_count(2)
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS)
    plain_page.goto("/make")
    plain_page.get_by_label("File with examples").set_input_files(rows)
    plain_page.get_by_label("Name").fill("plain")
    plain_page.get_by_role("button", name="Make it").click()
    evidence = plain_page.get_by_role("link", name="See the evidence")
    expect(evidence).to_be_visible(timeout=15_000)
    evidence.click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("plain")
    plain_page.request.delete("/metier/v1/specialists/plain")


def test_a_hostile_card_runs_nothing(page: Page) -> None:
    page.goto("/specialists/hostile")
    assert page.locator("img").count() == 0
    for summary in page.locator("summary").all():
        summary.click()
    box = page.locator("form.try")
    box.get_by_role("textbox").fill("<img src=x onerror=alert(1)> text")
    box.get_by_role("textbox").press("Enter")
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
