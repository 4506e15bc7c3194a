"""The door: DNS rebinding, foreign origins, keys, sizes, and the headers of every reply."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from metier.errors import InputError
from metier.server.guard import Hosts, check_binding, is_loopback, session_value
from metier.server.limits import Limits
from stand_in.cards import banking
from stand_in.metier import StandIn
from stand_in.serving import serving

KEY = "a-key-of-more-than-sixteen"
QUESTION = {"model": "banking-intents", "input": "where is my card"}


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    metier = StandIn(tmp_path_factory.mktemp("fleet"), [banking()])
    with serving(metier, limits=Limits(body_bytes=2000)) as address:
        yield address


@pytest.fixture(scope="module")
def keyed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    metier = StandIn(tmp_path_factory.mktemp("fleet"), [banking()])
    with serving(metier, api_key=KEY) as address:
        yield address


# -- who may bind -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    assert is_loopback(host)
    check_binding(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_any_other_address_needs_a_key(host: str) -> None:
    with pytest.raises(InputError) as caught:
        check_binding(host, None)
    assert caught.value.code == "key_needed"
    assert caught.value.remedy
    check_binding(host, KEY)


@pytest.mark.parametrize("key", ["", "short", "ä" * 20])
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    with pytest.raises(InputError) as caught:
        check_binding("127.0.0.1", key)
    assert caught.value.code == "weak_key"


# -- Host: DNS rebinding (CVE-2024-28224) ------------------------------------------------------

FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:11434",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example@localhost",
    "localhost:80:80",
    "192.168.1.5",
    "[2001:db8::1]",
    "0.0.0.0",
    "127.0.0.1/x",
    "2130706433",
    "",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_host_that_is_not_this_machine_is_refused(host: str) -> None:
    assert not Hosts("127.0.0.1").allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:11434",
        "localhost.",
        "a.localhost:1",
        "127.0.0.1:11434",
        "127.9.9.9",
        "[::1]:11434",
        "[::1]",
    ],
)
def test_own_names_are_allowed(host: str) -> None:
    assert Hosts("127.0.0.1").allows(host)


MODEL_HOSTS = [
    "host.docker.internal:11434",
    "workshop.local",
    "192.168.1.5:11434",
    "10.0.0.7",
    "172.20.0.1",
    "[fd00::1]:11434",
    "0.0.0.0:11434",
]


@pytest.mark.parametrize("host", MODEL_HOSTS)
def test_names_of_a_local_network_reach_models_and_nothing_else(
    open_server: str, host: str
) -> None:
    for path, status in (("/api/tags", 200), ("/v1/models", 200), ("/", 403), ("/make", 403)):
        assert httpx.get(open_server + path, headers={"Host": host}).status_code == status
    assert httpx.post(f"{open_server}/metier/v1/gc", headers={"Host": host}).status_code == 403


REBOUND = [
    "evil.example",
    "127.0.0.1.evil.example",
    "local",
    "internal",
    "notlocal",
    "a.local.evil.example",
    "172.32.0.1",
    "8.8.8.8",
    "[2001:db8::1]",
    "",
]


@pytest.mark.parametrize("host", REBOUND)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/tags"), ("POST", "/api/chat"), ("OPTIONS", "/api/chat"), ("HEAD", "/api/tags")],
)
def test_the_rebinding_matrix_of_the_models_apis(
    open_server: str, host: str, method: str, path: str
) -> None:
    reply = httpx.request(method, open_server + path, headers={"Host": host})
    assert reply.status_code == 403
    if method != "HEAD":
        assert isinstance(reply.json()["error"], str)


def test_a_bound_network_allows_addresses_and_given_names_only() -> None:
    hosts = Hosts("0.0.0.0", names=["Box.example.org"])
    assert hosts.allows("192.168.1.5:11434")
    assert hosts.allows("box.example.org")
    assert not hosts.allows("evil.example")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/health"), ("POST", "/make")])
def test_a_rebound_name_gets_nothing(open_server: str, method: str, path: str) -> None:
    reply = httpx.request(method, open_server + path, headers={"Host": "evil.example"})
    assert reply.status_code == 403
    assert "banking" not in reply.text


@pytest.mark.parametrize("order", [("localhost", "evil.example"), ("evil.example", "localhost")])
def test_two_host_headers_are_refused(open_server: str, order: tuple[str, str]) -> None:
    address = urlsplit(open_server)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0)
    connection.putrequest("GET", "/health", skip_host=True)
    for host in order:
        connection.putheader("Host", host)
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


# -- Origin: a page elsewhere can change nothing -------------------------------------------------

FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://localhost:1"},
    {"Origin": "file://"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
LOCAL = ("https://localhost:1", "file://")
CHANGES = [
    ("POST", "/metier/v1/gc"),
    ("POST", "/metier/v1/verify"),
    ("POST", "/metier/v1/make"),
    ("DELETE", "/metier/v1/specialists/banking-intents"),
    ("POST", "/make"),
    ("POST", "/make/look"),
    ("POST", "/make/look/00000000000000000000000000000000"),
    ("POST", "/fleet/pull"),
    ("POST", "/fleet/load"),
    ("POST", "/fleet/remove"),
    ("POST", "/fleet/gc"),
    ("POST", "/jobs/x/resume"),
    ("POST", "/metier/v1/jobs/x/stop"),
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_foreign_page_can_change_nothing(
    open_server: str, method: str, path: str, headers: dict[str, str]
) -> None:
    reply = httpx.request(method, open_server + path, headers=headers)
    assert reply.status_code == 403
    assert httpx.get(f"{open_server}/metier/v1/specialists/banking-intents").status_code == 200


@pytest.mark.parametrize("headers", [one for one in FOREIGN if one.get("Origin") not in LOCAL])
@pytest.mark.parametrize("path", ["/v1/classify", "/api/chat", "/api/delete", "/v1/x"])
def test_a_foreign_page_can_ask_no_model(
    open_server: str, path: str, headers: dict[str, str]
) -> None:
    reply = httpx.post(open_server + path, headers=headers)
    assert reply.status_code == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none"}])
def test_programs_and_the_address_bar_may(open_server: str, headers: dict[str, str]) -> None:
    assert httpx.post(f"{open_server}/metier/v1/gc", headers=headers).status_code == 200


def test_its_own_pages_may(open_server: str) -> None:
    headers = {"Origin": open_server, "Sec-Fetch-Site": "same-origin"}
    assert httpx.post(f"{open_server}/metier/v1/gc", headers=headers).status_code == 200


def test_no_cors_header_is_ever_sent(open_server: str) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("GET", "/v1/models"), ("OPTIONS", "/v1/classify"), ("POST", "/v1/x")):
        reply = httpx.request(method, open_server + path, headers=headers)
        assert not [name for name in reply.headers if name.startswith("access-control")]


# -- key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong-key-of-some-length"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"Cookie": f"metier_session={KEY}"},
        {"Cookie": "metier_session="},
        {"Cookie": f"other={session_value(KEY)}"},
    ],
)
def test_without_the_key_nothing_is_answered(keyed_server: str, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/v1/models"), ("GET", "/"), ("POST", "/v1/classify")):
        reply = httpx.request(method, keyed_server + path, headers=headers)
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == "Bearer"
        assert "banking" not in reply.text


def test_a_browser_asks_beforehand_without_the_key(keyed_server: str) -> None:
    headers = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"}
    assert httpx.options(f"{keyed_server}/api/chat", headers=headers).status_code == 204
    assert httpx.post(f"{keyed_server}/api/chat", headers=headers).status_code == 401
    assert httpx.options(f"{keyed_server}/make", headers=headers).status_code == 401


def test_any_bearer_token_is_taken_while_no_key_is_set(open_server: str) -> None:
    headers = {"Authorization": "Bearer ollama"}
    assert httpx.get(f"{open_server}/api/tags", headers=headers).status_code == 200


def test_with_the_key_everything_is(keyed_server: str) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    reply = httpx.post(f"{keyed_server}/v1/classify", json=QUESTION, headers=headers)
    assert reply.status_code == 200
    assert httpx.get(f"{keyed_server}/", headers=headers).status_code == 200


def test_what_needs_the_key_is_kept_by_no_cache(keyed_server: str, open_server: str) -> None:
    told = {"Authorization": f"Bearer {KEY}"}
    assert httpx.get(f"{keyed_server}/fleet", headers=told).headers["cache-control"] == "no-store"
    assert "cache-control" not in httpx.get(f"{open_server}/fleet").headers
    style = httpx.get(f"{keyed_server}/static/site.css?1")
    assert "immutable" in style.headers["cache-control"]


def test_health_and_style_sheets_need_no_key(keyed_server: str) -> None:
    assert httpx.get(f"{keyed_server}/health").json()["status"] == "ok"
    assert httpx.get(f"{keyed_server}/static/site.css").status_code == 200


def test_a_person_signs_in_with_the_key(keyed_server: str) -> None:
    with httpx.Client(base_url=keyed_server, headers={"Accept": "text/html"}) as browser:
        asked = browser.get("/specialists/banking-intents")
        assert asked.status_code == 401
        assert 'value="/specialists/banking-intents"' in asked.text
        wrong = browser.post("/sign-in", data={"key": "wrong", "next": "/make"})
        assert wrong.status_code == 401
        assert "not the key" in wrong.text
        right = browser.post("/sign-in", data={"key": KEY, "next": "/make"})
        assert (right.status_code, right.headers["location"]) == (303, "/make")
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert KEY not in cookie
        assert browser.get("/make").status_code == 200


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_away(keyed_server: str, path: str) -> None:
    reply = httpx.post(f"{keyed_server}/sign-in", data={"key": KEY, "next": path})
    assert reply.headers["location"] == "/"


# -- size, headers, log --------------------------------------------------------------------------


def test_a_body_that_says_it_is_too_large_is_refused(open_server: str) -> None:
    body = json.dumps({**QUESTION, "input": "a" * 3000}).encode()
    reply = httpx.post(f"{open_server}/v1/classify", content=body)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "too_large"


def test_a_body_that_does_not_say_its_size_is_counted(open_server: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 100

    reply = httpx.post(f"{open_server}/v1/classify", content=chunks())
    assert reply.status_code == 413


@pytest.mark.parametrize("path", ["/", "/v1/models", "/nothing", "/static/site.css", "/v1/x"])
def test_every_reply_carries_the_strict_headers(open_server: str, path: str) -> None:
    headers = httpx.get(open_server + path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-request-id"]


def test_a_request_id_is_kept_when_it_is_sound(open_server: str) -> None:
    kept = httpx.get(f"{open_server}/health", headers={"X-Request-Id": "abc-1.2"})
    assert kept.headers["x-request-id"] == "abc-1.2"
    replaced = httpx.get(f"{open_server}/health", headers={"X-Request-Id": "a b<c>"})
    assert replaced.headers["x-request-id"] != "a b<c>"
