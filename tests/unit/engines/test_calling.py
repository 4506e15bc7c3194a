"""The one client: retries, refusals, redirects, odd bodies, and what never leaves the machine."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import scripted
from metier.engines import calling
from metier.engines.calling import Caller, Patience
from metier.errors import InputError, MetierError, UnavailableError
from metier.services import Service
from scripted import Scripted, chunk, event, said, stream_of, told

ASK = {"model": "big-model", "messages": [{"role": "user", "content": "?"}]}


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch) -> None:
    monkeypatch.setattr(calling, "LONGEST_WAIT", 0.01)


@pytest.fixture
def opened() -> Iterator:
    made: list[Caller] = []

    def open_one(service: Service, **more: object) -> Caller:
        made.append(Caller(service, **more))
        return made[-1]

    yield open_one
    for caller in made:
        caller.close()


def text_of(body: dict) -> str:
    return body["choices"][0]["message"]["content"]


@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
def test_passing_trouble_is_tried_again(opened, status) -> None:
    with scripted.service(Scripted(status, {}), Scripted(status, {}), said("ok")) as seen:
        assert text_of(opened(seen.service).body(ASK)) == "ok"
    assert len(seen.bodies) == 3


def test_lasting_trouble_ends_after_so_many_calls(opened) -> None:
    with scripted.service() as seen:
        seen.always = lambda _: Scripted(503, {"error": {"message": "loading"}})
        with pytest.raises(UnavailableError) as caught:
            opened(seen.service).body(ASK)
    assert caught.value.code == "service_failed"
    assert caught.value.retryable
    assert "loading" in caught.value.message
    assert len(seen.bodies) == Patience().attempts


def test_the_wait_that_is_asked_for_is_kept(opened, monkeypatch) -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(calling.asyncio, "sleep", note)
    slow = Scripted(429, {}, headers={"Retry-After": "7"})
    exact = Scripted(503, {}, headers={"retry-after-ms": "1500"})
    with scripted.service(slow, exact, said("ok")) as seen:
        opened(seen.service, patience=Patience(longest_wait=30.0)).body(ASK)
    assert [wait for wait in waits if wait > 0.0] == [7.0, 1.5]


def test_a_service_that_asks_for_too_long_is_not_waited_for(opened) -> None:
    with (
        scripted.service(Scripted(429, {}, headers={"Retry-After": "3600"})) as seen,
        pytest.raises(UnavailableError),
    ):
        opened(seen.service).body(ASK)
    assert len(seen.bodies) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_is_not_tried_again_and_not_shown(opened, status) -> None:
    refusal = Scripted(status, {"error": {"message": "Incorrect API key provided: sk-secret."}})
    with scripted.service(refusal) as seen, pytest.raises(UnavailableError) as caught:
        opened(seen.service).body(ASK)
    assert caught.value.code == "service_refused"
    assert "sk-secret" not in str(caught.value.as_dict())
    assert len(seen.bodies) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(opened, status) -> None:
    with scripted.service(said("stolen")) as thief:
        target = thief.service.url.replace("127.0.0.1", "localhost") + "/chat/completions"
        sent_on = Scripted(status, {}, headers={"Location": target})
        with scripted.service(sent_on) as seen, pytest.raises(UnavailableError) as caught:
            opened(seen.service).body(ASK)
        assert caught.value.code == "service_redirected"
        assert "localhost" in caught.value.message
        assert thief.bodies == []


def test_the_environments_proxy_and_netrc_are_not_used(opened, monkeypatch, tmp_path) -> None:
    with scripted.service(said("through the proxy")) as proxy, scripted.service(said("ok")) as seen:
        address = proxy.service.url.removesuffix("/v1")
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password mine\n")
        monkeypatch.setenv("NETRC", str(netrc))
        service = Service(seen.service.url, "big-model")
        assert text_of(opened(service).body(ASK)) == "ok"
        assert "authorization" not in seen.headers[0]
        assert proxy.bodies == []


def test_a_proxy_that_was_named_is_used(opened) -> None:
    with scripted.service(said("through the proxy")) as proxy:
        service = Service(
            "http://192.0.2.1/v1", "m", proxy=proxy.service.url.removesuffix("/v1"), timeout=5.0
        )
        assert text_of(opened(service).body(ASK)) == "through the proxy"


def test_further_headers_and_another_header_for_the_key(opened) -> None:
    more = {"key_header": "api-key", "headers": {"X-Title": "metier"}}
    with scripted.service(said("ok"), **more) as seen:
        opened(seen.service).body(ASK)
    assert seen.headers[0]["api-key"] == "sk-secret"
    assert seen.headers[0]["x-title"] == "metier"
    assert "authorization" not in seen.headers[0]


@pytest.mark.parametrize("piece", [b"<html>", b"[1]", b"", b"\xff\xfe", b"[" * 100_000])
def test_odd_bodies_are_errors(opened, piece) -> None:
    with (
        scripted.service(Scripted(pieces=[piece or b" "])) as seen,
        pytest.raises(UnavailableError) as caught,
    ):
        opened(seen.service).body(ASK)
    assert caught.value.code == "bad_service_answer"


def test_an_error_inside_an_answer_is_an_error(opened) -> None:
    busy = Scripted(document={"error": {"message": "provider busy", "code": 429}})
    wrong = Scripted(document={"error": "no such thing"})
    with scripted.service(busy, said("ok"), wrong) as seen:
        caller = opened(seen.service, patience=Patience(attempts=2))
        assert text_of(caller.body(ASK)) == "ok"
        seen.always = lambda _: wrong
        with pytest.raises(MetierError, match="HTTP 502"):
            caller.body(ASK)


def test_an_event_without_end_does_not_fill_the_memory(opened, monkeypatch) -> None:
    monkeypatch.setattr("metier.engines.events.LONGEST_EVENT", 10_000)
    endless = stream_of(b"data: " + b"x" * 20_000, hang=True)
    with scripted.service(endless) as seen, pytest.raises(UnavailableError) as caught:
        list(opened(seen.service).chunks(ASK))
    assert caught.value.code == "bad_service_answer"


def test_a_body_without_end_does_not_fill_the_memory(opened, monkeypatch) -> None:
    monkeypatch.setattr(calling, "LONGEST_ANSWER", 10_000)
    with (
        scripted.service(Scripted(pieces=[b"{" + b" " * 20_000], hang=True)) as seen,
        pytest.raises(UnavailableError),
    ):
        opened(seen.service).body(ASK)


def test_a_service_that_says_nothing_is_given_up(opened) -> None:
    with scripted.service(Scripted(hang=True), Scripted(hang=True), timeout=0.2) as seen:
        seen.always = lambda _: Scripted(pieces=[b" "], hang=True)
        with pytest.raises(UnavailableError) as caught:
            opened(seen.service).body(ASK)
    assert caught.value.code == "service_failed"
    assert "0.2 seconds" in str(caught.value.remedy)
    assert len(seen.bodies) == Patience().silent


def test_nobody_is_there(opened) -> None:
    with pytest.raises(UnavailableError) as caught:
        opened(Service("http://127.0.0.1:9/v1", "m", timeout=0.5)).body(ASK)
    assert caught.value.code == "service_unreachable"
    assert caught.value.retryable


def test_a_stop_before_the_start_asks_nobody(opened) -> None:
    with scripted.service(Scripted(hang=True)) as seen:
        with pytest.raises(InputError) as caught:
            opened(seen.service).body(ASK, cancelled=lambda: True)
        assert caught.value.code == "cancelled"


def test_a_stop_ends_the_wait_for_the_next_call(opened) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with scripted.service(Scripted(429, {}, headers={"Retry-After": "20"})) as seen:
        caller = opened(seen.service, patience=Patience(longest_wait=30.0))
        with pytest.raises(InputError) as caught:
            caller.body(ASK, cancelled=stop.is_set)
    assert caught.value.code == "cancelled"


def test_an_iterator_that_is_closed_ends_the_call(opened) -> None:
    with scripted.service(stream_of(event(chunk(content="a")), hang=True)) as seen:
        chunks = opened(seen.service).chunks(ASK)
        assert next(chunks)["choices"]
        chunks.close()
        assert seen.left.wait(5.0)


def test_connections_are_kept_and_shared_by_threads(opened) -> None:
    with scripted.service(parallel=2) as seen:
        seen.always = told("ok")
        caller = opened(seen.service)
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(text_of(caller.body(ASK))))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["ok"] * 8
    assert len(seen.connections) <= 2


def test_a_connection_is_kept_after_a_stream(opened) -> None:
    with scripted.service() as seen:
        seen.always = told("ok")
        caller = opened(seen.service)
        for _ in range(3):
            assert list(caller.chunks(ASK))
    assert len(seen.connections) == 1


def test_a_process_ends_quietly_though_nobody_closed() -> None:
    with scripted.service() as seen:
        seen.always = told("ok")
        program = (
            "from metier.engines.calling import Caller\n"
            "from metier.services import Service\n"
            f"caller = Caller(Service({seen.service.url!r}, 'm'))\n"
            "print(len(list(caller.chunks({'messages': []}))))"
        )
        done = subprocess.run(
            [sys.executable, "-W", "default", "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert done.stdout.strip() == "3"
    assert done.stderr == ""


def test_a_caller_that_nobody_closed_closes_itself() -> None:
    with scripted.service(said("ok")) as seen:
        Caller(seen.service).body(ASK)
        gc.collect()


def test_certificates_that_are_none_are_refused(opened, tmp_path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not a certificate")
    service = Service("https://127.0.0.1:9/v1", "m", certificates=wrong)
    with pytest.raises(InputError) as caught:
        opened(service).body(ASK)
    assert caught.value.code == "bad_service"
