"""Pictures over HTTP: forms, base64, data URLs, the page; limits, hostile files, no addresses."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import made_up
import seeing_home
import tiny_vision
from metier.assembly import Metier
from metier.errors import InputError, UnavailableError
from metier.server.picturing import MOST_AT_ONCE, MOST_WAITING, PATH, Desk, of_text
from stand_in.serving import serving

RED = tiny_vision.png(tiny_vision.pixels("red", 900))
BLUE = tiny_vision.encoded(tiny_vision.pixels("blue", 901), "JPEG")
PAGE = "/specialists/colours/pictures"


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metier]:
    folder = tmp_path_factory.mktemp("http")
    found = seeing_home.opened(folder / "home")
    rows = made_up.write(folder / "rows.jsonl", made_up.rows(40))
    found.make(found.recipe_for(rows, name="words", curve=False), folder=folder)
    yield found
    found.close()


@pytest.fixture(scope="module")
def client(metier: Metier) -> Iterator[httpx.Client]:
    with (
        serving(metier) as address,
        httpx.Client(base_url=address, headers={"Origin": address}, timeout=60) as found,
    ):
        yield found


def sent(*files: bytes, field: str = "image") -> list[tuple[str, tuple[str, bytes]]]:
    """Files of a form."""
    return [(field, (f"{place}.png", data)) for place, data in enumerate(files)]


def coded(data: bytes, kind: str = "") -> str:
    """Base64, as a data URL if a kind is given."""
    text = base64.b64encode(data).decode()
    return f"data:image/{kind};base64,{text}" if kind else text


def test_a_form_with_one_file_and_with_several(client: httpx.Client) -> None:
    one = client.post(PATH, data={"model": "colours", "top": "2"}, files=sent(RED)).json()
    assert (one["label"], len(one["results"]), len(one["results"][0]["scores"])) == ("red", 1, 2)
    assert one["results"][0]["picture"] == {"width": 24, "height": 24, "notes": []}
    two = client.post(PATH, data={"model": "colours"}, files=sent(RED, BLUE)).json()
    assert [found["best"] for found in two["results"]] == ["red", "blue"]
    assert "label" not in two
    assert two["usage"]["pictures"] == 2


def test_json_with_base64_and_data_urls(client: httpx.Client) -> None:
    asked = {"model": "colours", "images": [coded(RED), coded(BLUE, "jpeg")]}
    found = client.post(PATH, json=asked).json()
    assert [one["best"] for one in found["results"]] == ["red", "blue"]
    single = client.post(PATH, json={"model": "colours", "image": coded(RED)}).json()
    assert single["label"] == "red"


def test_data_urls_in_the_call_for_texts(client: httpx.Client) -> None:
    asked = {"model": "colours", "input": [coded(RED, "png")], "top": 1}
    found = client.post("/v1/classify", json=asked).json()
    assert found["object"] == "image-classification"
    assert found["results"][0]["best"] == "red"
    text = client.post("/v1/classify", json={"model": "words", "input": "data:image/png;base64,x"})
    assert text.json()["object"] == "classification"
    mixed = client.post(
        "/v1/classify", json={"model": "colours", "input": ["a", coded(RED, "png")]}
    )
    assert (mixed.status_code, mixed.json()["error"]["code"]) == (422, "wants_pictures")


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"images": ["http://127.0.0.1/a.png"]}, 422, "no_address"),
        ({"images": ["file:///etc/passwd"]}, 422, "no_address"),
        ({"images": ["/etc/passwd"]}, 422, "bad_request"),
        ({"images": ["data:image/png,abc"]}, 422, "bad_request"),
        ({"images": [3]}, 422, "bad_request"),
        ({"images": []}, 422, "bad_request"),
        ({"images": ["AAAA"] * (MOST_AT_ONCE + 1)}, 422, "too_many_pictures"),
        ({"images": ["AAAA"]}, 422, "not_a_picture"),
        ({"images": [coded(RED)], "top": 0}, 422, "bad_request"),
        ({"images": [coded(RED)], "model": ""}, 422, "bad_request"),
        ({"images": [coded(RED)], "model": "nobody"}, 404, "not_found"),
        ({"images": [coded(RED)], "model": "words"}, 422, "wants_texts"),
        ({"images": [coded(RED)], "model": "tiny-eye"}, 422, "wants_texts"),
        ({"images": [coded(RED[:100])]}, 422, "broken_picture"),
    ],
)
def test_what_is_wrong_is_said(
    client: httpx.Client, asked: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(PATH, json={"model": "colours", **asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_form_without_a_file_and_a_heavy_one(client: httpx.Client) -> None:
    empty = client.post(PATH, data={"model": "colours"}, files=[("other", ("a", b"x"))])
    assert (empty.status_code, empty.json()["error"]["code"]) == (422, "too_many_pictures")
    heavy = client.post(PATH, data={"model": "colours"}, files=sent(RED + bytes(21 << 20)))
    assert (heavy.status_code, heavy.json()["error"]["code"]) == (413, "too_large")
    bare = client.post(PATH, content=b"no json", headers={"content-type": "application/json"})
    assert bare.status_code == 400


def test_damaged_files_are_never_a_defect(client: httpx.Client) -> None:
    chance = random.Random(7)
    statuses = set()
    for place in range(60):
        data = bytearray(chance.choice([RED, BLUE]))
        for _ in range(6):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if place % 3 == 0:
            data = data[: chance.randrange(len(data))]
        answer = client.post(PATH, data={"model": "colours"}, files=sent(bytes(data)))
        statuses.add(answer.status_code)
    assert statuses <= {200, 422, 413}
    assert 422 in statuses


def test_the_page_answers_a_form_without_scripts(client: httpx.Client) -> None:
    page = client.post(PAGE, files=sent(RED, BLUE), headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert page.text.count('aria-label="Answer ') == 2
    assert "2 pictures in" in page.text
    wrong = client.post(PAGE, files=sent(b"GIF89a<b>"), headers={"Accept": "text/html"})
    assert "is a GIF" in wrong.text
    nothing = client.post(PAGE, data={"x": "y"}, headers={"Accept": "text/html"})
    assert "No picture was sent" in nothing.text
    back = client.get(PAGE)
    assert (back.status_code, back.headers["location"]) == (303, "/specialists/colours")


def test_the_page_shows_how_to_call_it(client: httpx.Client) -> None:
    page = client.get("/specialists/colours", headers={"Accept": "text/html"}).text
    assert 'enctype="multipart/form-data"' in page
    assert "image=@photo.jpg" in page
    assert "--image photo.jpg" in page
    assert "/specialists/colours/run" not in page
    assert "of pictures and" in page or "It never abstains" in page


def test_too_many_at_once_are_told_to_come_back(metier: Metier) -> None:
    desk = Desk(metier)  # type: ignore[arg-type]
    desk._waiting = MOST_WAITING
    with pytest.raises(UnavailableError) as raised:
        desk.ask("colours", [RED], 1)
    assert (raised.value.code, raised.value.retryable) == ("overloaded", True)
    desk._waiting = 0
    threads = [threading.Thread(target=desk.ask, args=("colours", [RED], 1)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk._waiting == 0


@pytest.mark.parametrize("text", ["data:image/png;base64", "data:text/plain,x", "!", "aGk=\n!"])
def test_only_base64_is_taken(text: str) -> None:
    with pytest.raises(InputError):
        of_text(text, 1)


def test_line_breaks_in_base64_are_passed_over() -> None:
    assert of_text("aG\nk=", 1) == b"hi"
