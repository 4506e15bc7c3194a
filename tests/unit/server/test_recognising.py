"""Uploads that are looked at: whose they are, how long and how many are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from metier.errors import NotFoundError, UnavailableError
from metier.server import recognising
from metier.server.recognising import COOKIE, Looks, as_json
from metier.server.uploads import Upload


def request(cookie: str = "", host: str = "192.0.2.7") -> Request:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    scope: dict[str, Any] = {"type": "http", "headers": headers, "client": (host, 1), "state": {}}
    return Request(scope)


def upload(place: Path, name: str = "u", size: int = 10) -> Upload:
    folder = place / name
    folder.mkdir()
    (folder / "rows.csv").write_bytes(b"x" * size)
    fields = {"text": "t", "name": "n", "odd": "gone"}
    return Upload(folder, fields, {"data": folder / "rows.csv"})


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    return Looks(tmp_path)


def test_an_upload_is_found_by_its_token_and_its_sender_only(looks: Looks, tmp_path: Path) -> None:
    sender = request()
    look = looks.keep(upload(tmp_path), sender)
    response = Response()
    looks.remember(sender, response)
    set_cookie = response.headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "samesite=strict" in set_cookie.lower()
    cookie = set_cookie.split("=", 1)[1].split(";", 1)[0]
    found = looks.find(look.token, request(cookie))
    assert found == look
    assert found.upload.fields == {"text": "t", "name": "n"}
    assert looks.find(look.token, request(host="127.0.0.1")) == look
    for stranger in (request(), request("guess")):
        with pytest.raises(NotFoundError):
            looks.find(look.token, stranger)
    assert cookie not in (tmp_path / look.token / "look.json").read_text()


@pytest.mark.parametrize("token", ["", "x", "../etc", "0" * 32, "A" * 32])
def test_other_tokens_find_nothing(looks: Looks, token: str) -> None:
    with pytest.raises(NotFoundError, match="no longer kept"):
        looks.find(token, request(host="127.0.0.1"))


def test_a_damaged_note_is_as_gone(looks: Looks, tmp_path: Path) -> None:
    look = looks.keep(upload(tmp_path), request())
    for content in ("{", "[]", '{"files": 3}'):
        (tmp_path / look.token / "look.json").write_text(content)
        with pytest.raises(NotFoundError):
            looks.find(look.token, request(host="127.0.0.1"))


def test_fields_are_changed_and_an_upload_becomes_a_jobs(looks: Looks, tmp_path: Path) -> None:
    here = request(host="127.0.0.1")
    look = looks.keep(upload(tmp_path), here)
    changed = looks.with_fields(look, {"label": "l", "budget": "2m", "act": "start"})
    assert looks.find(look.token, here).upload.fields == {"label": "l", "budget": "2m"}
    assert as_json(changed, {"rows": 1})["found"] == {"rows": 1}
    looks.started(changed, "job-1")
    assert looks.job_of(look.token) == "job-1"
    with pytest.raises(NotFoundError):
        looks.find(look.token, here)
    assert (tmp_path / look.token / "rows.csv").exists(), "the job keeps the rows"


def test_the_old_the_many_and_the_large_make_room(
    looks: Looks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognising, "MOST_KEPT", 2)
    monkeypatch.setattr(recognising, "MOST_BYTES", 5_000)
    first = looks.keep(upload(tmp_path, "a"), request())
    os.utime(tmp_path / first.token / "look.json", (0, 0))
    second = looks.keep(upload(tmp_path, "b"), request())
    assert not (tmp_path / first.token).exists()
    third = looks.keep(upload(tmp_path, "c"), request())
    fourth = looks.keep(upload(tmp_path, "d"), request())
    assert [path for path in (second, third) if (tmp_path / path.token).exists()] == [third]
    large = looks.keep(upload(tmp_path, "e", 4_000), request())
    assert (tmp_path / large.token).exists()
    with pytest.raises(UnavailableError):
        looks.keep(upload(tmp_path, "f", 6_000), request())
    looks.forget(fourth)
    assert not (tmp_path / fourth.token).exists()
