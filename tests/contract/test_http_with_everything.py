"""HTTP over the real system: from an uploaded file to a proved specialist that answers.

No stand-in: the composition root, the store, the maker, the server and the website.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from metier.assembly import Metier
from metier.card import Card
from metier.settings import Settings
from stand_in.serving import serving

SUBJECTS = {
    "card": "card lost stolen arrive deliver post",
    "rate": "rate exchange currency dollars euro",
    "transfer": "transfer send money friend account",
}
FILLERS = [
    "please",
    "tell",
    "me",
    "how",
    "can",
    "i",
    "why",
    "is",
    "my",
    "the",
    "not",
    "today",
    "again",
    "help",
    "with",
    "about",
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = replace(
        Settings.read(),
        home=tmp_path_factory.mktemp("home"),
        mirror=None,
        general_url=None,
        threads=1,
    )
    with (
        serving(Metier.open(settings)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        yield client


def rows(count: int, seed: int) -> bytes:
    draw = random.Random(seed)
    lines = ["text,label"]
    for number in range(count):
        label = list(SUBJECTS)[number % len(SUBJECTS)]
        chosen = [*draw.choices(SUBJECTS[label].split(), k=2), *draw.choices(FILLERS, k=6)]
        draw.shuffle(chosen)
        lines.append(f"{' '.join(chosen)} {number},{label}")
    return "\n".join(lines).encode()


def ended(client: httpx.Client, reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 202, reply.text
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(reply.json()["href"]).json()
        if job["ended"]:
            return job
        time.sleep(0.1)
    raise AssertionError("the job did not end")


@pytest.fixture(scope="module")
def made(client: httpx.Client) -> dict[str, Any]:
    files = {"data": ("tickets.csv", rows(240, 1))}
    fields = {"name": "team/triage", "budget": "60s", "curve": "no"}
    return ended(client, client.post("/metier/v1/make", files=files, data=fields))


def test_an_upload_ends_as_a_card(made: dict[str, Any]) -> None:
    assert made["state"] == "done", made["error"]
    card = Card.model_validate(made["result"])
    assert card.name == "team/triage"
    assert card.data.source == "tickets.csv"
    assert made["rungs"][0]["name"] == "majority"
    assert "chosen" in [rung.get("state") for rung in made["rungs"]]
    accuracy = card.accuracy()
    assert accuracy is not None
    assert accuracy.value > 0.8


def test_no_path_of_this_machine_leaves_with_it(client: httpx.Client, made: dict[str, Any]) -> None:
    body = client.get("/metier/v1/specialists/team/triage").text
    assert "metier-upload" not in json.dumps(made) + body
    page = client.get("/specialists/team/triage", headers={"Accept": "text/html"}).text
    assert "metier-upload" not in page


def test_the_specialist_answers(client: httpx.Client, made: dict[str, Any]) -> None:
    asked = {"model": "team/triage", "input": ["my card was stolen", "exchange rate of dollars"]}
    reply = client.post("/v1/classify", json=asked).json()
    assert [answer["best"] for answer in reply["results"]] == ["card", "rate"]
    assert client.get("/v1/models/team/triage").json()["id"] == "team/triage"


def test_its_page_shows_what_was_measured(client: httpx.Client, made: dict[str, Any]) -> None:
    page = client.get("/specialists/team/triage", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "always saying the commonest label" in page.text
    assert "not measured" in page.text
    for address in set(re.findall(r'href="(/metier/v1/[^"]+)"', page.text)):
        assert client.get(address).status_code == 200
    assert "team/triage" in client.get("/", headers={"Accept": "text/html"}).text


def test_it_is_proved_on_an_uploaded_eval(client: httpx.Client, made: dict[str, Any]) -> None:
    files = {"eval": ("eval.csv", rows(90, 2))}
    assert client.post("/metier/v1/check-eval", files=files).status_code == 200
    fields = {"name": "team/triage", "against": "majority"}
    job = ended(client, client.post("/metier/v1/evaluate", files=files, data=fields))
    assert job["state"] == "done", job["error"]
    assert json.dumps(job["result"])


def test_the_store_is_sound_and_lets_go(client: httpx.Client, made: dict[str, Any]) -> None:
    assert client.post("/metier/v1/verify").json()["problems"] == []
    assert client.delete("/metier/v1/specialists/team/triage").status_code == 200
    assert client.get("/metier/v1/specialists/team/triage").status_code == 404
    assert client.post("/metier/v1/gc").json()["removed"] > 0
    asked = {"model": "team/triage", "input": "my card"}
    assert client.post("/v1/classify", json=asked).status_code == 404


def test_rows_that_are_wrong_say_which(client: httpx.Client) -> None:
    files = {"data": ("rows.csv", b"text,label\nonly one,class\n")}
    job = ended(client, client.post("/metier/v1/make", files=files, data={"name": "x"}))
    assert job["state"] == "failed"
    assert job["error"]["remedy"]
