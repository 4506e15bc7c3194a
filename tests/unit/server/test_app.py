"""The whole application: errors in the right shape, and no way round its limits."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from metier.errors import InputError
from metier.messages import Prediction
from metier.server import create_app
from metier.site import Site
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving


class Broken(StandIn):
    """A façade with a defect."""

    def classify(self, name: str, texts: Sequence[str], *, top: int = 5) -> Sequence[Prediction]:
        raise ZeroDivisionError("/secret/path")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Broken(tmp_path_factory.mktemp("fleet"), [banking()])) as address:
        yield address


def test_an_open_address_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        create_app(StandIn(tmp_path), Site(), host="0.0.0.0")
    assert caught.value.code == "key_needed"


@pytest.mark.parametrize("path", ["/v1/nothing", "/metier/v1/nothing", "/x.json"])
def test_an_unknown_path_is_a_quick_json_404(server: str, path: str) -> None:
    reply = httpx.get(server + path, headers={"Accept": "text/html"})
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_a_person_gets_a_page_with_the_way_out(server: str) -> None:
    reply = httpx.get(f"{server}/nothing<script>", headers={"Accept": "text/html"})
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/html")
    assert "<script>" not in reply.text.replace('<script src="/static/', "")
    assert "Go to Find" in reply.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/v1/models", "/metier/v1/gc"])
def test_a_wrong_method_is_405(server: str, method: str, path: str) -> None:
    reply = httpx.request(method, server + path)
    assert reply.status_code == 405
    assert reply.headers["allow"]


def test_a_defect_is_500_without_its_inside(server: str, caplog: pytest.LogCaptureFixture) -> None:
    asked = {"model": "banking-intents", "input": "where is my card"}
    reply = httpx.post(f"{server}/v1/classify", json=asked)
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.json()["error"]["code"] == "internal"
    assert httpx.get(f"{server}/health").status_code == 200


def test_telemetry_is_off(tmp_path: Path) -> None:
    app = create_app(StandIn(tmp_path), Site())
    assert not app._native_telemetry.enabled()
    assert app.docs_url is None
    assert app.redoc_url is None


@pytest.mark.parametrize("path", ["/api/chat", "/api/pull", "/v1/chat/completions", "/v1/classify"])
def test_a_caller_who_leaves_amid_its_body_is_no_defect(
    server: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = urlsplit(server)
    with socket.create_connection((place.hostname or "", place.port or 0)) as caller:
        head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 1000\r\n\r\n"
        caller.sendall(head.encode() + b"{")
        time.sleep(0.05)
    time.sleep(0.1)
    assert httpx.get(f"{server}/health").status_code == 200
    assert "Traceback" not in caplog.text
    assert "Exception" not in caplog.text
