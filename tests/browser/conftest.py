"""A real Chromium and real servers for the page tests.

Chromium comes from the system (Debian's package) or from Playwright. Without one the tests are
skipped and say so; in CI they fail, so that they cannot stop running unnoticed.

Servers: ``server`` shows cards of every kind, also hostile ones, and answers at once without a
model (``StandIn``). ``home`` is the real thing over a small home: a classifier that was made of
rows, a chat specialist, a pack and a tiny local model. ``bare_home`` is a home with nothing in it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

import coding_fleet
import made_up
import seeing_home
import tiny_gguf
from inspecting import watch
from local_models import install_local
from metier.assembly import Metier
from metier.settings import Settings
from stand_in.cards import assistant, banking, hostile, spam, underpowered
from stand_in.metier import StandIn
from stand_in.serving import serving
from stand_in.timelines import looks, overtaken


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
    stand_in = StandIn(tmp_path_factory.mktemp("fleet"), fleet, pause=0.05)
    stand_in.timelines.given["banking-intents"] = (overtaken("banking-intents"),)
    stand_in.timelines.seen["banking-intents"] = looks("banking-intents")
    with serving(stand_in) as address:
        yield address


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a home with ``help-desk``, ``coder``, ``notes`` and ``tiny``; read it only."""
    home = tmp_path_factory.mktemp("made")
    metier = coding_fleet.opened(home)
    rows = made_up.write(home / "rows.jsonl", made_up.rows(40))
    recipe = metier.recipe_for(rows, name="help-desk", budget=20.0, curve=False)
    metier.make(recipe, folder=home)
    install_local(metier.fleet, "tiny", tiny_gguf.tiny_model(home), parameters={"num_predict": 20})
    metier.close()
    return home


@pytest.fixture(scope="module")
def home(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server over a copy of that home."""
    own = tmp_path_factory.mktemp("home") / "home"
    shutil.copytree(made_home, own, symlinks=True)
    yield from _real(own)


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server over a home with ``colours``, a classifier of pictures."""
    home = tmp_path_factory.mktemp("seeing") / "home"
    seeing_home.opened(home).close()
    yield from _real(home)


@pytest.fixture(scope="module")
def bare_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server over an empty home."""
    yield from _real(tmp_path_factory.mktemp("bare"))


def _real(home: Path) -> Iterator[str]:
    settings = replace(Settings.read(), home=home, mirror=None, general_url=None, threads=1)
    metier = Metier.open(settings)
    with serving(metier, home=home) as address:
        yield address
    metier.close()


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
