"""Find by eval over HTTP: examples are recognised, a job searches, its page shows the rounds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.errors import InputError
from metier.server.trying import find_order
from metier.server.uploads import Upload
from stand_in.serving import serving

PAGE = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}
CSV = "text,label\n" + "".join(
    f'"{row["text"]}",{row["label"]}\n' for row in made_up.rows(12, seed=5)
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("find")


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    metier = workshop.opened(home)
    for name, rows in (("poor", 3), ("good", 40)):
        data = made_up.write(home / f"{name}.jsonl", made_up.rows(rows, seed=rows, noise=0.0))
        recipe = workshop.recipe(metier, data, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    with serving(metier) as address, httpx.Client(base_url=address, headers=PAGE) as client:
        yield client
    metier.close()


def sent(client: httpx.Client, fields: dict[str, str], rows: str | None = None, **headers: Any):
    """A form, as a browser without scripts sends it."""
    files: dict[str, Any] = {"eval": ("mine.csv", rows.encode())} if rows else {"eval": ("", b"")}
    return client.post("/find/eval", data=fields, files=files, headers=headers or PAGE)


def looked(client: httpx.Client) -> tuple[str, str]:
    """The page after a look, and its token."""
    page = sent(client, {"act": "look"}, CSV)
    assert page.status_code == 200
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return page.text, found.group(1)


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    for _ in range(200):
        job = client.get(path, headers=JSON).json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def test_the_form_asks_for_examples(client: httpx.Client) -> None:
    page = client.get("/find/eval").text
    assert "Which one is best on your own examples?" in page
    assert "See who can answer" in page
    assert 'aria-current="page">Find' in page
    assert client.get("/find/eval.json").json() == {"jobs": []}


def test_a_look_says_what_was_recognised_and_who_can_answer(client: httpx.Client) -> None:
    page, _ = looked(client)
    assert "48 texts with 4 labels" in page
    for name in ("good", "poor", "tiny"):
        assert f'name="candidate:{name}"' in page
    assert "Try them" in page


def test_two_steps_without_scripts_end_on_the_winner(client: httpx.Client) -> None:
    _, token = looked(client)
    fields = {"act": "start", "token": token, "candidate:good": "on", "candidate:poor": "on"}
    reply = sent(client, fields)
    assert reply.status_code == 303
    job = ended(client, reply.headers["location"])
    assert job["state"] == "done", job["error"]
    assert job["result"]["winner"] == "good"
    assert job["command"] == "metier find --eval mine.csv --candidate good --candidate poor"
    assert next(step["name"] for step in job["rungs"]) == "round 1"
    page = client.get(reply.headers["location"]).text
    assert "scored again on" in page
    assert "<title id=" in page
    assert "metier run good" in page
    assert 'http-equiv="refresh"' not in page
    listed = client.get("/find/eval.json").json()["jobs"]
    assert listed[0]["id"] == job["id"]
    assert job["page"] in client.get("/find/eval").text


def test_all_candidates_need_not_be_named(client: httpx.Client) -> None:
    _, token = looked(client)
    names = {f"candidate:{name}": "on" for name in ("good", "poor", "tiny")}
    reply = sent(client, {"act": "start", "token": token, **names, "budget": "60"})
    job = ended(client, reply.headers["location"])
    assert job["command"] == "metier find --eval mine.csv --budget 60"
    assert job["result"]["budget"]["questions"] == 60


def test_pasted_rows_are_a_file_too(client: httpx.Client) -> None:
    pasted = "".join(
        f'{{"text": "{row["text"]}", "label": "{row["label"]}"}}\n'
        for row in made_up.rows(3, seed=9)
    )
    found = sent(client, {"act": "look", "rows": pasted}, **JSON).json()
    assert found["recognised"]["format"] == "jsonl"
    assert found["source"] == "pasted.jsonl"
    assert sent(client, {"act": "look", "rows": CSV}, **JSON).json()["source"] == "pasted.csv"


def test_json_starts_a_job_in_one_step(client: httpx.Client) -> None:
    reply = sent(client, {"act": "start", "seed": "3"}, CSV, **JSON)
    assert reply.status_code == 202
    assert ended(client, reply.json()["href"])["result"]["seed"] == 3


@pytest.mark.parametrize(
    ("fields", "rows", "said"),
    [
        ({"act": "look"}, None, "There are no examples."),
        ({"act": "start", "token": "x" * 24}, None, "no longer kept"),
        ({"act": "look"}, "height,width\n1,2\n3,4\n", "could be any of"),
        ({"act": "start", "budget": "soon"}, CSV, "200"),
        ({"act": "start", "seed": "-1"}, CSV, "whole number"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(
    client: httpx.Client, fields: dict[str, str], rows: str | None, said: str
) -> None:
    reply = sent(client, fields, rows)
    assert reply.status_code in (400, 422)
    assert said in reply.text
    assert sent(client, fields, rows, **JSON).status_code in (400, 422)


def test_a_wrong_budget_leaves_the_examples_where_they_are(client: httpx.Client) -> None:
    _, token = looked(client)
    page = sent(client, {"act": "start", "token": token, "budget": "soon"})
    assert page.status_code == 422
    assert f'value="{token}"' in page.text
    reply = sent(client, {"act": "start", "token": token, "budget": "60"})
    assert reply.status_code == 303


def test_too_small_a_budget_fails_the_job_with_its_remedy(client: httpx.Client) -> None:
    reply = sent(client, {"act": "start", "budget": "3"}, CSV)
    job = ended(client, reply.headers["location"])
    assert job["state"] == "failed"
    assert "would choose by chance" in client.get(reply.headers["location"]).text


def test_hostile_labels_stay_text(client: httpx.Client) -> None:
    rows = 'text,label\n"hello <b>","<script>alert(1)</script>"\nbye,"x"\n'
    page = sent(client, {"act": "look"}, rows).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_an_order_can_be_made_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(CSV)
    upload = Upload(
        tmp_path, {"candidates": "a\nb", "budget": "2m", "against": "a"}, {"eval": path}
    )
    order = find_order(Metier.open(workshop.settings(tmp_path / "home")), upload)
    assert order.command == (
        "metier find --eval mine.csv --candidate a --candidate b --budget 2m --against a"
    )
    assert (order.kind, order.files) == ("find", {"eval": "mine.csv"})
    many = Upload(tmp_path, {"candidates": "\n".join(map(str, range(300)))}, {"eval": path})
    with pytest.raises(InputError):
        find_order(Metier.open(workshop.settings(tmp_path / "home")), many)
