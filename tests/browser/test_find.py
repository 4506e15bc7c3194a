"""*Find* in a real browser: type, narrow, turn pages, run; by keyboard and without scripts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from inspecting import too_wide
from metier.finding import Claim, Entry, Facet, Fit, Found, Hit, Proof, Query, Reason, Source
from stand_in.cards import banking, hostile, spam
from stand_in.metier import StandIn
from stand_in.serving import serving

pytestmark = pytest.mark.browser
EVIL = (
    '<script>alert("x")</script>"><img src=x onerror=alert(1)>{{7*7}} \u202eevil\u202c '
    "\x00\n\r\t\u2028 ]]><svg onload=alert(2)>&lt;b&gt;' onmouseover='alert(3)"
)
HUGE = "y" * 10_000_000
SOURCE = Source(address="https://example.org/card", read="2026-11-23")


def entry(name: str, **facts: Any) -> Entry:
    return Entry(name=name, kind="model", task="chat", size_bytes=10**9, **facts)


def catalogue() -> list[Hit]:
    claim = Claim(metric="pass@1", value=61.5, unit="%", on="164 tasks", by="maker", source=SOURCE)
    coder = entry("maker/coder", pull="hf.co/maker/coder", licence="MIT", claims=(claim,))
    found = [
        Hit(coder, "curated", fit=Fit("yes", memory_bytes=1_200_000_000, writes=True), group=2),
        Hit(
            entry("maker/giant", pull="hf.co/maker/giant"),
            "curated",
            fit=Fit("no", lacking_bytes=6 * 10**9, why="It takes 14 GB; 8 GB are here."),
            group=2,
        ),
        Hit(entry("maker/odd"), "curated", fit=Fit("unknown"), group=2),
    ]
    found += [Hit(entry(f"many/model-{number:03}"), "curated", group=3) for number in range(40)]
    return found


def hostile_hits() -> list[Hit]:
    """Every field holds markup, and some hold ten megabytes: no validation has seen them."""
    texts = dict.fromkeys(("task", "domain", "description", "upstream", "pull", "base"), EVIL)
    evil_claim = Claim.model_construct(
        metric=EVIL, value=float("nan"), unit=EVIL, on=HUGE, by=EVIL, n=10**30, rival=EVIL,
        note=HUGE, source=Source.model_construct(address="javascript:alert(1)", read=EVIL),
    )  # fmt: skip
    evil = Entry.model_construct(
        name=f"evil {EVIL}", kind="model", **texts, licence=EVIL, quantization=EVIL,
        size_bytes=-1, parameters=10**40, context=10**40, released=EVIL, also=(EVIL,),
        claims=(evil_claim,) * 1000,
    )  # fmt: skip
    huge = evil.model_copy(update={"name": f"evil {HUGE}", "description": HUGE, "licence": HUGE})
    reasons = tuple(Reason("word", EVIL + HUGE[:1000]) for _ in range(200))
    fit = Fit("no", why=EVIL)
    return [Hit(one, EVIL, fit=fit, reasons=reasons, group=4) for one in (evil, huge)]


class Catalogued(StandIn):
    """Corrects a typing error, proves what is installed, and counts what it is asked."""

    def find(self, query: Query, /) -> Found:
        self.calls.append((query.words, 1))
        right = query.words.replace("svetle", "spam")
        found = super().find(replace(query, words=right))
        hits = tuple(_proved(hit) for hit in found.hits)
        evil = "evil" in query.words
        return Found(
            query,
            hits,
            found.total,
            {**found.facets, "domain": (Facet(EVIL, 1),) if evil else ()},
            (("svetle", "spam"),) if right != query.words else (),
            notes=(EVIL + HUGE,) if evil else (),
        )


def _proved(hit: Hit) -> Hit:
    proof = next((one for one in hit.entry.evidence if one.against == "base"), None)
    if not hit.installed or proof is None:
        return hit
    reason = Reason("proof", "measured here")
    return Hit(
        hit.entry, "here", hit.installed, Proof(proof, "here", "2027-02-10"), reasons=(reason,)
    )


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Catalogued:
    made = Catalogued(tmp_path_factory.mktemp("fleet"), [banking(), spam(), hostile()])
    made.found += [*catalogue(), *hostile_hits()]
    return made


@pytest.fixture(scope="module")
def server(metier: Catalogued) -> Iterator[str]:
    with serving(metier) as address:
        yield address


def hits(page: Page) -> Any:
    return page.locator(".hit")


def test_results_follow_the_typing(page: Page) -> None:
    page.goto("/")
    page.evaluate("window.same = true")
    expect(page.locator("[data-count]")).to_have_text("1–20 of 48 results")
    page.get_by_role("searchbox").press_sequentially("giant", delay=20)
    expect(hits(page)).to_have_count(1)
    expect(page.locator("[data-count]")).to_have_text("1 result")
    assert page.url.endswith("/?q=giant")
    assert page.title().startswith("giant · Find")
    expect(page.locator("[data-find-command]")).to_have_text("metier find giant")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.go_back()
    expect(page.locator("[data-count]")).to_have_text("1–20 of 48 results")
    expect(page.get_by_role("searchbox")).to_have_value("")
    assert page.evaluate("window.same")


def test_a_pause_is_waited_for(page: Page, metier: Catalogued) -> None:
    page.goto("/")
    before = len(metier.calls)
    page.get_by_role("searchbox").press_sequentially("banking", delay=15)
    expect(hits(page)).to_have_count(1)
    assert len(metier.calls) - before <= 3


def test_a_late_answer_does_not_replace_a_newer_one(page: Page) -> None:
    def late(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    page.goto("/")
    page.route("**/?q=coder", late)
    box = page.get_by_role("searchbox")
    box.fill("coder")
    page.wait_for_timeout(200)
    box.fill("giant")
    expect(hits(page)).to_have_count(1)
    page.wait_for_timeout(600)
    expect(hits(page).get_by_role("link", name="maker/giant", exact=True)).to_be_visible()


def test_only_what_takes_long_says_that_it_works(page: Page) -> None:
    def slow(route: Route) -> None:
        time.sleep(0.8)
        route.continue_()

    page.goto("/")
    page.evaluate(
        """() => {
            const seen = (changes) => changes.forEach(({ target }) => {
                window.busy ??= target.getAttribute("aria-busy") ? performance.now() : undefined;
            });
            const what = { subtree: true, attributes: true, attributeFilter: ["aria-busy"] };
            new MutationObserver(seen).observe(document, what);
            document.addEventListener("input", () => { window.typed = performance.now(); });
        }"""
    )
    page.route("**/?q=coder", slow)
    page.get_by_role("searchbox").fill("coder")
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    expect(hits(page).get_by_role("link", name="maker/coder", exact=True)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert page.evaluate("window.busy - window.typed") >= 400  # 120 ms of quiet, then 300 ms.


def test_a_server_that_left_is_said(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/")
    page.route("**/?q=*", lambda route: route.abort())
    page.get_by_role("searchbox").fill("spam")
    expect(page.locator("[data-count]")).to_contain_text("Metier does not answer")


def test_filters_narrow_and_are_taken_away(page: Page) -> None:
    page.goto("/?q=maker")
    page.get_by_label("chat", exact=True).check()
    page.wait_for_url("**/?q=maker&task=chat")
    expect(page.get_by_label("chat", exact=True)).to_be_checked()
    expect(page.get_by_label("chat", exact=True)).to_be_focused()
    page.get_by_label("Size").select_option("5000000000")
    page.wait_for_url("**most_bytes=5000000000")
    page.get_by_label("runs here").check()
    page.wait_for_url("**fits=1**")
    expect(page.get_by_role("list", name="Chosen filters").get_by_role("listitem")).to_have_count(4)
    page.get_by_role("link", name="Size: up to 5.0 GB").click()
    page.wait_for_url(lambda url: "most_bytes" not in url)
    page.get_by_role("link", name="take all away").click()
    page.wait_for_url("**/?q=maker")
    expect(page.get_by_label("chat", exact=True)).not_to_be_checked()


def test_it_is_used_by_keyboard_alone(page: Page) -> None:
    page.goto("/make")
    page.keyboard.press("/")
    page.wait_for_url("**/#q")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    page.keyboard.type("intents")
    expect(hits(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    expect(hits(page)).to_have_count(20)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="message-spam", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/specialists/banking-intents")


def test_pages_are_turned(page: Page) -> None:
    page.goto("/?q=many")
    page.get_by_role("link", name="More").click()
    expect(page.locator("[data-count]")).to_have_text("21–40 of 40 results")
    expect(hits(page).first.get_by_role("link").first).to_be_focused()
    page.get_by_role("link", name="Before").click()
    expect(page.locator("[data-count]")).to_have_text("1–20 of 40 results")


def test_a_typing_error_is_told(page: Page) -> None:
    page.goto("/?q=svetle")
    expect(page.locator(".corrected")).to_have_text("Searched for spam instead of svetle.")


def test_proof_and_claims_are_told_apart(page: Page) -> None:
    page.goto("/")
    first = hits(page).first
    expect(page.get_by_role("heading", level=3).first).to_contain_text("Proved here")
    expect(first).to_contain_text("3,080 questions, 12 Nov 2026; holds until 10 Feb 2027")
    expect(first.locator("svg[role=img] title").first).to_contain_text("WIN against its base")
    expect(first).to_contain_text("Why it is here: Proved against its base.")
    claimed = hits(page).filter(has_text="maker/coder")
    expect(claimed).to_contain_text("Reported, not measured by us")
    link = claimed.get_by_role("link", name="example.org")
    assert link.get_attribute("href") == SOURCE.address
    assert "noreferrer" in link.get_attribute("rel")
    expect(claimed).to_contain_text("Not measured against its base or the general model.")
    expect(claimed).to_contain_text("metier pull hf.co/maker/coder")


def test_run_opens_what_is_here(page: Page) -> None:
    page.goto("/?q=message-spam")
    page.get_by_role("link", name="Run message-spam").click()
    page.wait_for_url("**/specialists/message-spam#try")
    expect(page.locator("#try").get_by_role("textbox").first).to_be_in_viewport()


def test_run_fetches_what_is_not_here_or_says_why_not(page: Page) -> None:
    page.goto("/?q=maker")
    rows = hits(page)
    expect(rows.filter(has_text="maker/giant")).to_contain_text("It takes 14 GB; 8 GB are here.")
    expect(rows.filter(has_text="maker/odd")).to_contain_text("Metier cannot run it yet.")
    assert rows.get_by_role("button").count() == 1
    rows.get_by_role("button", name="Pull and run maker/coder").click()
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_role("main")).to_contain_text("hf.co/maker/coder")


def test_nothing_found_says_what_to_do(page: Page) -> None:
    page.goto("/?q=zzzz&task=chat")
    expect(page.locator("[data-count]")).to_have_text("Nothing found")
    page.get_by_role("link", name="Search without filters").click()
    page.wait_for_url("**/?q=zzzz")
    expect(page.get_by_role("link", name="Make one from your examples")).to_be_visible()
    page.get_by_role("link", name="Show everything that is known").click()
    expect(hits(page)).to_have_count(20)


def test_everything_works_without_scripts(plain_page: Page) -> None:
    page = plain_page
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    page.get_by_role("searchbox").fill("many")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("[data-count]")).to_have_text("1–20 of 40 results")
    page.get_by_text("Filters").click()
    page.get_by_label("chat", exact=True).check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Task: chat")).to_be_visible()
    page.get_by_role("link", name="More").click()
    assert "offset=20" in page.url
    page.goto("/?q=maker")
    page.get_by_role("button", name="Pull and run maker/coder").click()
    assert "/jobs/" in page.url


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_moves_while_it_is_read(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(
        """window.shifts = 0;
        new PerformanceObserver((list) => {
            const own = list.getEntries().filter((one) => !one.hadRecentInput);
            for (const one of own) window.shifts += one.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    page.goto("/")
    page.wait_for_timeout(400)
    assert page.evaluate("window.shifts") < 0.01


@pytest.mark.parametrize("width", [360, 1440])
def test_hostile_texts_run_nothing_and_break_nothing(page: Page, width: int) -> None:
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/?q=evil")
    assert len(page.content()) < 200_000
    expect(hits(page)).to_have_count(3)
    assert page.locator("main img, main svg[onload], main script, main iframe").count() == 0
    assert page.locator('main a[href^="javascript"]').count() == 0
    assert "\u202e" not in page.content()
    assert too_wide(page) == []
    for row in hits(page).all():
        box = row.bounding_box()
        assert box is not None
        assert box["height"] < 2600, "a hit takes a few screens at most, whatever it holds"
    page.get_by_role("searchbox").fill("evil <img src=x onerror=alert(4)>")
    expect(page.locator("[data-count]")).to_have_text("Nothing found")
    assert said == []


def test_its_policy_lets_nothing_in(chromium: Browser, server: str) -> None:
    context = chromium.new_context(base_url=server)
    policy = context.request.get("/", headers={"Accept": "text/html"}).headers[
        "content-security-policy"
    ]
    context.close()
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert parts["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy
