"""Which pages and programs of other origins may ask models, and what a browser is told of it.

The models' APIs are ``/api`` and ``/v1``; the list of origins is Ollama's: pages of this machine
at any port, and desktop programs whose pages have a scheme of their own. Nothing else of this
server is open to another origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Headers = tuple[tuple[bytes, bytes], ...]

_MODELS = ("/api", "/v1")
_ALLOWED = re.compile(
    rb"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::[0-9]{1,5})?"
    rb"|(?:app|file|tauri|vscode-webview|vscode-file)://[A-Za-z0-9._:/-]{0,300}",
    re.IGNORECASE,
)
_METHODS = b"GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
_ASKS_WITH = (
    "authorization",
    "content-type",
    "user-agent",
    "accept",
    "x-requested-with",
    "openai-beta",
    "x-api-key",
    "x-request-id",
)
_STAINLESS = re.compile(r"x-stainless-[a-z-]{1,60}")
_KEPT = b"43200"


def is_of_models(path: str) -> bool:
    """Whether ``path`` is of an API that models are asked by."""
    return path.startswith(("/api/", "/v1/")) or path in _MODELS


def may_ask(path: str, origin: bytes) -> bool:
    """Whether a page of ``origin`` may use ``path``."""
    return is_of_models(path) and _ALLOWED.fullmatch(origin) is not None


def cors(path: str, headers: Mapping[bytes, bytes]) -> Headers:
    """The headers by which a browser lets an allowed page read the answer."""
    origin = headers.get(b"origin")
    if origin is None or not may_ask(path, origin):
        return ()
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", b"x-request-id, x-metier-version"),
        (b"vary", b"origin"),
    )


def preflight(method: str, path: str, headers: Mapping[bytes, bytes]) -> Headers | None:
    """The answer to a browser that asks whether it may ask, or ``None`` if this is not one."""
    if method != "OPTIONS" or b"access-control-request-method" not in headers:
        return None
    if not may_ask(path, headers.get(b"origin", b"")):
        return None
    wanted = headers.get(b"access-control-request-headers", b"").decode("latin-1").lower()
    named = [name.strip() for name in wanted[:4000].split(",")]
    allowed = [*_ASKS_WITH, *(name for name in named if _STAINLESS.fullmatch(name))]
    return (
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", ", ".join(allowed).encode()),
        (b"access-control-max-age", _KEPT),
    )
