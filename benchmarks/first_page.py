"""How long until the first page stands in a new browser, with 1,000 specialists installed?

Makes one small classifier, installs it a thousand times with cards that differ (name, description,
domain, evidence), starts ``metier up``'s server in a process of its own, and opens ``/`` in
Chromium: every time in a fresh context, so that nothing is kept. Beside the page's first contentful
paint and its bytes over the wire stands what the server takes for the page alone: the first one
after its start, and the median of many. To reach: 30 ms at the server, 120 kB, half a second.

    python benchmarks/first_page.py --out benchmarks/results/first_page.json
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from http_speed import free_port, settings_of
from playwright.sync_api import Browser, sync_playwright
from record import write
from tags import processor_seconds, server

from metier.assembly import Metier
from metier.card import Card, Evidence, Verdict
from metier.recipe import Recipe
from metier.reference import Reference

REACH = {"server_ms": 30.0, "bytes": 120_000, "first_contentful_paint_ms": 500.0}
SUBJECTS = ("bank", "parcel", "recipe", "law", "garden", "train", "school", "music", "sport", "tax")
VERDICTS = (Verdict.WIN, Verdict.WIN, Verdict.NOT_WORSE, Verdict.TIE, Verdict.LOSS)
PAINTED = """() => new Promise((resolve) => {
    const told = () => {
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        if (!paint) return requestAnimationFrame(told);
        const all = [performance.getEntriesByType("navigation")[0],
            ...performance.getEntriesByType("resource")];
        const bytes = all.reduce((sum, one) => sum + one.transferSize, 0);
        resolve({ paint: paint.startTime, bytes,
            files: Object.fromEntries(all.map((one) =>
                [new URL(one.name).pathname, one.transferSize])) });
    };
    told();
})"""


def rows(path: Path, seed: int) -> Path:
    """A small labelled set in two labels."""
    draw = random.Random(seed)
    words = {"money": ["card", "rate", "fee"], "parcel": ["box", "late", "lost"]}
    lines = [
        json.dumps({"text": f"my {draw.choice(words[label])} is {number}", "label": label})
        for number in range(60)
        for label in words
    ]
    path.write_text("\n".join(lines), "utf-8")
    return path


def evidence(draw: random.Random, against: str, like: Evidence) -> Evidence:
    """A comparison that looks like a real one."""
    value, half = draw.uniform(-0.05, 0.3), draw.uniform(0.005, 0.05)
    interval = like.difference.interval.model_copy(
        update={"low": value - half, "high": value + half}
    )
    changed = {"difference": value, "interval": interval, "verdict": draw.choice(VERDICTS)}
    difference = like.difference.model_copy(update=changed)
    return like.model_copy(update={"against": against, "difference": difference})


def stock(home: Path, count: int, seed: int) -> None:
    """``count`` specialists that differ in what their cards say."""
    draw = random.Random(seed)
    metier = Metier.open(settings_of(home))
    recipe = metier.recipe_for(rows(home.parent / "rows.jsonl", seed), name="first", budget=10.0)
    assert isinstance(recipe, Recipe)
    card = metier.make(recipe, folder=home.parent)
    assert isinstance(card, Card)
    parts = {
        part.filepath: (part.role, metier.fleet.part_path("first", part.filepath))
        for part in metier.fleet.parts("first")
    }
    facts = dict(metier.show("first").manifest.annotations)
    for number in range(count - 1):
        subject = draw.choice(SUBJECTS)
        name = f"{subject}-{draw.choice(SUBJECTS)}-{number}"
        own = card.model_copy(
            update={
                "name": name,
                "domain": subject,
                "description": f"Tells what a {subject} customer wants, of {number + 2} things.",
                "evidence": tuple(
                    evidence(draw, against, card.evidence[0]) for against in ("base", "general")
                ),
            }
        )
        files = {**parts, "card.json": ("doc", own.to_bytes())}
        metier.fleet.install(Reference.parse(name), files, facts)
    metier.close()


def page(connection: http.client.HTTPConnection) -> tuple[float, int]:
    """Milliseconds of one page at the server, and its bytes as they travel."""
    started = time.perf_counter()
    connection.request("GET", "/", headers={"Accept": "text/html", "Accept-Encoding": "gzip"})
    reply = connection.getresponse()
    body = reply.read()
    assert reply.status == 200, reply.status
    return (time.perf_counter() - started) * 1000, len(body)


def opened(browser: Browser, address: str) -> dict[str, Any]:
    """What a browser that knows nothing of this site tells of the first page."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    shown = context.new_page()
    shown.goto(address)
    told: dict[str, Any] = shown.evaluate(PAINTED)
    context.close()
    return told


def measure(home: Path, rounds: int, visits: int, rest: float) -> dict[str, Any]:
    """The figures."""
    port = free_port()
    with server(home, port) as process:
        time.sleep(rest)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        first, _ = page(connection)
        before = processor_seconds(process)
        times = sorted(page(connection)[0] for _ in range(rounds))
        spent = (processor_seconds(process) - before) / rounds * 1000
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            opened(browser, f"http://127.0.0.1:{port}/")
            told = [opened(browser, f"http://127.0.0.1:{port}/") for _ in range(visits)]
            browser.close()
    paints = [one["paint"] for one in told]
    figures = {
        "server_first_ms": first,
        "server_ms": statistics.median(times),
        "server_p99_ms": times[int(rounds * 0.99)],
        "server_processor_ms": spent,
        "bytes": told[0]["bytes"],
        "files": told[0]["files"],
        "first_contentful_paint_ms": statistics.median(paints),
        "first_contentful_paint_slowest_ms": max(paints),
        "visits": visits,
        "requests": rounds,
    }
    return {**figures, "reached": {name: figures[name] <= most for name, most in REACH.items()}}


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--visits", type=int, default=20)
    parser.add_argument("--rest", type=float, default=10.0, help="seconds after the server's start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--home", type=Path, help="a home that this benchmark filled before")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder) / "home"
        if not home.is_dir():
            home.mkdir(parents=True)
            stock(home, asked.cards, asked.seed)
        results = {"cards": asked.cards, **measure(home, asked.rounds, asked.visits, asked.rest)}
    print(json.dumps(results, indent=1))
    if asked.out:
        write(asked.out, results, seed=asked.seed)
    return 0 if all(results["reached"].values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
