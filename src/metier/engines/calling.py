"""The one client of OpenAI-compatible services: a request out, a body or a stream of chunks back.

It knows addresses, the key, retries, timeouts and how to stop: it asks no second host, follows no
redirect and reads no proxy from the environment. What is asked and what an answer means is its
callers' matter. The calls run on an event loop of their own thread, so that a caller in any thread
can stop one at once, and the connection closes with it.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import queue
import random
import ssl
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from metier.engines.adapting import Manners
from metier.engines.events import EventReader
from metier.engines.waiting import asked_wait, backoff
from metier.errors import InputError, MetierError, UnavailableError
from metier.services import Service

RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
REFUSED = frozenset({401, 403, 404})
LONGEST_WAIT = 30.0
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.05
DRAIN_SECONDS = 0.2
LONGEST_ANSWER = 32_000_000
LONGEST_REFUSAL = 65_536

Cancelled = Callable[[], bool]
Put = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask again.

    Attributes:
        attempts: Calls at most while the service says "later".
        silent: Calls at most while nobody is there, or nothing comes within the timeout.
        longest_wait: Seconds between two calls at most; a service that asks for more is not
            waited for.
    """

    attempts: int = 5
    silent: int = 2
    longest_wait: float = field(default_factory=lambda: LONGEST_WAIT)


class Caller:
    """Calls one service; keeps its connections and remembers what it does not take.

    Threads may share it; one per service and process is right. ``close`` ends its connections.
    """

    def __init__(self, service: Service, *, patience: Patience | None = None) -> None:
        self._service = service
        self._patience = patience or Patience()
        self._manners = Manners()
        self._client: httpx.AsyncClient | None = None
        self._lock = threading.Lock()

    @property
    def refused(self) -> tuple[str, ...]:
        """Fields that the service has refused and that are left out or renamed since."""
        return self._manners.refused

    def body(
        self, request: Mapping[str, Any], *, cancelled: Cancelled | None = None
    ) -> dict[str, Any]:
        """The answer's JSON object.

        Raises:
            UnavailableError: ``service_refused`` (key, address or model), ``service_redirected``,
                ``service_unreachable``, ``service_failed`` after all attempts, or
                ``bad_service_answer``.
            InputError: ``service_rejected``: the service does not take the request; ``cancelled``.
        """
        for document in self._talk({**request, "stream": False}, cancelled):
            return document
        raise self._odd("ended without an answer")

    def chunks(
        self, request: Mapping[str, Any], *, cancelled: Cancelled | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """The chunks of a streamed answer as they come; closing the iterator ends the call.

        Before the first chunk it is asked again as for ``body``; after it a failure is final.

        Raises:
            UnavailableError: As ``body``; ``service_broke_off`` if the stream ended early.
            InputError: As ``body``.
        """
        return self._talk({**request, "stream": True}, cancelled)

    def close(self) -> None:
        """End its connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            asyncio.run_coroutine_threadsafe(client.aclose(), _loop()).result(timeout=5.0)

    def _talk(
        self, request: dict[str, Any], cancelled: Cancelled | None
    ) -> Generator[dict[str, Any], None, None]:
        client = self._opened()
        arrived: queue.SimpleQueue[list[dict[str, Any]] | None] = queue.SimpleQueue()
        future = asyncio.run_coroutine_threadsafe(self._ask(client, request, arrived.put), _loop())
        future.add_done_callback(lambda _done: arrived.put(None))
        try:
            while (documents := _next(arrived, cancelled)) is not None:
                yield from documents
            future.result()
        finally:
            future.cancel()

    def _opened(self) -> httpx.AsyncClient:
        with self._lock:
            if self._client is None:
                self._client = _client(self._service)
                _clients.add(self._client)
                weakref.finalize(self, _abandon, self._client).atexit = False
            return self._client

    async def _ask(self, client: httpx.AsyncClient, request: dict[str, Any], put: Put) -> None:
        """Ask until there is an answer, and hand it on; raises MetierError."""
        patience = self._patience
        tried = silent = 0
        while True:
            sent = self._manners.fitted(request)
            failure, wait, heard = await self._attempt(client, sent, put)
            if failure is None:
                return
            if failure.code == "service_rejected":
                if self._manners.learn(sent, failure.message, failure.details.get("parameter")):
                    continue
                raise failure
            tried, silent = tried + 1, silent + (not heard)
            if not failure.retryable or tried >= patience.attempts or silent >= patience.silent:
                raise failure
            if wait is None:
                wait = backoff(tried, patience.longest_wait, random.random())  # noqa: S311
            elif wait > patience.longest_wait:
                raise failure
            await asyncio.sleep(wait)

    async def _attempt(
        self, client: httpx.AsyncClient, sent: dict[str, Any], put: Put
    ) -> tuple[MetierError | None, float | None, bool]:
        """One call: what went wrong, the wait asked for, whether the service was heard at all.

        Raises MetierError where asking again would be wrong: what was heard in part is final.
        """
        given = False

        def hand_on(documents: list[dict[str, Any]]) -> None:
            nonlocal given
            if documents:
                given = True
                put(documents)

        try:
            failure, wait = await self._once(client, sent, hand_on)
        except httpx.InvalidURL as error:
            raise InputError(
                f"The address of {self._service.name!r} cannot be called.", code="bad_service"
            ) from error
        except httpx.HTTPError as error:
            if given:
                what = f"broke off: {type(error).__name__}"
                raise self._error("service_broke_off", what, retryable=True) from error
            return self._no_answer(error), None, False
        if failure is not None and given:
            raise failure
        return failure, wait, True

    async def _once(
        self, client: httpx.AsyncClient, sent: dict[str, Any], put: Put
    ) -> tuple[MetierError | None, float | None]:
        """One call: nothing if it was answered, else what went wrong and the wait asked for."""
        url = f"{self._service.url.rstrip('/')}/chat/completions"
        async with client.stream("POST", url, json=sent) as response:
            status = response.status_code
            if status == 200:
                return await self._answered(response, put), None
            if 300 <= status < 400:
                target = urlsplit(response.headers.get("location", "")).hostname or "the same host"
                raise self._error(
                    "service_redirected",
                    f"sent us on to {target[:100]}, where the key does not go",
                    remedy="Give the final address of the service as its url.",
                )
            text = (await _read(response, LONGEST_REFUSAL)).decode("utf-8", "replace")
            return self._refusal(status, text), asked_wait(response.headers)

    async def _answered(self, response: httpx.Response, put: Put) -> MetierError | None:
        if "text/event-stream" in response.headers.get("content-type", ""):
            async for documents in self._events(response):
                for number, document in enumerate(documents):
                    if document.get("error") and not document.get("choices"):
                        put(documents[:number])
                        return self._said_error(document["error"])
                put(documents)
            return None
        body = await _read(response, LONGEST_ANSWER)
        document = self._parsed(body)
        if document.get("error") and not document.get("choices"):
            return self._said_error(document["error"])
        put([document])
        return None

    async def _events(self, response: httpx.Response) -> AsyncIterator[list[dict[str, Any]]]:
        """The documents of each portion of bytes together: one wake-up of the listener each."""
        reader, finished = EventReader(), False
        portions = response.aiter_bytes()
        async for portion in portions:
            documents, ended = self._documents(reader.feed(portion))
            finished = finished or any(map(_is_last, documents))
            yield documents
            if ended:
                await _drain(portions)
                return
        documents, ended = self._documents(reader.end())
        yield documents
        if not (ended or finished or any(map(_is_last, documents))):
            raise self._error("service_broke_off", "ended its answer early", retryable=True)

    def _documents(self, events: list[str]) -> tuple[list[dict[str, Any]], bool]:
        """The documents up to the end mark, and whether it came."""
        documents: list[dict[str, Any]] = []
        for data in events:
            if data.strip() == "[DONE]":
                return documents, True
            documents.append(self._parsed(data))
        return documents, False

    def _parsed(self, text: str | bytes) -> dict[str, Any]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise self._odd("answered something that is not JSON") from None
        if not isinstance(document, dict):
            raise self._odd("answered JSON of another shape")
        return document

    def _said_error(self, error: Any) -> MetierError:
        """An error inside an answer of status 200, as some gateways send it."""
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and not isinstance(code, bool) else 502
        return self._refusal(status, json.dumps({"error": error}))

    def _refusal(self, status: int, text: str) -> MetierError:
        message, parameter = _explained(text)
        said = f": {self._without_key(message)[:300]}" if message else ""
        what = f"answered HTTP {status}{said}"
        if status in REFUSED:
            return self._error(
                "service_refused",
                what,
                remedy="Check the service's url, model and key.",
                details={"status": status},
            )
        if status in RETRYABLE or status >= 500:
            return self._error(
                "service_failed",
                what,
                retryable=status in RETRYABLE,
                remedy="Try again later.",
                details={"status": status},
            )
        return InputError(
            f"The service {self._service.name!r} {what}.",
            code="service_rejected",
            remedy="The service does not take this request; its message says why.",
            details={"status": status, "parameter": parameter},
        )

    def _no_answer(self, error: httpx.HTTPError) -> MetierError:
        host = urlsplit(self._service.url).netloc
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
            return self._error(
                "service_unreachable",
                f"cannot be reached at {host}: {type(error).__name__}",
                retryable=True,
                remedy="Check the service's url and the network. A proxy is used only if "
                "services.toml names one.",
            )
        return self._error(
            "service_failed",
            f"did not answer: {type(error).__name__} at {host}",
            retryable=True,
            remedy=f"It was waited for {self._service.timeout:g} seconds; "
            "services.toml can give it more by timeout.",
        )

    def _without_key(self, text: str) -> str:
        key = self._service.key
        return text.replace(key, "(key)") if key else text

    def _odd(self, what: str) -> UnavailableError:
        return self._error("bad_service_answer", what)

    def _error(self, code: str, what: str, **more: Any) -> UnavailableError:
        return UnavailableError(f"The service {self._service.name!r} {what}.", code=code, **more)


def _client(service: Service) -> httpx.AsyncClient:
    encrypted = any(
        address and address.startswith("https:") for address in (service.url, service.proxy)
    )
    # Reading the authorities takes 30 ms, which a plain address on this machine need not wait for.
    trusted: ssl.SSLContext | bool = encrypted
    if encrypted and service.certificates is not None:
        try:
            trusted = ssl.create_default_context(cafile=str(service.certificates))
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"The certificates of {service.name!r} cannot be read from "
                f"{str(service.certificates)!r}.",
                code="bad_service",
            ) from error
    headers = dict(service.headers)
    if service.key:
        bearer = service.key_header.lower() == "authorization"
        headers[service.key_header] = f"Bearer {service.key}" if bearer else service.key
    return httpx.AsyncClient(
        headers=headers,
        timeout=httpx.Timeout(
            service.timeout, connect=min(CONNECT_SECONDS, service.timeout), pool=None
        ),
        limits=httpx.Limits(max_connections=max(1, service.parallel)),
        follow_redirects=False,
        trust_env=False,
        verify=trusted,
        proxy=service.proxy,
    )


async def _read(response: httpx.Response, most: int) -> bytes:
    """The body, cut at ``most`` bytes: nobody's answer may fill the memory."""
    found = bytearray()
    async for portion in response.aiter_bytes():
        found += portion
        if len(found) > most:
            return bytes(found[:most])
    return bytes(found)


async def _drain(portions: AsyncIterator[bytes]) -> None:
    """Read what follows the end mark, so that the connection can be kept for the next call."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in portions:
                continue
    except (TimeoutError, httpx.HTTPError):
        # The answer is whole; a connection that does not end is closed instead of kept.
        return


def _is_last(document: dict[str, Any]) -> bool:
    choices = document.get("choices")
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") for choice in choices
    )


def _explained(text: str) -> tuple[str, str | None]:
    """The sentence of an error body and the field that it names, in the shapes services use."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return " ".join(text.split())[:300], None
    error = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(error, dict):
        parameter = error.get("param")
        message = error.get("message") or error.get("detail") or json.dumps(error)
        return str(message), parameter if isinstance(parameter, str) else None
    return str(error), None


def _next(
    arrived: queue.SimpleQueue[list[dict[str, Any]] | None], cancelled: Cancelled | None
) -> list[dict[str, Any]] | None:
    if cancelled is None:
        return arrived.get()
    while True:
        if cancelled():
            raise InputError("Stopped before the end.", code="cancelled")
        try:
            return arrived.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue


_starting = threading.Lock()
_running: list[asyncio.AbstractEventLoop] = []
_clients: weakref.WeakSet[httpx.AsyncClient] = weakref.WeakSet()


def _loop() -> asyncio.AbstractEventLoop:
    """The event loop of all callers, started with the first call of the process."""
    with _starting:
        if not _running:
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever, name="metier-calls", daemon=True)
            thread.start()
            _running.append(loop)
            atexit.register(_stop, loop, thread)
        return _running[0]


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    async def end() -> None:
        for client in list(_clients):
            await client.aclose()

    # What does not close in time is closed by the end of the process.
    with suppress(TimeoutError):
        asyncio.run_coroutine_threadsafe(end(), loop).result(timeout=2.0)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=2.0)
    if not thread.is_alive():
        loop.close()


def _abandon(client: httpx.AsyncClient) -> None:
    """Close the connections of a caller that nobody closed."""
    if _running and _running[0].is_running():
        asyncio.run_coroutine_threadsafe(client.aclose(), _running[0])
