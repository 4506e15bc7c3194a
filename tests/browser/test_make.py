"""Make: rows go in, what was recognised is seen, the ladder climbs live, to the evidence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import made_up
from inspecting import needs_axe, too_wide, violations, watch
from metier.assembly import Metier
from metier.settings import Settings
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def real(chromium: Browser, home: str) -> Iterator[Page]:
    """A page of the real thing, which must log nothing and ask nobody else."""
    context = chromium.new_context(base_url=home, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    seen = watch(page, home)
    yield page
    assert seen.problems == []
    context.close()


def rows_file(folder: Path, name: str = "My Tickets.jsonl", number: int = 12) -> Path:
    return made_up.write(folder / name, made_up.rows(number))


def send(page: Page, path: Path) -> None:
    page.goto("/make")
    page.get_by_label("File with examples").set_input_files(path)
    page.get_by_role("button", name="Look at the rows").click()
    page.wait_for_url("**/make/look/*")


def test_a_file_becomes_a_proved_specialist(real: Page, tmp_path: Path) -> None:
    send(real, rows_file(tmp_path))
    expect(real.get_by_role("heading", level=1)).to_have_text("My-Tickets.jsonl")
    expect(real.get_by_text("48 rows · JSON Lines · UTF-8")).to_be_visible()
    expect(real.get_by_role("heading", name="4 labels")).to_be_visible()
    expect(real.get_by_role("heading", name="Leaks and repeats")).to_be_visible()
    expect(real.locator(".expected")).to_contain_text("About")
    name = real.get_by_label("Name", exact=True)
    expect(name).to_have_value("my-tickets")
    real.get_by_text("The same on a terminal").click()
    expect(real.locator(".start pre")).to_have_text(
        "metier make --task classify --data My-Tickets.jsonl --name my-tickets"
    )
    real.get_by_role("button", name="Make it").click()
    real.wait_for_url("**/jobs/*")
    expect(real.locator("[data-rung=linear]")).to_contain_text("%")
    expect(real.get_by_role("status").filter(has_text="opens now")).to_be_visible()
    real.wait_for_url("**/specialists/my-tickets")
    expect(real.get_by_role("heading", level=1)).to_contain_text("my-tickets")
    assert real.request.delete("/metier/v1/specialists/my-tickets").ok


def test_rows_that_are_pasted_are_made_without_scripts(chromium: Browser, home: str) -> None:
    context = chromium.new_context(base_url=home, java_script_enabled=False)
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/make")
    rows = "\n".join(f"{row['text']}\t{row['label']}" for row in made_up.rows(8))
    page.get_by_label("Or paste rows").fill(f"text\tlabel\n{rows}\n")
    page.get_by_role("button", name="Look at the rows").click()
    expect(page.get_by_text("32 rows · TSV, parted by tab")).to_be_visible()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("'name' is missing")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_role("button", name="Make it").click()
    evidence = page.get_by_role("link", name="See the evidence")
    expect(evidence).to_be_visible(timeout=30_000)
    evidence.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("plain")
    assert page.request.delete("/metier/v1/specialists/plain").ok
    context.close()


def test_rows_that_cannot_be_used_are_named_and_can_be_left_out(real: Page, tmp_path: Path) -> None:
    rows = [f'"{row["text"]}",{row["label"]}' for row in made_up.rows(8)]
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(["text,label", *rows, ",card", "no label here,", "lonely,alone"]))
    send(real, path)
    expect(real.get_by_role("alert")).to_contain_text("line 34")
    expect(real.get_by_role("row", name="line 35")).to_contain_text("the label is empty")
    expect(real.get_by_role("button", name="Make it")).to_be_disabled()
    real.get_by_role("button", name="Leave the rows out").click()
    expect(real.get_by_role("status").first).to_contain_text("1 because it has no text")
    expect(real.get_by_role("status").first).to_contain_text("only one of its label")
    expect(
        real.get_by_text("32 rows to learn from", exact=False)
        .or_(real.get_by_text("rows sealed as the eval"))
        .first
    ).to_be_visible()
    expect(real.get_by_role("button", name="Make it")).to_be_enabled()
    real.get_by_role("button", name="Throw away").click()
    real.wait_for_url("**/make")


def test_other_columns_are_looked_at_at_once(real: Page, tmp_path: Path) -> None:
    path = tmp_path / "columns.jsonl"
    lines = [
        {"text": f"{row['text']} {number}", "label": row["label"], "kind": f"k{number % 2}"}
        for number, row in enumerate(made_up.rows(10))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    send(real, path)
    expect(real.get_by_role("heading", name="4 labels")).to_be_visible()
    real.get_by_label("Labels stand in").select_option("kind")
    expect(real.get_by_role("heading", name="2 labels")).to_be_visible()
    expect(real.locator(".start pre")).to_contain_text("--label kind")


def test_a_name_that_is_taken_is_not_replaced_unasked(
    chromium: Browser, home: str, tmp_path: Path
) -> None:
    context = chromium.new_context(base_url=home)
    page = context.new_page()
    send(page, rows_file(tmp_path, "help-desk.jsonl"))
    expect(page.get_by_label("Replace the one that has this name")).not_to_be_checked()
    page.get_by_text("Budget and seed").click()
    page.get_by_label("Time budget").fill("2m")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a model called 'help-desk'")
    expect(page.get_by_label("Time budget")).to_have_value("2m")
    expect(page.get_by_label("Time budget")).to_be_visible()
    context.close()


@needs_axe()
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_looking_and_jobs_are_accessible_and_fit(
    chromium: Browser, home: str, tmp_path: Path, theme: str
) -> None:
    path = tmp_path / f"{'x' * 80}.csv"
    rows = [f'"{row["text"]} {HOSTILE}",{HOSTILE}{row["label"]}' for row in made_up.rows(8)]
    path.write_text(
        "\n".join([f"text,label,{HOSTILE}", *(f"{row},\u202ereversed" for row in rows)])
    )
    for width in (360, 1440):
        context = chromium.new_context(
            base_url=home, viewport={"width": width, "height": 800}, color_scheme=theme
        )
        page = context.new_page()
        seen = watch(page, home)
        send(page, path)
        assert page.locator("main img").count() == 0
        for summary in page.locator("main summary:visible").all():
            summary.click()
        assert too_wide(page) == []
        assert violations(page) == []
        page.get_by_label("Name", exact=True).fill(f"odd-{theme}-{width}")
        page.get_by_role("button", name="Make it").click()
        page.wait_for_url("**/jobs/*")
        expect(page.locator("[data-rung=linear]")).to_be_visible(timeout=20_000)
        assert too_wide(page) == []
        assert violations(page) == []
        job = page.url.rsplit("/", 1)[1]
        page.request.post(f"/metier/v1/jobs/{job}/stop", headers={"Origin": home})
        assert seen.problems == []
        context.close()


# --- jobs: stop, resume, restart ----------------------------------------------------------------


@pytest.fixture
def slow(chromium: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    with serving(StandIn(tmp_path / "fleet", [banking()]), home=tmp_path / "home") as address:
        context = chromium.new_context(base_url=address)
        context.set_default_timeout(15_000)
        yield context
        context.close()


def start(page: Page, tmp_path: Path, name: str = "slow") -> None:
    send(page, rows_file(tmp_path, "rows.jsonl", 4))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/jobs/*")


def test_a_make_is_stopped_reloaded_and_resumed(slow: BrowserContext, tmp_path: Path) -> None:
    page = slow.new_page()
    start(page, tmp_path)
    expect(page.locator("[data-rung=majority]")).to_contain_text("%")
    expect(page.locator("tr.to-come").first).to_contain_text("to come")
    page.reload()
    expect(page.locator("[data-rung=majority]")).to_contain_text("%")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-state]")).to_have_text("Stopped. Nothing was installed.")
    expect(page.locator("[data-rung=majority]")).to_contain_text("%")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Take it off the list").click()
    page.wait_for_url("**/make")
    expect(page.locator("ul.jobs")).to_have_count(0)


def test_a_second_make_says_who_is_before_it_and_two_tabs_agree(
    slow: BrowserContext, tmp_path: Path
) -> None:
    first, second = slow.new_page(), slow.new_page()
    start(first, tmp_path)
    start(second, tmp_path, "next")
    expect(second.locator("[data-state]")).to_have_text("Waiting: position 1 in the queue.")
    expect(second.get_by_role("link", name="make slow")).to_be_visible()
    third = slow.new_page()
    third.goto(first.url)
    third.get_by_role("button", name="Stop").click()
    expect(first.locator("[data-state]")).to_have_text("Stopped. Nothing was installed.")
    second.wait_for_url("**/specialists/next", timeout=60_000)


def test_what_ran_when_the_server_ended_is_resumed(chromium: Browser, tmp_path: Path) -> None:
    home = tmp_path / "home"
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    with serving(StandIn(tmp_path / "fleet"), home=home) as address:
        send_at(page, address, rows_file(tmp_path, "rows.jsonl", 4))
        page.get_by_label("Name", exact=True).fill("slow")
        page.get_by_role("button", name="Make it").click()
        page.wait_for_url("**/jobs/*")
        job = page.url.rsplit("/", 1)[1]
        expect(page.locator("[data-rung=majority]")).to_contain_text("%")
    until_let_go(home / "jobs" / f"{job}.json")
    with serving(StandIn(tmp_path / "again"), home=home) as address:
        page.goto(f"{address}/jobs/{job}")
        expect(page.locator("[data-state]")).to_contain_text("Interrupted: the server ended")
        expect(page.locator("[data-rung=majority]")).to_contain_text("%")
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
    context.close()


def until_let_go(record: Path) -> None:
    """The thread of a job outlives its server here, because both live in this process."""
    end = time.monotonic() + 10
    while json.loads(record.read_text())["state"] != "interrupted":
        assert time.monotonic() < end
        time.sleep(0.05)


def send_at(page: Page, address: str, path: Path) -> None:
    page.goto(f"{address}/make")
    page.get_by_label("File with examples").set_input_files(path)
    page.get_by_role("button", name="Look at the rows").click()
    page.wait_for_url("**/make/look/*")


def test_an_upload_is_its_senders_own(chromium: Browser, tmp_path: Path) -> None:
    """Over a loopback server anybody at this machine may look; a token alone never guesses one."""
    metier = Metier.open(replace(Settings.read({"HOME": str(tmp_path)}), home=tmp_path / "home"))
    with serving(metier, home=tmp_path / "home") as address:
        context = chromium.new_context(base_url=address)
        page = context.new_page()
        send(page, rows_file(tmp_path, number=4))
        assert len(page.url.rsplit("/", 1)[1]) == 32
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/make")
        assert page.request.get("/make/look/" + "0" * 32).status == 404
        context.close()
    metier.close()
