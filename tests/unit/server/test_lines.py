from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from metier.errors import InputError, InternalError, MetierError, UnavailableError
from metier.server.lines import LEFT, Cancelled, Lines, Put, Work

TIMEOUT = 10


class Caller:
    """The other end of an ASGI connection: what it got, and when it leaves."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.leave_after: int | None = None

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.got.append(dict(message))
        if self.leave_after is not None and len(self.got) > self.leave_after:
            self.gone.set()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got)


def failed(error: MetierError) -> bytes:
    return f"failed: {error.message}\n".encode()


def run(work: Work, caller: Caller | None = None, **how: Any) -> Caller:
    async def whole() -> Caller:
        met = caller or Caller()
        answer = Lines(work, failed=failed, **how)
        await asyncio.wait_for(answer({}, met.receive, met.send), TIMEOUT)
        return met

    return asyncio.run(whole())


def test_what_is_said_is_sent_in_order() -> None:
    def work(put: Put, cancelled: Cancelled) -> None:
        for number in range(1000):
            put(b"%d\n" % number)

    caller = run(work)
    assert caller.body == b"".join(b"%d\n" % number for number in range(1000))
    start, *_, last = caller.got
    assert start["status"] == 200
    assert (b"content-type", b"application/x-ndjson") in start["headers"]
    assert not any(name == b"content-length" for name, _ in start["headers"])
    assert not last.get("more_body")


def test_a_word_goes_out_at_once() -> None:
    heard = threading.Event()

    def work(put: Put, cancelled: Cancelled) -> None:
        put(b"a")
        assert heard.wait(TIMEOUT)
        put(b"b")

    class Hearing(Caller):
        async def send(self, message: Any) -> None:
            await super().send(message)
            if message.get("body") == b"a":
                heard.set()

    caller = run(work, Hearing())
    assert caller.body == b"ab"
    assert caller.got[1]["body"] == b"a"


def test_one_object_goes_out_with_its_length() -> None:
    caller = run(lambda put, _: put(b"{}"), whole=True, media_type="application/json")
    assert (b"content-length", b"2") in caller.got[0]["headers"]
    assert caller.body == b"{}"


def test_an_error_before_the_first_word_is_raised() -> None:
    def work(put: Put, cancelled: Cancelled) -> None:
        raise InputError("No.")

    with pytest.raises(InputError):
        run(work)


def test_a_later_error_is_the_last_line() -> None:
    def work(put: Put, cancelled: Cancelled) -> None:
        put(b"a\n")
        time.sleep(0.01)
        raise UnavailableError("It broke.")

    caller = run(work)
    assert caller.got[0]["status"] == 200
    assert caller.body == b"a\nfailed: It broke.\n"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_is_an_error_without_its_inside() -> None:
    def work(put: Put, cancelled: Cancelled) -> None:
        raise ZeroDivisionError("/secret/path")

    with pytest.raises(InternalError) as caught:
        run(work)
    assert "secret" not in caught.value.message
    for thread in threading.enumerate():
        if thread.name == "metier-lines":
            thread.join(TIMEOUT)


def test_a_caller_who_leaves_stops_the_work() -> None:
    seen: list[int] = []
    stopped = threading.Event()

    def work(put: Put, cancelled: Cancelled) -> None:
        for number in range(100_000):
            if cancelled():
                stopped.set()
                return
            seen.append(number)
            put(b"x")
            time.sleep(0.001)

    async def whole() -> None:
        caller = Caller()
        caller.leave_after = 3
        answer = Lines(work, failed=failed)
        await asyncio.wait_for(answer({}, caller.receive, caller.send), TIMEOUT)

    asyncio.run(whole())
    assert stopped.wait(TIMEOUT)
    assert len(seen) < 1000


def test_a_caller_who_leaves_before_the_first_word_stops_it_too() -> None:
    stopped = threading.Event()

    def work(put: Put, cancelled: Cancelled) -> None:
        while not cancelled():
            time.sleep(0.001)
        stopped.set()
        raise UnavailableError("Cancelled.", code="cancelled")

    async def whole() -> Caller:
        caller = Caller()
        caller.gone.set()
        answer = Lines(work, failed=failed)
        await asyncio.wait_for(answer({}, caller.receive, caller.send), TIMEOUT)
        return caller

    caller = asyncio.run(whole())
    assert stopped.wait(TIMEOUT)
    assert caller.got[0]["status"] == LEFT
