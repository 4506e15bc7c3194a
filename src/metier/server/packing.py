"""Packs pages, scripts and style sheets with gzip for callers that read it.

One pure ASGI layer. Only whole replies of the website are packed: never the models' APIs, which
programs call on this machine thousands of times, and never a stream. What another origin asked for
stays as it is, so that no foreign page can learn from lengths what stands beside a text of its own
in one of ours (BREACH); our pages hold no secret in any case.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from metier.server.guard import App, Message, Receive, Scope, Send

LEAST = 1024
"""Bytes from which packing pays: less goes in one packet anyway."""
_LEVEL = 6
_PACKED = (b"text/html", b"text/css", b"text/javascript", b"image/svg+xml", b"application/json")
_PLAIN_PATHS = ("/v1/", "/api/", "/mcp")


class Packing:
    """The ASGI layer."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and pack the reply if that helps."""
        if scope["type"] != "http" or not _may_pack(scope):
            await self._app(scope, receive, send)
            return
        started: Message | None = None

        async def packed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and _is_text(message):
                started = message
                return
            if started is None:
                await send(message)
                return
            start, started = started, None
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                start, message = _pack(start, message)
            await send(start)
            await send(message)

        await self._app(scope, receive, packed)


def _may_pack(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    reads = b"gzip" in headers.get(b"accept-encoding", b"")
    own = headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
    return reads and own and not scope["path"].startswith(_PLAIN_PATHS)


def _is_text(message: Message) -> bool:
    headers = dict(message.get("headers", ()))
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip()
    return b"content-encoding" not in headers and media_type in _PACKED


def _pack(start: Message, message: Message) -> tuple[Message, Message]:
    headers = [*start.get("headers", ()), (b"vary", b"accept-encoding")]
    body = bytes(message.get("body", b""))
    if len(body) >= LEAST:
        kept = any(name == b"cache-control" and b"immutable" in value for name, value in headers)
        body = _of_asset(body) if kept else gzip.compress(body, _LEVEL, mtime=0)
        headers = [pair for pair in headers if pair[0] != b"content-length"]
        headers += [
            (b"content-length", str(len(body)).encode()),
            (b"content-encoding", b"gzip"),
        ]
    return {**start, "headers": headers}, {**message, "body": body}


@lru_cache(maxsize=64)
def _of_asset(body: bytes) -> bytes:
    """An asset of the package, packed once and as small as it gets."""
    return gzip.compress(body, 9, mtime=0)
