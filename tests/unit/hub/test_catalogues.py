"""Fetching somebody's catalogue: bounds, redirects, private networks, and pages that are there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from metier.errors import InputError, NotFoundError, UnavailableError
from metier.hub.addresses import kind_of
from metier.hub.catalogues import Bounds, catalogue_address, catalogue_reader, reached
from metier.hub.requesting import Origin, Patience

QUICK = Bounds(patience=Patience(connect=2, stall=0.4, attempts=2, pause=0.01))
HERE = Origin("https://example.org")


class Shop:
    """Files at a port of this machine, and what goes wrong."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/c/catalogue.json": b"{}", "/c/big": b"b" * 5000}
        self.failures = 0
        self.location = ""
        self.asked: list[str] = []
        self.url = ""


@contextmanager
def serving(shop: Shop) -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Keep the tests' output quiet."""

        def do_GET(self) -> None:
            shop.asked.append(self.path)
            if shop.failures:
                shop.failures -= 1
                self._answer(503, b"", {})
            elif self.path == "/c/moved":
                self._answer(302, b"", {"Location": shop.location})
            elif self.path in shop.files:
                self._answer(200, shop.files[self.path], {})
            else:
                self._answer(404, b"", {})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Connections that a reader ends early are no news."""

    server = Server(("127.0.0.1", 0), Handler)
    shop.url = f"http://127.0.0.1:{server.server_port}/c"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving(Shop()) as found:
        yield found


def reading(address: str, origin: Origin = HERE, **how: Any) -> Any:
    return catalogue_reader(address, origin, **{"bounds": QUICK, **how})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.org/a/", "https://example.org/a"),
        ("https://example.org/a/catalogue.json", "https://example.org/a"),
        ("HTTPS://example.org", "https://example.org"),
        ("./folder", None),
        ("folder", None),
    ],
)
def test_an_address_is_told_from_a_folder(text: str, address: str | None) -> None:
    assert catalogue_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "ftp://example.org/a", "file:///etc/passwd", "https://", "https://u:p@example.org/a",
        "https://example.org/a?x=1", "https://example.org/a#x", "https://example.org:0/a",
    ],
)  # fmt: skip
def test_addresses_of_other_kinds_are_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        catalogue_address(text)

    assert caught.value.code == "bad_address"


def test_files_come_with_their_bytes_and_progress(shop: Shop) -> None:
    told: list[tuple[int, int]] = []

    with reading(shop.url, fetched=lambda files, count: told.append((files, count))) as read:
        assert read("catalogue.json", 100) == b"{}"
        assert read("big", 10_000) == b"b" * 5000

    assert told == [(1, 2), (2, 5002)]


def test_no_more_than_was_asked_is_read(shop: Shop) -> None:
    with reading(shop.url) as read:
        assert read("big", 11) == b"b" * 11


def test_a_catalogue_that_never_ends_is_given_up(shop: Shop) -> None:
    bounds = Bounds(most_bytes=6000, patience=QUICK.patience)

    with reading(shop.url, bounds=bounds) as read:
        read("big", 10_000)
        with pytest.raises(InputError) as caught:
            read("big", 10_000)

    assert caught.value.code == "catalogue_too_large"


def test_one_failure_is_tried_again_and_two_are_an_error(shop: Shop) -> None:
    shop.failures = 1
    with reading(shop.url) as read:
        assert read("catalogue.json", 100) == b"{}"
    shop.failures = 2

    with reading(shop.url) as read, pytest.raises(UnavailableError) as caught:
        read("catalogue.json", 100)

    assert caught.value.code == "hub_failed"


def test_a_file_that_is_not_there_is_not_found(shop: Shop) -> None:
    with reading(shop.url) as read, pytest.raises(NotFoundError):
        read("cards/none.json", 100)


@pytest.mark.parametrize("path", ["../secret", "a//b", "/etc/passwd", "a?b", "x" * 500])
def test_a_path_that_leaves_the_folder_is_never_asked(shop: Shop, path: str) -> None:
    with reading(shop.url) as read, pytest.raises(InputError):
        read(path, 100)

    assert shop.asked == []


def test_a_redirect_to_the_same_machine_is_followed_and_one_elsewhere_inside_is_not(
    shop: Shop,
) -> None:
    shop.location = f"{shop.url}/big"
    with reading(shop.url) as read:
        assert read("moved", 10_000) == b"b" * 5000
    shop.location = "http://169.254.169.254/latest"

    with reading(shop.url) as read, pytest.raises(UnavailableError) as caught:
        read("moved", 100)

    assert caught.value.code == "private_address"


def test_plain_http_is_for_this_machine_only() -> None:
    origin = Origin("https://example.org", resolve=lambda _: ["93.184.215.14"], kind=kind_of)

    with pytest.raises(InputError, match="plain http"), reading("http://example.org/a", origin):
        pass


def test_a_private_network_is_asked_only_if_the_person_says_so() -> None:
    origin = Origin("https://example.org", resolve=lambda _: ["10.0.0.7"], kind=kind_of)
    mixed = Origin("https://example.org", resolve=lambda _: ["10.0.0.7", "93.184.215.14"])

    for one in (origin, mixed):
        with pytest.raises(UnavailableError) as caught, reading("https://intra/a", one):
            pass
        assert caught.value.code == "private_address"
    with reading("https://intra/a", origin, private=True):
        pass


def test_a_host_that_nobody_knows_is_unreachable() -> None:
    def nobody(_host: str) -> list[str]:
        raise OSError

    with (
        pytest.raises(UnavailableError) as caught,
        reading("https://nowhere.example/a", Origin("https://example.org", resolve=nobody)),
    ):
        pass

    assert caught.value.code == "hub_unreachable"
    assert reached("https://nowhere.example", Origin("x", resolve=nobody)) == "unreachable"


def test_whether_a_page_is_there(shop: Shop) -> None:
    assert reached(f"{shop.url}/big", HERE, patience=QUICK.patience) == "there"
    assert reached(f"{shop.url}/none", HERE, patience=QUICK.patience) == "gone"
    shop.failures = 9

    assert reached(f"{shop.url}/big", HERE, patience=QUICK.patience) == "unreachable"
