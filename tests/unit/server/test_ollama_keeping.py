"""Ollama's routes that change what is here, over real HTTP."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from metier.errors import UnavailableError
from metier.messages import Progress
from metier.server.limits import Limits
from stand_in.metier import StandIn
from stand_in.serving import serving

ATTACKS = [
    "sha256:../../../../etc/passwd",
    "sha256-../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "sha256:" + "A" * 64,
    "sha256:" + "a" * 63,
    "md5:" + "a" * 64,
    "sha256:" + "a" * 64 + "/x",
]


class Door:
    def __init__(self, metier: StandIn, address: str) -> None:
        self.metier = metier
        self.address = address

    def request(self, method: str, path: str, **how: Any) -> httpx.Response:
        return httpx.request(method, f"{self.address}/api/{path}", **how)

    def lines(self, verb: str, **fields: Any) -> list[dict[str, Any]]:
        reply = self.request("POST", verb, json=fields)
        assert reply.status_code == 200, reply.text
        return [json.loads(line) for line in reply.text.splitlines()]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    folder = tmp_path / "a" / "b" / "c" / "d" / "e" / "f"
    folder.mkdir(parents=True)
    metier = StandIn(folder)
    with serving(metier, limits=Limits(body_bytes=2000)) as address:
        yield Door(metier, address)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_a_blob_arrives_and_is_there(door: Door) -> None:
    data = b"x" * 3_000_001
    name = digest_of(data)
    assert door.request("HEAD", f"blobs/{name}").status_code == 404
    labelled = {"Content-Type": "application/json"}
    made = door.request("POST", f"blobs/{name}", content=data, headers=labelled)
    assert (made.status_code, made.content) == (201, b"")
    assert door.request("HEAD", f"blobs/{name}").status_code == 200
    assert door.request("POST", f"blobs/{name}", content=data).status_code == 200
    assert (door.metier.folder / name[7:]).read_bytes() == data


def test_a_blob_of_unknown_length_is_streamed(door: Door) -> None:
    data = b"y" * 1_000_000
    chunks = (data[place : place + 70_000] for place in range(0, len(data), 70_000))
    reply = door.request("POST", f"blobs/{digest_of(data)}", content=chunks)
    assert reply.status_code == 201


def test_bytes_under_a_wrong_name_are_400(door: Door) -> None:
    reply = door.request("POST", f"blobs/{digest_of(b'a')}", content=b"b")
    assert reply.status_code == 400
    assert reply.json()["error"] == "It has another digest."
    assert door.request("HEAD", f"blobs/{digest_of(b'a')}").status_code == 404


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_a_digest_in_the_address_is_never_a_path(
    door: Door, method: str, name: str, tmp_path: Path
) -> None:
    """CVE-2024-37032: a digest that is a path wrote anywhere.

    The folder lies deeper in this test's own folder than any attack climbs.
    """
    before = sorted(tmp_path.rglob("*"))
    reply = door.request(method, f"blobs/{quote(name, safe=':%')}", content=b"x")
    assert reply.status_code == 400
    assert sorted(tmp_path.rglob("*")) == before


def test_a_caller_who_leaves_an_upload_leaves_nothing(door: Door) -> None:
    data = b"z" * 1_000_000
    place = urlsplit(door.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 0)
    connection.putrequest("POST", f"/api/blobs/{digest_of(data)}")
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders()
    connection.send(data[:500_000])
    time.sleep(0.1)
    connection.close()
    time.sleep(0.2)
    assert door.request("HEAD", f"blobs/{digest_of(data)}").status_code == 404
    assert door.request("POST", f"blobs/{digest_of(data)}", content=data).status_code == 201


def test_a_model_is_made_and_its_stages_are_told(door: Door) -> None:
    told = door.lines("create", model="mine", **{"from": "tiny"}, system="Be brief.")
    assert [line["status"] for line in told] == [
        "reading the base",
        "writing the model",
        "success",
    ]
    assert door.metier.models.orders[0].system == "Be brief."
    whole = door.request("POST", "create", json={"model": "other", "from": "tiny", "stream": False})
    assert whole.json() == {"status": "success"}
    assert "other" in door.metier.models.here


def test_a_model_is_made_of_blobs(door: Door) -> None:
    door.request("POST", f"blobs/{digest_of(b'GGUF')}", content=b"GGUF")
    door.lines("create", model="mine", files={"model.gguf": digest_of(b"GGUF")})
    assert door.metier.models.orders[0].weights["model.gguf"].read_bytes() == b"GGUF"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"from": "none"}, 404, "model 'none' not found"),
        ({"files": {"a.gguf": "sha256:" + "0" * 64}}, 404, "no blob"),
        ({"files": {"a.gguf": "sha256:../../x"}}, 400, "digest"),
        ({"files": {"/etc/passwd": "sha256:" + "0" * 64}}, 400, "relative"),
        ({}, 400, "neither 'from' or 'files'"),
        ({"from": "tiny", "quantize": "q4"}, 400, "quantize"),
        ({"from": "tiny", "model": "a b"}, 400, "not a valid name"),
    ],
)
def test_an_order_that_is_wrong_is_refused(
    door: Door, fields: dict[str, Any], status: int, error: str
) -> None:
    reply = door.request("POST", "create", json={"model": "mine", **fields})
    assert reply.status_code == status
    assert error in reply.json()["error"]
    assert door.metier.models.orders == []


def test_a_model_is_copied_and_removed(door: Door) -> None:
    asked = {"source": "library/tiny", "destination": "team/copy:2"}
    reply = door.request("POST", "copy", json=asked)
    assert (reply.status_code, reply.content) == (200, b"")
    assert door.request("DELETE", "delete", json={"model": "team/copy:2"}).status_code == 200
    assert door.request("DELETE", "delete", json={"name": "tiny:latest"}).status_code == 200
    gone = door.request("DELETE", "delete", json={"model": "tiny"})
    assert (gone.status_code, gone.json()) == (404, {"error": "model 'tiny' not found"})
    gone = door.request("POST", "copy", json=asked)
    assert gone.json() == {"error": "model 'library/tiny' not found"}
    assert gone.status_code == 404


def test_a_pull_tells_how_far_it_is(door: Door) -> None:
    told = door.lines("pull", name="hf.co/owner/name:Q8_0")
    assert [line["status"] for line in told] == [
        "pulling manifest",
        "pulling aaaa",
        "verifying sha256 digest",
        "success",
    ]
    assert told[1] == {
        "status": "pulling aaaa",
        "digest": "sha256:aaaa",
        "total": 10,
        "completed": 5,
    }
    assert door.metier.pulls == ["hf.co/owner/name:Q8_0"]
    whole = door.request("POST", "pull", json={"model": "x", "stream": False})
    assert whole.json() == {"status": "success"}


def test_a_pull_that_fails_ends_with_an_error(door: Door) -> None:
    door.metier.progress = [
        Progress("pull", "pulling manifest"),
        UnavailableError("The hub does not answer.", code="offline"),
    ]
    told = door.lines("pull", model="x")
    assert told[-1] == {"error": "The hub does not answer."}
    whole = door.request("POST", "pull", json={"model": "x", "stream": False})
    assert whole.status_code == 500
    assert whole.json() == {"error": "The hub does not answer."}


@pytest.mark.parametrize("stream", [True, False])
def test_push_says_that_sharing_comes_later(door: Door, stream: bool) -> None:
    reply = door.request("POST", "push", json={"model": "tiny", "stream": stream})
    assert reply.status_code == 501
    assert "comes later" in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "me", 401),
        ("POST", "signout", 401),
        ("DELETE", "user/keys/abc", 401),
        ("POST", "experimental/web_search", 404),
        ("POST", "experimental/web_fetch", 404),
        ("GET", "experimental/model-recommendations", 200),
    ],
)
def test_accounts_and_the_cloud_are_answered_at_once(
    door: Door, method: str, path: str, status: int
) -> None:
    reply = door.request(method, path, content=b'{"query": "x"}' if method == "POST" else None)
    assert reply.status_code == status
    if status == 200:
        assert reply.json() == {"recommendations": []}
    else:
        assert isinstance(reply.json()["error"], str)


def test_pictures_fit_where_other_bodies_are_small(door: Door) -> None:
    """The limit of JSON bodies is not the limit of a question with pictures."""
    picture = "aGk=" + "A" * 4000
    asked = {"model": "tiny", "prompt": "x", "images": [picture], "stream": False}
    assert door.request("POST", "generate", json=asked).status_code == 400  # bad base64, read whole
    large = {"model": "tiny", "verbose": False, "x": "y" * 4000}
    assert door.request("POST", "show", json=large).status_code == 413
