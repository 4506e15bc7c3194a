"""The files of somebody's static catalogue over https, and whether a page is still there.

It knows addresses, bounds and redirects, and nothing of what the files say: digests are proved by
who reads them. Plain http is for this machine; an address of a private network is asked only if
the person says so, and an answer never sends us into one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.hub.addresses import Kind, kinds
from metier.hub.requesting import Facts, Origin, Patience, Requests, TryAgain

MOST_BYTES = 1 << 30
"""Of one catalogue, all of its files together."""
LONGEST = 1800.0
"""Seconds for all of them."""
Reached = Literal["there", "gone", "unreachable"]
Fetched = Callable[[int, int], None]
"""Receives the files and the bytes that have come."""
_PATH = 400
_LOOPBACK: frozenset[Kind] = frozenset({"loopback"})
_PATIENCE = Patience(attempts=3)
_PAGE = Patience(connect=10.0, stall=15.0, attempts=2)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much and how long one catalogue may take.

    Attributes:
        most_bytes: Of all its files.
        seconds: For all of them.
        patience: For each.
    """

    most_bytes: int = MOST_BYTES
    seconds: float = LONGEST
    patience: Patience = _PATIENCE


def catalogue_address(text: str) -> str | None:
    """The folder that an address names, or ``None`` if the text is no address.

    Raises:
        InputError: It is one that no catalogue is fetched from (code ``bad_address``).
    """
    scheme, separator, _ = text.strip().partition("://")
    if not separator:
        return None
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad_address(text, "it is not an address") from error
    if scheme.lower() not in ("https", "http"):
        raise _bad_address(text, "addresses begin with 'https://'")
    if not host or port == 0:
        raise _bad_address(text, "it names no host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _bad_address(text, "it has a user, a password, a question or a fragment in it")
    path = parts.path.removesuffix("catalogue.json").rstrip("/")
    return f"{scheme.lower()}://{parts.netloc}{path}"


@contextmanager
def catalogue_reader(
    address: str,
    origin: Origin,
    *,
    private: bool = False,
    bounds: Bounds | None = None,
    fetched: Fetched | None = None,
) -> Iterator[Callable[[str, int], bytes]]:
    """Reads files of the catalogue at an address, one connection for all.

    Args:
        address: From ``catalogue_address``.
        origin: Who asks, and how names are looked up; its address is not used.
        private: Whether it may be in a private network.
        bounds: See ``Bounds``.
        fetched: Receives progress.

    Yields:
        A file's path and its largest size to its bytes, no more than that size.

    Raises:
        InputError: Plain http to another machine (``bad_address``).
        UnavailableError: ``private_address``, ``hub_unreachable`` and what ``Requests`` raises.
    """
    limits = bounds or Bounds()
    place = _place(address, origin, private=private)
    requests = Requests(place, limits.patience, connections=1)
    ends = time.monotonic() + limits.seconds
    came = files = 0

    def read(path: str, most: int) -> bytes:
        nonlocal came, files
        url = f"{address}/{_safe(path)}"
        data = _whole(requests, url, most, limits, ends)
        files, came = files + 1, came + len(data)
        if came > limits.most_bytes:
            raise _too_much(address, limits)
        if fetched is not None:
            fetched(files, came)
        return data

    try:
        yield read
    finally:
        requests.close()


def reached(url: str, origin: Origin, *, patience: Patience = _PAGE) -> Reached:
    """Whether a page is there; only its first bytes are read."""
    try:
        place = _place(url, origin, private=False)
        requests = Requests(place, patience, connections=1)
    except MetierError:
        return "unreachable"
    try:
        for _ in range(patience.attempts):
            try:
                with requests.whole(url, _nothing_known(url)):
                    return "there"
            except TryAgain:
                time.sleep(patience.pause)
            except NotFoundError:
                return "gone"
            except MetierError:
                return "unreachable"
        return "unreachable"
    finally:
        requests.close()


def _whole(requests: Requests, url: str, most: int, limits: Bounds, ends: float) -> bytes:
    pause = limits.patience.pause
    for attempt in range(limits.patience.attempts):
        try:
            return _bytes(requests, url, most, ends)
        except TryAgain as error:
            if attempt + 1 == limits.patience.attempts:
                raise error.error from error
            wait = min(error.wait if error.wait is not None else pause, limits.patience.longest)
            if time.monotonic() + wait > ends:
                raise error.error from error
            time.sleep(wait)
            pause *= 2
    raise AssertionError("every attempt returns or raises")


def _bytes(requests: Requests, url: str, most: int, ends: float) -> bytes:
    """At most ``most`` bytes of a file; who reads them sees that there are more."""
    chunks: list[bytes] = []
    left = most
    with requests.whole(url, _nothing_known(url)) as arriving:
        for chunk in arriving:
            chunks.append(chunk[:left])
            left -= len(chunks[-1])
            if time.monotonic() > ends:
                raise _too_slow(url)
            if left <= 0:
                break
    return b"".join(chunks)


def _nothing_known(url: str) -> Facts:
    return Facts(url, size=None, etag=None, sha256=None, ranges=False)


def _place(address: str, origin: Origin, *, private: bool) -> Origin:
    """The origin of an address, its host looked up once, so that it cannot move between."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        found = list(origin.resolve(host))
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise UnavailableError(
            f"{host} cannot be found.",
            code="hub_unreachable",
            remedy="Check the address and the network; what was added before works without it.",
            retryable=True,
        )
    known = kinds(host, lambda _: found, origin.kind)
    if parts.scheme != "https" and known != _LOOPBACK:
        raise _bad_address(address, "plain http is for this machine only")
    allowed: frozenset[Kind] = frozenset({"open"})
    if known == _LOOPBACK:
        allowed = _LOOPBACK
    elif private:
        allowed = frozenset({"open", "network", "loopback"})
    if not known <= allowed:
        raise UnavailableError(
            f"{host} is an address of a private network.",
            code="private_address",
            remedy="If it is a server of your own, say so with --private.",
        )

    def resolve(name: str) -> list[str]:
        return found if name == host else list(origin.resolve(name))

    return replace(origin, url=address, token=None, resolve=resolve)


def _safe(path: str) -> str:
    parts = path.split("/")
    if len(path) > _PATH or any(part in ("", ".", "..") for part in parts) or "?" in path:
        raise _bad_address(path, "a file's path leaves its folder")
    return path


def _bad_address(text: str, why: str) -> InputError:
    return InputError(
        f"No catalogue is fetched from {text[:160]!r}: {why}.",
        code="bad_address",
        remedy="Write the https address of the folder that has catalogue.json, or a path.",
    )


def _too_much(address: str, limits: Bounds) -> InputError:
    return InputError(
        f"The catalogue at {address[:160]} has more than {limits.most_bytes:,} bytes.",
        code="catalogue_too_large",
        remedy="Ask who hosts it to part it.",
    )


def _too_slow(url: str) -> UnavailableError:
    return UnavailableError(
        f"{urlsplit(url).hostname} took too long to send the catalogue.",
        code="hub_stalled",
        remedy="Do it again later; what was there before is kept.",
        retryable=True,
    )
