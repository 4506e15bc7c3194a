"""The door: Host, Origin, key, size of the body, and the headers every reply carries.

One pure ASGI layer around the whole application. It knows who may speak; it knows nothing of what
is asked. The rules (DESIGN §7; DNS rebinding: CVE-2024-28224):

- the Host header must be a name of this machine, so a rebound name of a foreign page is refused;
  the models' APIs (``/api``, ``/v1``) also answer to names that only a local network gives;
- a request that can change something is refused when a browser says it comes from another origin,
  and no CORS header is sent, so a foreign page can read nothing either; only the models' APIs are
  open to the origins that Ollama allows: pages of this machine and desktop programs;
- with a key, everything but the style sheets, ``/health`` and the sign-in form needs it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import itertools
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any

from metier.errors import InputError
from metier.server.origins import cors, is_of_models, may_ask, preflight
from metier.server.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Refuse = Callable[[Scope, Receive, Send, Problem], Awaitable[None]]

COOKIE = "metier_session"
MIN_KEY = 16
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_PATHS = ("/health", "/sign-in", "/static/")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# Nothing is allowed but what pages use: no frame, font, object, worker or manifest, no inline
# script or style, and no text becomes markup or script. A picture that a person chose is shown to
# that person from memory (blob:).
_FROM_HERE = (
    "default-src 'none'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
_CSP = f"{_FROM_HERE}; script-src 'self'; trusted-types 'none'"
# The page that runs a specialist itself, its worker and their scripts compile WebAssembly.
_RUNNING_CSP = (
    f"{_FROM_HERE}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "trusted-types metier-running"
)
_RUNNING = re.compile(r"/running/.*|/specialists/.+/run")
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with it a browser sends "Origin: null" with the forms of our own pages.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
# Names that no public name server gives, as containers and home networks use them.
_LOCAL_NAMES = (".local", ".internal")
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)


def is_loopback(host: str) -> bool:
    """Whether binding ``host`` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_binding(host: str, api_key: str | None) -> None:
    """Refuse to be open without a key, and keys that can be guessed; raises InputError."""
    if api_key is None and not is_loopback(host):
        raise InputError(
            f"{host!r} can be reached from other machines, and no key is set.",
            code="key_needed",
            remedy="Give --api-key-file with a file that holds a key, or use --host 127.0.0.1.",
        )
    if api_key is not None and (len(api_key) < MIN_KEY or not api_key.isascii()):
        raise InputError(
            f"The key has {len(api_key)} characters; it needs {MIN_KEY} or more, all ASCII.",
            code="weak_key",
            remedy="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )


def session_value(api_key: str) -> str:
    """What the sign-in cookie holds: not the key, but only the key's owner can make it."""
    return hmac.new(api_key.encode(), b"metier session 1", hashlib.sha256).hexdigest()


class Hosts:
    """Which Host headers are this machine's own."""

    def __init__(self, host: str, names: Iterable[str] = ()) -> None:
        own = {"localhost", host.lower(), socket.gethostname().lower(), *map(str.lower, names)}
        self._names = frozenset(name.rstrip(".") for name in own if name)
        self._any_address = not is_loopback(host)
        self.allows = lru_cache(maxsize=256)(self._allows)

    def _allows(self, header: str, *, models: bool = False) -> bool:
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", header)
        if match is None:
            return False
        name = match.group(1).strip("[]").lower().rstrip(".")
        if name in self._names or name.endswith(".localhost"):
            return True
        if models and name.endswith(_LOCAL_NAMES):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # An address in Host cannot be a rebound name; a foreign page never has it as its origin.
        if address.is_loopback or self._any_address:
            return True
        return models and (
            address.is_unspecified
            or any(address in network for network in _PRIVATE if network.version == address.version)
        )


def _same_origin(origin: str, host: str) -> bool:
    scheme, separator, place = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and place.lower() == host.lower()


class Guard:
    """The ASGI layer. ``refuse`` writes a problem in the dialect of the path."""

    def __init__(
        self,
        app: App,
        *,
        hosts: Hosts,
        api_key: str | None,
        refuse: Refuse,
        body_limit: Callable[[str], int],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._bearer = f"Bearer {api_key}".encode() if api_key else None
        self._session = session_value(api_key).encode() if api_key else b""
        self._refuse = refuse
        self._body_limit = body_limit
        self._start = secrets.token_hex(4)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = (
            given
            if _REQUEST_ID.fullmatch(given)
            else f"{self._start}-{next(self._count):x}".encode()
        )
        scope["metier.request_id"] = request_id.decode()
        policy = _RUNNING_CSP if _RUNNING.fullmatch(scope["path"]) else _CSP
        extra = (
            *_HEADERS,
            (b"content-security-policy", policy.encode()),
            (b"x-request-id", request_id),
            *cors(scope["path"], headers),
        )

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [*message.get("headers", ()), *extra]
                if self._bearer is not None and all(name != b"cache-control" for name, _ in told):
                    # What only holders of the key may read stays in no cache on the way.
                    told.append((b"cache-control", b"no-store"))
                message["headers"] = told
            await send(message)

        problem = self._problem(scope, headers)
        if problem is not None:
            await self._refuse(scope, receive, send_with_headers, problem)
        elif (allowed := preflight(scope["method"], scope["path"], headers)) is not None:
            start = {"type": "http.response.start", "status": 204, "headers": list(allowed)}
            await send_with_headers(start)
            await send_with_headers({"type": "http.response.body", "body": b""})
        else:
            if b"content-length" not in headers and scope["method"] not in _SAFE:
                receive = _counted(receive, self._body_limit(scope["path"]))
            await self._app(scope, receive, send_with_headers)

    def _problem(self, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        models = is_of_models(scope["path"])
        if not self._hosts.allows(host, models=models):
            return Problem(
                403,
                f"The host {host[:200]!r} is not this machine.",
                "foreign_host",
                "Use localhost or 127.0.0.1, or start 'metier up' with this name.",
            )
        changes = scope["method"] not in _SAFE
        problem = None
        if changes or (models and b"origin" in headers):
            problem = self._foreign(scope["path"], headers, host)
        if changes and problem is None:
            problem = self._too_large(scope, headers)
        if problem is not None:
            return problem
        # A browser asks beforehand without the key.
        asks_first = preflight(scope["method"], scope["path"], headers) is not None
        if self._bearer is not None and not (asks_first or self._has_key(scope["path"], headers)):
            return Problem(
                401,
                "This server needs its key.",
                "key_needed",
                "Send it as 'Authorization: Bearer KEY'.",
                headers=(("www-authenticate", "Bearer"),),
            )
        return None

    def _foreign(self, path: str, headers: dict[bytes, bytes], host: str) -> Problem | None:
        origin = headers.get(b"origin")
        if origin is not None and may_ask(path, origin):
            return None
        site = headers.get(b"sec-fetch-site")
        own = origin is None or _same_origin(origin.decode("latin-1"), host)
        if own and site in (None, b"same-origin", b"none"):
            return None
        return Problem(
            403,
            "A page of another origin cannot change anything here.",
            "foreign_origin",
            "Call this server from its own pages, or from a program.",
        )

    def _too_large(self, scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
        declared = headers.get(b"content-length", b"")
        limit = self._body_limit(scope["path"])
        if declared.isdigit() and int(declared) > limit:
            return Problem(
                413,
                f"The body has {int(declared):,} bytes; this path takes {limit:,}.",
                "too_large",
                "Send less at once.",
                headers=(("connection", "close"),),
            )
        return None

    def _has_key(self, path: str, headers: dict[bytes, bytes]) -> bool:
        if path.startswith(_OPEN_PATHS):
            return True
        given = headers.get(b"authorization", b"")
        if self._bearer is not None and hmac.compare_digest(given, self._bearer):
            return True
        for pair in headers.get(b"cookie", b"").split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == COOKIE.encode() and hmac.compare_digest(value, self._session):
                return True
        return False


def _counted(receive: Receive, limit: int) -> Receive:
    """``receive`` that refuses a body without a declared length once it passes ``limit``."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise InputError(
                f"The body has more than {limit:,} bytes.",
                code="too_large",
                remedy="Send less at once.",
            )
        return message

    return counted
