"""Pages travel packed; programs' calls, streams and other origins' requests do not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest

from metier.server.packing import LEAST
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

READS = {"Accept": "text/html", "Accept-Encoding": "br, gzip"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        serving(StandIn(tmp_path_factory.mktemp("fleet"), [banking()])) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    with client.stream("GET", path, headers={**READS, **headers}) as reply:
        return reply, b"".join(reply.iter_raw())


@pytest.mark.parametrize("path", ["/", "/static/site.css", "/static/site.js", "/find.json"])
def test_a_page_is_packed_and_whole(client: httpx.Client, path: str) -> None:
    reply, body = raw(client, path)
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.headers["vary"] == "accept-encoding"
    assert int(reply.headers["content-length"]) == len(body)
    plain = client.get(path, headers={**READS, "Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(body) < len(plain.content) / 2
    if path != "/find.json":  # It tells the time that it took.
        assert gzip.decompress(body) == plain.content


@pytest.mark.parametrize("path", ["/v1/models", "/api/tags"])
def test_programs_get_plain_answers(client: httpx.Client, path: str) -> None:
    reply, _ = raw(client, path)
    assert "content-encoding" not in reply.headers


def test_what_is_small_stays_as_it_is(client: httpx.Client) -> None:
    reply, body = raw(client, "/static/icon.svg")
    assert len(body) < LEAST
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_origin_learns_nothing_from_lengths(client: httpx.Client, site: str) -> None:
    reply, _ = raw(client, "/?q=guess", **{"Sec-Fetch-Site": site})
    assert "content-encoding" not in reply.headers


def test_a_stream_is_never_held_back(client: httpx.Client) -> None:
    reply, _ = raw(client, "/health", Accept="*/*")
    assert reply.status_code == 200
    head = client.head("/health", headers=READS)
    assert head.status_code == 200
