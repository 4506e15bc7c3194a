"""The page Compare over a real home: JSON, the job for what is missing, forms, refusals."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

import made_up
import workshop
from metier.assembly import Metier
from metier.messages import silent
from metier.server import create_app, orders
from metier.server.comparing import contrast_order
from metier.site import Site

JSON = {"accept": "application/json"}
PAIR = {"name": ["words", "dull"], "on": "words"}


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("comparing")
    metier = workshop.opened(home, base=False)
    data = workshop.tickets(home / "data", train=20, held_out=15)
    other = made_up.write(home / "other.jsonl", made_up.rows(30, seed=9))
    made = (("words", "linear", data), ("dull", "majority", data), ("elsewhere", "linear", other))
    for name, rung, rows in made:
        recipe = metier.recipe_for(rows, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": (rung,)})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return metier


@pytest.fixture(scope="module")
def client(metier: Metier) -> Iterator[TestClient]:
    app = create_app(metier, Site(), port=11434)
    with TestClient(app, base_url="http://127.0.0.1:11434", follow_redirects=False) as client:
        yield client


def test_nothing_chosen_lists_evals_and_who_can_answer(client: TestClient) -> None:
    found = client.get("/compare.json").json()
    assert {one["name"] for one in found["evals"]} == {"dull", "elsewhere"}
    assert found["evals"][0]["owners"] == ["dull", "words"]
    assert {one["name"] for one in found["able"]} == {"words", "dull", "elsewhere"}
    assert found["contrast"] is None
    page = client.get("/compare")
    assert page.status_code == 200
    assert "Where do they differ?" in page.text


def test_two_are_compared_with_what_is_here(client: TestClient) -> None:
    found = client.get("/compare", params=PAIR, headers=JSON).json()
    assert found["missing"] == []
    (pair,) = found["contrast"]["pairs"]
    assert (pair["first"], pair["told_apart"]) == ("words", True)
    rows = found["disagreements"]
    assert rows["total"] > 20
    assert len(rows["rows"]) == 20
    assert rows["rows"][0]["answers"][1]["answer"]
    assert found["command"] == "metier compare words dull --on words --items"
    text = client.get("/compare", params=PAIR).text
    assert "WIN" in text
    assert "<svg" in text
    assert "words right, dull wrong" in text.replace("<bdi>", "").replace("</bdi>", "")


def test_filters_and_pages(client: TestClient) -> None:
    every = client.get("/compare.json", params=PAIR).json()["disagreements"]
    first = client.get("/compare.json", params={**PAIR, "which": "first"}).json()
    assert first["disagreements"]["total"] <= every["total"]
    assert all(
        row["answers"][0]["outcome"] > row["answers"][1]["outcome"]
        for row in first["disagreements"]["rows"]
    )
    last = client.get("/compare.json", params={**PAIR, "at": "20"}).json()
    assert last["disagreements"]["rows"][0] not in every["rows"]
    assert client.get("/compare", params={**PAIR, "which": "others"}).status_code == 200
    assert client.get("/compare", params={**PAIR, "at": "99999999999999"}).status_code == 200


def test_what_is_missing_becomes_a_job_and_then_the_page(client: TestClient) -> None:
    asked = {"name": ["elsewhere", "words"], "on": "elsewhere"}
    assert client.get("/compare.json", params=asked).json()["missing"] == ["words"]
    assert "Measure it" in client.get("/compare", params=asked).text
    job = client.post("/compare", data=asked, headers=JSON)
    assert job.status_code == 202
    page = job.json()["page"]
    for _ in range(200):
        told = client.get(page)
        if told.status_code == 303:
            break
        time.sleep(0.1)
    assert told.headers["location"].startswith("/compare?name=elsewhere&name=words")
    found = client.get("/compare.json", params=asked).json()
    assert found["missing"] == []
    assert found["contrast"]["leaks_not_looked_for"] == []


def test_a_job_of_an_earlier_server_is_ordered_again(metier: Metier) -> None:
    order = contrast_order(metier, ["words", "dull"], "words")
    same = orders.again(metier, order.kind, None, order.fields, {})
    assert (same.name, same.command, same.fields) == (order.name, order.command, order.fields)
    assert same.work(silent, lambda: False)["page"] == "/compare?name=words&name=dull&on=words"


@pytest.mark.parametrize(
    "asked",
    [
        {"name": ["words", "dull"], "on": "/etc/passwd"},
        {"name": ["words", "dull"], "on": "../../secret.jsonl"},
        {"name": ["words", "nobody"], "on": "words"},
        {"name": ["words"], "on": "words"},
        {"name": [str(number) for number in range(9)], "on": "words"},
    ],
)
def test_files_of_this_machine_and_strangers_are_refused(
    client: TestClient, asked: dict[str, object]
) -> None:
    refused = client.get("/compare.json", params=asked)
    assert refused.status_code in (400, 404, 422)
    page = client.get("/compare", params=asked)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    if len(asked["name"]) == 2:  # type: ignore[arg-type]
        assert client.post("/compare", data=asked, headers=JSON).status_code in (400, 404, 422)


def test_side_by_side_without_scripts(client: TestClient) -> None:
    form = {"prompt": "my parcel is late", "name": ["words", "dull"], "blind": "on"}
    sent = client.post("/compare/ask", data=form)
    assert sent.status_code == 303
    place = sent.headers["location"]
    page = client.get(place).text
    assert "Answer A" in page
    assert "Which is better?" in page
    voted = client.post(f"{place}/vote", data={"vote": "A"})
    assert voted.headers["location"] == place
    page = client.get(place).text
    assert "You chose" in page
    assert "words" in page
    assert client.get(f"{place}.json").json()["vote"] == "A"
    assert client.get("/compare/ask").headers["location"] == "/compare"


def test_side_by_side_as_events(client: TestClient) -> None:
    form = {"prompt": "my parcel is late", "name": ["words", "dull"], "live": "yes"}
    duel = client.post("/compare/ask", data=form, headers=JSON).json()
    assert [one["state"] for one in duel["answers"]] == ["waiting", "waiting"]
    for sign in ("A", "B"):
        told = client.get(f"{duel['page']}/{sign}")
        assert told.headers["content-type"].startswith("text/event-stream")
        assert "event: piece" in told.text
        assert "event: done" in told.text
    assert client.get(duel["page"], headers=JSON).json()["over"]
    assert client.get(f"{duel['page']}/Q", headers=JSON).status_code == 422


def test_a_blank_prompt_keeps_the_form(client: TestClient) -> None:
    refused = client.post("/compare/ask", data={"prompt": " ", "name": ["words", "dull"]})
    assert refused.status_code == 422
    assert "blank" in refused.text
    assert client.post("/compare/ask", data={"prompt": " "}, headers=JSON).status_code == 422
