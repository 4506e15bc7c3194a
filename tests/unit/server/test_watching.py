"""The watch and feedback over HTTP: JSON, forms without scripts, limits, and other origins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from metier.errors import UnavailableError
from metier.server.watching import MOST_A_MINUTE, MOST_BODY, Paced
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving
from stand_in.watching import standing

NAME = "banking-intents"
FEEDBACK = "/metier/v1/feedback"


@pytest.fixture
def metier(tmp_path: Path) -> StandIn:
    found = StandIn(tmp_path / "fleet", [banking()])
    found.watching.found[NAME] = standing(NAME)
    return found


@pytest.fixture
def client(metier: StandIn, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        serving(metier, home=tmp_path / "home") as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def test_standings_and_notices_are_json(client: httpx.Client) -> None:
    for path in ("/metier/v1/watch", "/watch.json"):
        told = client.get(path).json()
        assert told["standings"][0]["state"] == "DEMOTED"
        assert told["standings"][0]["tracks"][0]["rival"] == "general"
        assert told["notices"][0]["kind"] == "demoted"
        assert told["schedule"]["every"] is None
    one = client.get(f"/metier/v1/watch/{NAME}").json()
    assert one["standing"]["why"].startswith("−15.0 points")
    assert client.get("/metier/v1/watch/nobody").status_code == 404


def test_feedback_is_taken_and_texts_are_erased(client: httpx.Client, metier: StandIn) -> None:
    said = {"name": NAME, "text": "my card", "thumb": "down", "label": "card", "keep": True}
    reply = client.post(FEEDBACK, json=said)
    assert reply.status_code == 201
    assert reply.json()["kept_text"] is True
    assert metier.watching.said == [said]
    gone = client.delete(f"{FEEDBACK}/{NAME}")
    assert gone.json() == {"name": NAME, "erased": 2}
    assert metier.watching.erased == [NAME]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"text": "a", "thumb": "up"}, 422),
        ({"name": 7, "thumb": "up"}, 422),
        ({"name": NAME, "text": ["a"]}, 422),
        ({"name": NAME, "text": "a", "keep": "yes"}, 422),
        ({"name": NAME, "text": "a", "stars": 5}, 422),
        ({"name": NAME, "text": "a", "label": "nonsense"}, 422),
        ({"name": "nobody", "text": "a", "thumb": "up"}, 404),
        ({"name": NAME, "text": "a" * MOST_BODY}, 413),
        ([], 400),
    ],
)
def test_what_cannot_be_is_refused(
    client: httpx.Client, metier: StandIn, said: object, status: int
) -> None:
    assert client.post(FEEDBACK, json=said).status_code == status
    assert metier.watching.said == []


def test_no_json_and_other_origins_are_refused(client: httpx.Client, metier: StandIn) -> None:
    assert client.post(FEEDBACK, content=b"\xff{").status_code == 400
    foreign = {"Origin": "https://elsewhere.example"}
    said = {"name": NAME, "text": "a", "thumb": "up"}
    assert client.post(FEEDBACK, json=said, headers=foreign).status_code == 403
    page = f"/specialists/{NAME}/feedback"
    assert client.post(page, data=said, headers=foreign).status_code == 403
    assert client.delete(f"{FEEDBACK}/{NAME}", headers=foreign).status_code == 403
    assert metier.watching.said == []


def test_who_speaks_too_often_is_told_when_to_come_back(client: httpx.Client) -> None:
    said = {"name": NAME, "text": "a", "thumb": "up"}
    replies = [client.post(FEEDBACK, json=said) for _ in range(MOST_A_MINUTE + 1)]
    assert {reply.status_code for reply in replies[:-1]} == {201}
    assert replies[-1].status_code == 429
    assert "Try again in" in replies[-1].json()["error"]["remedy"]


def test_a_pace_lets_through_again_after_a_while() -> None:
    now = [0.0]
    paced = Paced(2, 60.0, lambda: now[0])
    paced.take()
    paced.take()
    with pytest.raises(UnavailableError):
        paced.take()
    now[0] = 61.0
    paced.take()


def test_a_form_needs_no_script(client: httpx.Client, metier: StandIn) -> None:
    page = client.post(f"/specialists/{NAME}/classify", data={"text": "my card was stolen"}).text
    assert f'action="/specialists/{NAME}/feedback"' in page
    assert 'name="text" value="my card was stolen"' in page
    form = f"/specialists/{NAME}/feedback"
    given = {"text": "my card", "given": "card", "label": "card"}
    reply = client.post(form, data={**given, "thumb": "down", "keep": "yes"})
    assert reply.status_code == 303
    assert reply.headers["location"] == f"/specialists/{NAME}#taken"
    reply = client.post(form, data={**given, "label": "rate", "keep": "yes", "comment": "so"})
    assert reply.headers["location"] == f"/specialists/{NAME}#kept"
    client.post(form, data=given)
    down, right, up = metier.watching.said
    assert (down["thumb"], "label" in down, down["keep"]) == ("down", False, False)
    assert (right["thumb"], right["label"], right["keep"]) == ("down", "rate", True)
    assert (up["thumb"], up["keep"]) == ("up", False)
    bad = client.post(form, data={"text": "a", "label": "nonsense"})
    assert bad.status_code == 422
    assert "none of its labels" in bad.text
    assert client.get(form).headers["location"] == f"/specialists/{NAME}"


def test_pages_show_where_it_stands(client: httpx.Client) -> None:
    page = client.get(f"/specialists/{NAME}", headers={"Accept": "text/html"}).text
    assert "kept here, no longer routed to" in page
    assert "&lt;i&gt;general&lt;/i&gt;" in page
    assert "3 of 4 answers were called right" in page
    fleet = client.get("/fleet", headers={"Accept": "text/html"}).text
    assert "What the watch says" in fleet
    assert "DEMOTED" in fleet
    assert client.get(f"/specialists/{NAME}.json").json()["watch"]["looked"] is not None
