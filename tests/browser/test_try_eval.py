"""Find by eval in a real browser: examples in, rounds drawn live, the winner with its interval."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import made_up
import workshop
from inspecting import needs_axe, too_wide, violations, watch
from metier.assembly import Metier
from metier.settings import Settings
from scripted import Scripted, service, told
from stand_in.serving import serving

pytestmark = pytest.mark.browser
JOB = "**/jobs/*"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server over five classifiers that were made of more and more rows."""
    home = tmp_path_factory.mktemp("by-eval")
    made = workshop.opened(home)
    for number, rows in enumerate((3, 4, 8, 20, 60)):
        data = made_up.write(home / f"r{number}.jsonl", made_up.rows(rows, seed=number, noise=0))
        recipe = workshop.recipe(made, data, name=f"desk-{rows}", curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
        made.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    made.close()
    settings = replace(Settings.read(), home=home, mirror=None, general_url=None, threads=1)
    metier = Metier.open(settings)
    with serving(metier) as address:
        yield address
    metier.close()


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = made_up.rows(40, seed=99, noise=0.02)
    return made_up.write(tmp_path_factory.mktemp("rows") / "mine.jsonl", rows)


def opened(chromium: Browser, own: str, *, scripts: bool = True, width: int = 1280) -> Page:
    context = chromium.new_context(
        base_url=own, viewport={"width": width, "height": 800}, java_script_enabled=scripts
    )
    context.set_default_timeout(20_000)
    return context.new_page()


def test_a_file_is_recognised_tried_and_the_winner_shown(
    chromium: Browser, own: str, mine: Path
) -> None:
    page = opened(chromium, own)
    seen = watch(page, own)
    page.goto("/find/eval")
    page.get_by_label("File with examples").set_input_files(mine)
    expect(page.get_by_role("heading", name="mine.jsonl: 160 texts with 4 labels")).to_be_visible()
    expect(page.get_by_role("group", name="6 candidates can answer")).to_be_visible()
    page.get_by_label("tiny").uncheck()
    page.get_by_role("button", name="Try them").click()
    page.wait_for_url(JOB)
    expect(page.get_by_role("heading", level=1)).to_contain_text("on mine.jsonl")
    expect(page.get_by_text("untouched questions").first).to_be_visible()
    chart = page.locator("figure.funnel svg")
    expect(chart.locator("title")).to_contain_text("5 candidates in ")
    expect(chart.locator("g.winner")).to_have_count(1)
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("table").first).to_be_visible()
    run = page.locator("a.act", has_text="Run desk-")
    expect(run).to_have_attribute("href", "/specialists/" + run.inner_text().removeprefix("Run "))
    run.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("desk-")
    assert seen.problems == []
    page.context.close()


def test_a_dropped_file_is_looked_at(chromium: Browser, own: str) -> None:
    page = opened(chromium, own)
    page.goto("/find/eval")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            const label = (n) => n % 2 ? "delivery" : "payment";
            const rows = Array.from({length: 12}, (_, n) => `text ${n},${label(n)}`);
            data.items.add(new File(["text,label\\n" + rows.join("\\n")], "dropped.csv"));
            document.querySelector("[data-trying]").dispatchEvent(
                new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_role("heading", name="dropped.csv: 12 texts with 2 labels")).to_be_visible()
    expect(page.get_by_text("will be left untouched")).to_be_visible()
    page.context.close()


def test_pasted_rows_go_the_whole_way_without_scripts(
    chromium: Browser, own: str, mine: Path
) -> None:
    page = opened(chromium, own, scripts=False, width=360)
    seen = watch(page, own)
    page.goto("/find/eval")
    page.get_by_label("Or paste rows").fill(mine.read_text())
    page.get_by_role("button", name="See who can answer").click()
    expect(page.get_by_role("heading", name="pasted.jsonl: 160 texts")).to_be_visible()
    page.get_by_role("button", name="Try them").click()
    page.wait_for_url(JOB)
    expect(page.get_by_text("scored again on")).to_be_visible()
    expect(page.locator("figure.funnel svg g.winner")).to_have_count(1)
    assert too_wide(page) == []
    assert seen.problems == []
    page.context.close()


def test_questions_that_nobody_here_can_answer_say_what_to_do(chromium: Browser, own: str) -> None:
    page = opened(chromium, own)
    page.goto("/find/eval")
    page.get_by_label("Or paste rows").fill('{"question": "17 + 25?", "answer": "42"}\n' * 8)
    page.get_by_role("button", name="See who can answer").click()
    expect(page.get_by_text("Nothing here can answer them yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Try them")).to_have_count(0)
    page.context.close()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[str]:
    """A real server with two services that take their time, so that a round can be watched."""

    def late(body: dict[str, Any]) -> Scripted:
        time.sleep(0.15)
        return told("It is 3.\n3")(body)

    with service() as seen:
        seen.always = late
        tables = [f'[{one}]\nurl = "{seen.service.url}"\nmodel = "{one}"\n' for one in ("x", "y")]
        (tmp_path / "services.toml").write_text("".join(tables))
        settings = replace(Settings.read(), home=tmp_path, mirror=None, general_url=None)
        metier = Metier.open(settings)
        with serving(metier) as address:
            yield address
        metier.close()


def test_rounds_are_drawn_while_it_goes_and_it_can_be_stopped_and_go_on(
    chromium: Browser, slow: str
) -> None:
    page = opened(chromium, slow)
    seen = watch(page, slow)
    page.goto("/find/eval")
    rows = "".join(f'{{"question": "{n} + 1?", "answer": "{n + 1}"}}\n' for n in range(45))
    page.get_by_label("Or paste rows").fill(rows)
    page.get_by_role("button", name="See who can answer").click()
    page.get_by_role("button", name="Try them").click()
    page.wait_for_url(JOB)
    expect(page.locator("[data-state]")).to_contain_text("a second")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. The answers so far are kept.")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("main:has([data-live=yes]) figure.funnel")).to_have_count(1, timeout=15_000)
    expect(page.locator("[data-live=no]")).to_have_count(1, timeout=15_000)
    expect(page.get_by_text("were known from before")).to_be_visible()
    expect(page.get_by_text("Level with remote:x when it was chosen")).to_be_visible()
    assert seen.problems == []
    page.context.close()


@needs_axe()
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_every_state_is_accessible_and_fits(
    chromium: Browser, own: str, mine: Path, theme: str, width: int
) -> None:
    context = chromium.new_context(
        base_url=own, viewport={"width": width, "height": 800}, color_scheme=theme
    )
    page = context.new_page()
    page.goto("/find/eval")
    assert violations(page) == []
    page.get_by_label("File with examples").set_input_files(mine)
    expect(page.get_by_role("button", name="Try them")).to_be_visible()
    for summary in page.locator("main summary:visible").all():
        if summary.evaluate("one => !one.parentElement.open"):
            summary.click()
    assert violations(page) == []
    assert too_wide(page) == []
    page.get_by_role("button", name="Try them").click()
    page.wait_for_url(JOB)
    expect(page.get_by_text("On questions that chose nobody")).to_be_visible()
    for summary in page.locator("main summary:visible").all():
        summary.click()
    assert violations(page) == []
    assert too_wide(page) == []
    context.close()
